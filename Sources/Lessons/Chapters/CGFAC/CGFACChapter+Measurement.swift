import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Foundation
import Networks

/// What chapter 08 measures: solves by conjugate gradients on the layers of a network in training.
struct CGFACMeasurement {
  typealias Operator = MatrixFreeSolver.Operator

  static let seeds: [UInt64] = [1, 2, 3, 4, 5]
  static let iteration = 10
  static let lambdas = [1, 1e-1, 1e-2, 1e-3, 1e-4]
  static let tolerance = 1e-2
  static let historyLength = 60
  static let limit = 420
  /// The end of the range that the note names.
  static let claimedSteps = 20
  /// The λ and layer whose solves are followed step by step.
  static let followedLambda = 1e-3
  static let followedLayer = 1

  /// One layer with one kind of Fisher matrix: what is solved with.
  struct Problem {
    let samples: LayerSamples
    let factors: KFACFactors
    let exact: Matrix
    let gradient: Matrix

    init(_ state: TrainingRun.State, _ batch: Dataset, _ kind: FisherKind, block: Int) throws {
      let samples = GradientSamples(
        state.network, batch, likelihood: .categorical, kind: kind, blocks: [block])
      self.samples = LayerSamples(samples, block: 0)
      factors = KFACFactors(self.samples)
      exact = try ExactFisher.blocks(of: samples)[0].dense(within: .standard)
      gradient = LossGradient(state.network, batch, .categorical).gradient.blocks[block]
    }

    var right: Vector { Vector(gradient.storage) }

    func matrix(_ layerOperator: Operator, _ lambda: Double) -> any LinearOperator {
      switch layerOperator {
      case .kfac: FormedKroneckerOperator(a: factors.a, g: factors.g, lambda: lambda)
      case .exactBlock: exact.addingToDiagonal(lambda)
      }
    }

    /// The exact solution by a factorisation.
    func solution(_ layerOperator: Operator, _ lambda: Double) throws -> Vector {
      switch layerOperator {
      case .kfac:
        let block = try KroneckerBlock.kfac(samples).damped(.exact, lambda)
        return block.solve(ParameterVector(blocks: [gradient])).flattened
      case .exactBlock:
        return try CholeskyFactorization(exact.addingToDiagonal(lambda)).solve(right)
      }
    }
  }

  let problems: [[Problem]]
  let empirical: [[Problem]]
  let solves: [Solve]
  let warm: WarmStartStudy

  init(_ context: ChapterContext) throws {
    let data = context.fashionMNIST.dataset
    let options = WarmStartStudy.Options().training
    let pairs = try Parallel.map(CGFACMeasurement.seeds.count, "training", context.progress) {
      index -> ([Problem], [Problem]) in
      let run = try TrainingRun(
        seed: CGFACMeasurement.seeds[index], data: data, likelihood: .categorical,
        options: options, iterations: [CGFACMeasurement.iteration])
      let batch = data.subset(run.states[0].batch)
      func problems(_ kind: FisherKind) throws -> [Problem] {
        try options.blocks.map { try Problem(run.states[0], batch, kind, block: $0) }
      }
      return (try problems(.exact), try problems(.empirical))
    }
    problems = pairs.map(\.0)
    empirical = pairs.map(\.1)
    let jobs = pairs.flatMap { exact, empirical in
      exact.map { ("exact", $0) } + empirical.map { ("empirical", $0) }
    }
    solves = try Parallel.map(jobs.count, "conjugate gradients", context.progress) {
      try Solve.all(jobs[$0].1, fisher: jobs[$0].0)
    }.flatMap { $0 }
    var warmOptions = WarmStartStudy.Options()
    warmOptions.steps = 12
    warm = try WarmStartStudy(warmOptions, data: data, seeds: [1, 2], progress: context.progress)
  }

  var followed: Problem { problems[0][CGFACMeasurement.followedLayer] }
}

extension CGFACMeasurement {
  /// One solve from zero.
  struct Solve {
    let fisher: String
    let layerOperator: Operator
    let lambda: Double
    /// Steps to ‖r‖ ≤ 0.01‖V‖; the limit where it was not reached.
    let steps: Int
    /// Steps and cosine under the rule of the author's code.
    let authorSteps: Int
    let authorCosine: Double

    static func all(_ problem: Problem, fisher: String) throws -> [Solve] {
      try Operator.allCases.flatMap { layerOperator in
        try lambdas.map { lambda in
          let matrix = problem.matrix(layerOperator, lambda)
          let own = ConjugateGradient(
            stoppingRule: .rightHandSide(tolerance: tolerance), maximumIterations: limit
          ).solve(matrix, problem.right)
          let author = ConjugateGradientStudy.authorRule.solve(matrix, problem.right)
          let exact = try problem.solution(layerOperator, lambda)
          return Solve(
            fisher: fisher, layerOperator: layerOperator, lambda: lambda, steps: own.iterations,
            authorSteps: author.iterations,
            authorCosine: author.value.dot(exact) / (author.value.norm * exact.norm))
        }
      }
    }
  }

  /// M = Yᵀ V X of one layer with one back-propagated vector for each example.
  static func pairMatrix(_ samples: LayerSamples, _ gradient: Matrix) -> Matrix {
    samples.gradients[0].transposedTimes(gradient * samples.inputs)
  }

  /// The names of the runs in tables, without commas.
  static func name(of course: WarmStartStudy.Course) -> String {
    switch course {
    case .fresh: "fresh batches at rate 0.1"
    case .slow: "fresh batches at rate 0.01"
    case .oneBatch: "one batch at rate 0.01"
    }
  }
}
