import Curvature
import DenseAlgebra
import Networks
import Optimization

/// `training` of a case of tier T4, in the words of `Fixtures/README.md`.
struct TrainingWords: Decodable {
  enum Preconditioner: String, Decodable {
    case kronecker, ekfac
    case conjugateGradients = "conjugate-gradients"
  }
  enum Fisher: String, Decodable { case exact, empirical }
  enum Decay: String, Decodable { case gradient, direction }
  enum Operator: String, Decodable {
    case kronecker
    case exactBlock = "exact-block"
  }
  enum Start: String, Decodable { case warm, cold }
  enum Restart: String, Decodable { case batch, kfac }

  struct ScheduleWords: Decodable {
    enum Kind: String, Decodable { case constant, polynomial, exponential }
    let schedule: Kind
    let value, target, end, power, initial, rate: Double?
  }

  struct AveragingWords: Decodable {
    enum Kind: String, Decodable {
      case fresh
      case martensGrosse = "martens-grosse"
      case weightNormalized = "weight-normalized"
      case identityStart = "identity-start"
    }
    var kind: Kind
    var decay: Double?
  }

  struct MissingWord: Error { let word: String }

  let preconditioner: Preconditioner
  var fisher: Fisher
  let learningRate, damping: ScheduleWords
  let stepsPerEpoch: Int
  let momentum, weightDecay: Double
  let nesterov: Bool
  var decayOn: Decay
  let keptSteps: [Int]
  var averaging: AveragingWords?
  var rule: DampingRule?
  var factorInterval, inverseInterval, basisInterval: Int?
  var thresholds: [Double]?
  var reading: TraceRule.Reading?
  var reference: TraceRule.Reference?
  var split: Int?
  var momentDecay: Double?
  var restart: Restart?
  var `operator`: Operator?
  var iterations: Int?
  var start: Start?
}

extension TrainingWords {
  /// The optimizer that the words ask for, at its start.
  func optimizer() throws -> any Optimizer {
    let descent = DescentRule(
      learningRate: try learningRate.asSchedule(), stepsPerEpoch: stepsPerEpoch, momentum: momentum,
      usesNesterov: nesterov, weightDecay: weightDecay,
      decayPlacement: decayOn == .gradient ? .gradient : .direction)
    switch preconditioner {
    case .kronecker:
      return PreconditionedDescent(
        try KroneckerPreconditioner(kroneckerOptions(), name: "t4"), descent)
    case .ekfac: return PreconditionedDescent(try EKFACPreconditioner(ekfacOptions()), descent)
    case .conjugateGradients:
      // A tolerance of 0 never stops, so that every system takes the stated number of steps.
      let iteration = ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 0),
        maximumIterations: try given(iterations, "iterations"))
      let solver = MatrixFreeSolver(
        try given(`operator`, "operator") == .kronecker ? .kfac : .exactBlock,
        iteration: iteration)
      return PreconditionedDescent(
        ConjugateGradientPreconditioner(
          solver, lambda: try damping.asSchedule(), fisher: fisherKind,
          isWarm: try given(start, "start") == .warm), descent)
    }
  }

  private var fisherKind: FisherKind { fisher == .exact ? .exact : .empirical }

  private func kroneckerOptions() throws -> KroneckerPreconditioner.Options {
    var options = KroneckerPreconditioner.Options()
    options.fisher = fisherKind
    options.averaging = try given(averaging, "averaging").asAverage()
    options.rule = try given(rule, "rule")
    options.lambda = try damping.asSchedule()
    options.split = split
    options.factorInterval = .constant(try given(factorInterval, "factorInterval"))
    options.inverseInterval = .constant(try given(inverseInterval, "inverseInterval"))
    if let thresholds {
      options.traceRule = try TraceRule(
        updateAbove: thresholds[0], stopBelow: thresholds[1],
        reading: given(reading, "reading"), reference: given(reference, "reference"))
    }
    return options
  }

  private func ekfacOptions() throws -> EKFACPreconditioner.Options {
    var options = EKFACPreconditioner.Options()
    options.fisher = fisherKind
    options.averaging = try given(averaging, "averaging").asAverage()
    options.lambda = try damping.asSchedule()
    options.factorInterval = .constant(try given(factorInterval, "factorInterval"))
    options.basisInterval = .constant(try given(basisInterval, "basisInterval"))
    options.decay = try given(momentDecay, "momentDecay")
    options.restart = try given(restart, "restart") == .batch ? .batch : .kfac
    return options
  }
}

extension TrainingWords.ScheduleWords {
  func asSchedule() throws -> Schedule {
    switch schedule {
    case .constant: .constant(try given(value, "value"))
    case .polynomial:
      .polynomial(
        target: try given(target, "target"), end: try given(end, "end"),
        power: try given(power, "power"))
    case .exponential:
      .exponential(initial: try given(initial, "initial"), rate: try given(rate, "rate"))
    }
  }
}

extension TrainingWords.AveragingWords {
  func asAverage() throws -> FactorAverage {
    switch kind {
    case .fresh: .fresh
    case .martensGrosse: .martensGrosse(most: try given(decay, "decay"))
    case .weightNormalized: .weightNormalized(decay: try given(decay, "decay"))
    case .identityStart: .identityStart(decay: try given(decay, "decay"))
    }
  }
}

private func given<Value>(_ value: Value?, _ word: String) throws -> Value {
  guard let value else { throw TrainingWords.MissingWord(word: word) }
  return value
}
