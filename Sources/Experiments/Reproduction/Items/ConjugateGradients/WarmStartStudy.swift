import Curvature
import DenseAlgebra
import Networks
import Optimization

/// Conjugate gradients from zero and from the previous step's solution, along one training run.
///
/// All λ, operators and policies see the same states: the run itself is KFAC's. Three kinds of run, from
/// the usual one to the one that is kindest to a warm start. Reference: the specification, section 6.3.
public struct WarmStartStudy: Sendable {
  /// A kind of run.
  public enum Course: String, CaseIterable, Sendable {
    /// A fresh batch at every step, at the learning rate of the paper's Eq. 13, 0.1.
    case fresh = "fresh batches, rate 0.1"
    /// A fresh batch at every step, at its rate after 30 epochs, 0.01.
    case slow = "fresh batches, rate 0.01"
    /// One batch over and over, so that gradients differ by the small steps alone.
    case oneBatch = "one batch, rate 0.01"

    /// Whether every step has a batch of its own.
    public var isFresh: Bool { self != .oneBatch }
    var learningRate: Double { self == .fresh ? 0.1 : 0.01 }
  }

  /// Where a solve starts and when it stops.
  public enum Policy: String, CaseIterable, Sendable {
    case cold
    case warm
    case coldAuthor = "cold, author's rule"
    case warmAuthor = "warm, author's rule"

    var isWarm: Bool { self == .warm || self == .warmAuthor }
    var isAuthors: Bool { self == .coldAuthor || self == .warmAuthor }
  }

  public struct Options: Sendable {
    public var training: ComparisonOptions
    /// The steps of training.
    public var steps = 40
    public var lambdas = [1e-1, 1e-2, 1e-3]
    /// The most steps of one solve under the default rule.
    public var limit = 100
    public var fisher = FisherKind.exact

    /// The compared layers of the paper's Figure 4, batch 128, tanh.
    public init() {
      training = ComparisonOptions()
      training.activation = .tanh
      training.batch = 128
    }
  }

  /// One step of one policy, over the compared layers.
  public struct Row: Sendable {
    public let seed: UInt64
    public let course: Course
    public let layerOperator: MatrixFreeSolver.Operator
    public let lambda: Double
    public let step: Int
    public let policy: Policy
    /// The steps of each layer's solve.
    public let iterations: [Int]
    /// ‖r₀‖/‖V‖ of each layer: 1 from zero; above 1 the guess is worse than none.
    public let startResiduals: [Double]
  }

  public let options: Options
  public let rows: [Row]
  /// ‖V_k − V_{k−1}‖/‖V_k‖ of the compared layers together, at every step but the first.
  public let gradientChanges: [(course: Course, change: Double)]

  public init(
    _ options: Options, data: Dataset, seeds: [UInt64],
    progress: @Sendable (String, Int, Int) -> Void
  ) throws {
    self.options = options
    let courses = Course.allCases
    let parts = try Parallel.map(courses.count * seeds.count, "warm starts", progress) { index in
      try WarmStartStudy.run(
        options, data, seed: seeds[index / courses.count], courses[index % courses.count])
    }
    rows = parts.flatMap(\.rows)
    gradientChanges = parts.flatMap { part in part.changes.map { (part.course, $0) } }
  }

  private struct Key: Hashable {
    let layerOperator: MatrixFreeSolver.Operator
    let lambda: Double
    let policy: Policy
  }

  private static func run(_ options: Options, _ data: Dataset, seed: UInt64, _ course: Course)
    throws
    -> (course: Course, rows: [Row], changes: [Double])
  {
    var training = options.training
    training.learningRate = course.learningRate
    var network = try Network.multilayerPerceptron(
      widths: training.widths, activation: training.activation,
      initialization: training.initialization, seed: seed)
    var batches = BatchSequence(count: data.count, batch: training.batch, seed: seed ^ 0xBA7C_4E5)
    var optimizer = training.optimizer
    var indices = batches.next()
    var last: [Key: [Vector]] = [:]
    var lastGradient: [Matrix]?
    var rows: [Row] = []
    var changes: [Double] = []
    for step in 0..<options.steps {
      if course.isFresh && step > 0 { indices = batches.next() }
      let batch = data.subset(indices)
      let samples = GradientSamples(
        network, batch, likelihood: .categorical, kind: options.fisher, blocks: training.blocks)
      let layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
      let whole = LossGradient(network, batch, .categorical).gradient
      let gradient = training.blocks.map { whole.blocks[$0] }
      if let lastGradient {
        let difference = ParameterVector(blocks: zip(gradient, lastGradient).map { $0 - $1 })
        changes.append(difference.norm / ParameterVector(blocks: gradient).norm)
      }
      lastGradient = gradient
      let factors = layers.map { KFACFactors($0) }
      let exact = layers.map { ExactBlockOperator($0, lambda: 0).dense() }
      for layerOperator in MatrixFreeSolver.Operator.allCases {
        for lambda in options.lambdas {
          for policy in Policy.allCases {
            let key = Key(layerOperator: layerOperator, lambda: lambda, policy: policy)
            let rule =
              policy.isAuthors
              ? ConjugateGradientStudy.authorRule
              : ConjugateGradient(
                stoppingRule: .rightHandSide(tolerance: 1e-2), maximumIterations: options.limit)
            let solutions = layers.indices.map { index in
              let matrix: any LinearOperator =
                layerOperator == .exactBlock
                ? exact[index].addingToDiagonal(lambda)
                : FormedKroneckerOperator(a: factors[index].a, g: factors[index].g, lambda: lambda)
              return rule.solve(
                matrix, Vector(gradient[index].storage),
                start: policy.isWarm ? last[key]?[index] : nil)
            }
            if policy.isWarm { last[key] = solutions.map(\.value) }
            rows.append(
              Row(
                seed: seed, course: course, layerOperator: layerOperator, lambda: lambda,
                step: step, policy: policy, iterations: solutions.map(\.iterations),
                startResiduals: zip(solutions, gradient).map {
                  $1.frobeniusNorm > 0 ? $0.residualNorms[0] / $1.frobeniusNorm : 0
                }))
          }
        }
      }
      network = try optimizer.step(network, batch, .categorical)
    }
    return (course, rows, changes)
  }

  /// The numbers of steps of all layers' solves that have these marks, the first training step (where
  /// there is nothing to start from) left out.
  public func iterations(
    _ course: Course, _ layerOperator: MatrixFreeSolver.Operator, lambda: Double, _ policy: Policy
  ) -> [Int] {
    chosen(course, layerOperator, lambda, policy).flatMap(\.iterations)
  }

  /// The relative first residuals of the same solves.
  public func startResiduals(
    _ course: Course, _ layerOperator: MatrixFreeSolver.Operator, lambda: Double, _ policy: Policy
  ) -> [Double] {
    chosen(course, layerOperator, lambda, policy).flatMap(\.startResiduals)
  }

  private func chosen(
    _ course: Course, _ layerOperator: MatrixFreeSolver.Operator, _ lambda: Double, _ policy: Policy
  ) -> [Row] {
    rows.filter {
      $0.course == course && $0.layerOperator == layerOperator && $0.lambda == lambda
        && $0.policy == policy && $0.step > 0
    }
  }
}
