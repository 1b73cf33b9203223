import Curvature
import DenseAlgebra
import Foundation
import Networks
import Optimization

/// How many steps conjugate gradients take on the layers of a network in training.
///
/// Every solve starts from zero, with the gradient of the batch on the right. Reading 1 is applied with
/// formed factors, which is the same operator. Reference: the specification, sections 6.3 and 6.4.
public struct ConjugateGradientStudy: Sendable {
  /// What is solved.
  public struct Options: Sendable {
    public var widths = [784, 20, 20, 20, 10]
    public var batch = 128
    public var iterations = [0, 10, 50]
    public var lambdas = [1, 1e-1, 1e-2, 1e-3, 1e-4]
    /// The tolerances on ‖r‖/‖V‖ whose first step is noted, descending.
    public var tolerances = [1e-1, 1e-2, 1e-3, 1e-6]
    /// The most steps of one solve.
    public var limit = 600
    /// Layers with more parameters get at most this many steps.
    public var largeLimit = 200
    public var largeSize = 2000

    public init() {}

    /// The training between the states: KFAC with λ = 0.3 on each factor, rate 0.1, tanh.
    var training: ComparisonOptions {
      var training = ComparisonOptions()
      training.widths = widths
      training.activation = .tanh
      training.batch = batch
      training.layers = 1...(widths.count - 1)
      return training
    }
  }

  /// One solve from zero.
  public struct Solve: Sendable {
    public let seed: UInt64
    public let iteration: Int
    public let fisher: String
    public let layer: String
    public let layerOperator: MatrixFreeSolver.Operator
    public let parameters: Int
    public let lambda: Double
    /// κ of the damped operator.
    public let condition: Double
    /// The first step with ‖r‖ ≤ τ‖V‖ for each tolerance; nil where the limit came first.
    public let steps: [Int?]
    /// The steps of the author's rule, at most 10 and ‖r‖ ≤ 0.1‖r₀‖, and of the default one.
    public let authorSteps: Int
    public let ownSteps: Int
    /// cos of the angle to the exact solution under both rules; nil where it was not computed.
    public let authorCosine: Double?
    public let ownCosine: Double?
  }

  public let options: Options
  public let solves: [Solve]

  /// The rule of the author's code: ratio 0.1 to the first residual, at most 10 steps.
  public static let authorRule = ConjugateGradient(
    stoppingRule: .firstResidual(tolerance: 0.1), maximumIterations: 10)
  /// The default of this suite: ratio 0.01 to the right-hand side.
  public static let ownRule = ConjugateGradient(
    stoppingRule: .rightHandSide(tolerance: 1e-2), maximumIterations: 600)

  public init(
    _ options: Options, data: Dataset, seeds: [UInt64],
    progress: @Sendable (String, Int, Int) -> Void
  ) throws {
    self.options = options
    let runs = try Parallel.map(seeds.count, "training for CG-FAC", progress) { index in
      try TrainingRun(
        seed: seeds[index], data: data, likelihood: .categorical, options: options.training,
        iterations: options.iterations)
    }
    let kinds: [(String, FisherKind)] = [("exact", .exact), ("empirical", .empirical)]
    let states = runs.flatMap { run in run.states.map { (run.seed, $0) } }
    let layerCount = options.widths.count - 1
    let jobs = states.count * kinds.count * layerCount
    solves = try Parallel.map(jobs, "conjugate gradients", progress) { job in
      // Layers inside, so that the large first layers of two states run side by side.
      let (seed, state) = states[job / (kinds.count * layerCount)]
      let (fisher, kind) = kinds[job / layerCount % kinds.count]
      let block = job % layerCount
      let batch = data.subset(state.batch)
      let samples = GradientSamples(
        state.network, batch, likelihood: .categorical, kind: kind, blocks: [block])
      let gradient = LossGradient(state.network, batch, .categorical).gradient.blocks[block]
      return try ConjugateGradientStudy.solves(
        LayerSamples(samples, block: 0), gradient, options,
        (seed: seed, iteration: state.iteration, fisher: fisher))
    }.flatMap { $0 }
  }

  /// Both operators of one layer over all λ.
  static func solves(
    _ layer: LayerSamples, _ gradient: Matrix, _ options: Options,
    _ marks: (seed: UInt64, iteration: Int, fisher: String)
  ) throws -> [Solve] {
    let factors = KFACFactors(layer)
    let block = KroneckerBlock.kfac(layer)
    let n = layer.layout.count
    let isLarge = n > options.largeSize
    let right = Vector(gradient.storage)
    let exactMatrix = isLarge ? nil : ExactBlockOperator(layer, lambda: 0).dense()
    let kfacRange = try range(factors)
    let exactRange = try exactMatrix.map(range) ?? rangeByPower(layer)
    let limit = isLarge ? options.largeLimit : options.limit
    let tight = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: options.tolerances.min() ?? 1e-6),
      maximumIterations: limit)
    var solves: [Solve] = []
    for layerOperator in MatrixFreeSolver.Operator.allCases {
      for lambda in options.lambdas {
        let matrix: any LinearOperator
        let reference: Vector?
        let spectrum: ClosedRange<Double>
        switch layerOperator {
        case .kfac:
          matrix = FormedKroneckerOperator(a: factors.a, g: factors.g, lambda: lambda)
          reference =
            try block.damped(.exact, lambda).solve(ParameterVector(blocks: [gradient])).flattened
          spectrum = kfacRange
        case .exactBlock:
          // The matrix, where there is one, is cheaper than N·K products.
          matrix =
            exactMatrix.map { $0.addingToDiagonal(lambda) }
            ?? ExactBlockOperator(layer, lambda: lambda)
          reference = try exactMatrix.map {
            try CholeskyFactorization($0.addingToDiagonal(lambda)).solve(right)
          }
          spectrum = exactRange
        }
        let history = tight.solve(matrix, right).residualNorms
        let author = authorRule.solve(matrix, right)
        let own = ConjugateGradient(
          stoppingRule: ownRule.stoppingRule, maximumIterations: limit
        ).solve(matrix, right)
        solves.append(
          Solve(
            seed: marks.seed, iteration: marks.iteration, fisher: marks.fisher, layer: layer.name,
            layerOperator: layerOperator, parameters: n, lambda: lambda,
            condition: (spectrum.upperBound + lambda) / (spectrum.lowerBound + lambda),
            steps: options.tolerances.map { firstStep(history, $0 * right.norm) },
            authorSteps: author.iterations, ownSteps: own.iterations,
            authorCosine: reference.map { cosine(author.value, $0) },
            ownCosine: reference.map { cosine(own.value, $0) }))
      }
    }
    return solves
  }

  /// The first step whose residual norm is at most a bound.
  public static func firstStep(_ residualNorms: [Double], _ bound: Double) -> Int? {
    residualNorms.firstIndex { $0 <= bound }
  }

  /// The steps after which Chebyshev's bound guarantees ‖r‖ ≤ τ‖V‖ from zero: 2√κ ρᵏ ≤ τ with
  /// ρ = (√κ − 1)/(√κ + 1).
  ///
  /// The bound on ‖e‖ in the energy norm, and ‖r‖ within √κ of it. Specification, section 6.4.
  public static func chebyshevSteps(condition: Double, tolerance: Double) -> Int {
    let root = max(condition, 1).squareRoot()
    if root - 1 < 1e-12 { return 1 }
    let k = log(2 * root / tolerance) / log((root + 1) / (root - 1))
    return Int(max(1, k.rounded(.up)))
  }

  private static func cosine(_ x: Vector, _ y: Vector) -> Double {
    let norms = x.norm * y.norm
    return norms > 0 ? x.dot(y) / norms : 0
  }

  /// The least and greatest eigenvalue of A ⊗ G.
  private static func range(_ factors: KFACFactors) throws -> ClosedRange<Double> {
    let a = try range(factors.a)
    let g = try range(factors.g)
    return a.lowerBound * g.lowerBound...a.upperBound * g.upperBound
  }

  private static func range(_ matrix: Matrix) throws -> ClosedRange<Double> {
    let values = try SymmetricEigendecomposition.values(of: matrix).elements
    let greatest = max(values.last ?? 0, 0)
    return min(max(values.first ?? 0, 0), greatest)...greatest
  }

  /// 0 and the greatest eigenvalue of an exact block with fewer samples than parameters, by 200 steps
  /// of the power iteration (the Rayleigh quotient is right to the square of the vector's error).
  private static func rangeByPower(_ layer: LayerSamples) -> ClosedRange<Double> {
    precondition(
      layer.exampleCount * layer.columnCount * layer.positions < layer.layout.count,
      "layer \(layer.name) has no zero eigenvalue for certain")
    let matrix = ExactBlockOperator(layer, lambda: 0)
    var vector = Vector(repeating: 1, count: matrix.columnCount)
    var quotient = 0.0
    for _ in 0..<200 {
      vector = (1 / vector.norm) * vector
      let next = matrix.apply(vector)
      quotient = vector.dot(next)
      if next.norm == 0 { return 0...0 }
      vector = next
    }
    return 0...quotient
  }
}
