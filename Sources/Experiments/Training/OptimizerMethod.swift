import Curvature
import DenseAlgebra
import Networks
import Optimization

/// The optimizers by name: each is a preset of structure, damping, solver and staleness.
public enum OptimizerMethod: String, CaseIterable, Codable, Sendable {
  case sgd, momentum, nesterov, adam
  case naturalGradient = "natural-gradient"
  case blockNaturalGradient = "block-natural-gradient"
  case blockTridiagonal = "block-tridiagonal"
  case kfac
  case kfac2015 = "kfac-2015"
  case ekfac
  case cgKFAC = "cg-kfac"
  case cgExactBlock = "cg-exact-block"
  case thor
  case thorStop = "thor-stop"
  case thorNT = "thor-nt"
  case thorTrace = "thor-trace"
  case thorFrequency = "thor-frequency"
  case thorSplit = "thor-split"
  case frobeniusRule = "sp-ngd-rule"
  case nnTHOR = "nn.thor"

  /// One sentence for `natgrad list`.
  public var explanation: String {
    switch self {
    case .sgd: "gradient descent"
    case .momentum: "gradient descent with the heavy ball"
    case .nesterov: "gradient descent with Nesterov's momentum"
    case .adam: "Adam (Kingma and Ba 2014)"
    case .naturalGradient:
      "the exact Fisher of the batch, through its Gram matrix where that is smaller"
    case .blockNaturalGradient: "the exact Fisher block of each layer"
    case .blockTridiagonal: "KFAC whose inverse is block-tridiagonal (Martens and Grosse 2015)"
    case .kfac: "KFAC with moving averages and an interval between inverses"
    case .kfac2015: "KFAC with rescaling, momentum and adaptive damping (Martens and Grosse 2015)"
    case .ekfac: "EKFAC with an amortised basis and running second moments"
    case .cgKFAC: "CG-FAC on A ⊗ G + λI, matrix-free (reading 1)"
    case .cgExactBlock: "CG-FAC on the exact layer block + λI, matrix-free (reading 2)"
    case .thor: "THOR: trace rule (0.01, 0), growing interval, split"
    case .thorStop: "THOR_stop: trace rule (0.01, 0.001), growing interval, split"
    case .thorNT: "THOR_NT: no trace rule, growing interval, split"
    case .thorTrace: "THOR_tr: KFAC's interval and the trace rule alone"
    case .thorFrequency: "THOR_fre: the growing interval alone"
    case .thorSplit: "THOR_sp: the split alone"
    case .frobeniusRule:
      "KFAC whose factors age by SP-NGD's Frobenius rule (stated from memory of Osawa et al. 2020)"
    case .nnTHOR:
      "MindSpore's nn.thor as its source was read: training labels, √λ, bias apart, fixed frequency"
    }
  }

  /// Whether the method has a curvature, and so a damping.
  public var isSecondOrder: Bool {
    switch self {
    case .sgd, .momentum, .nesterov, .adam: false
    default: true
    }
  }

  /// The damping rule that the method has by definition or, of several, by default.
  public var rule: DampingRule {
    switch self {
    case .thor, .thorStop, .thorNT, .thorTrace, .thorFrequency, .thorSplit: .factor
    case .nnTHOR: .sqrt
    case .kfac, .kfac2015, .blockTridiagonal, .frobeniusRule: .pi
    case .sgd, .momentum, .nesterov, .adam: .none
    case .naturalGradient, .blockNaturalGradient, .ekfac, .cgKFAC, .cgExactBlock: .exact
    }
  }

  /// The rules that the method can be given.
  public var rules: [DampingRule] {
    switch self {
    case .kfac, .frobeniusRule, .thor, .thorStop, .thorNT, .thorTrace, .thorFrequency, .thorSplit:
      DampingRule.allCases
    case .blockTridiagonal: [.sqrt, .factor, .pi]
    case .nnTHOR: [.sqrt, .factor]
    default: [rule]
    }
  }
}

/// What an optimizer must know of the run it is made for.
public struct RunLength: Equatable, Sendable {
  public let stepsPerEpoch: Int
  public let steps: Int
  public let batch: Int

  public init(stepsPerEpoch: Int, steps: Int, batch: Int) {
    self.stepsPerEpoch = stepsPerEpoch
    self.steps = steps
    self.batch = batch
  }
}

/// The numbers of a method; each method reads those that it has.
public struct OptimizerSettings: Equatable, Sendable {
  public var learningRate = Schedule.constant(0.05)
  public var momentum = 0.9
  public var weightDecay = 0.0
  public var decayPlacement = DescentRule.DecayPlacement.gradient
  public var clipping = DescentRule.Clipping.none
  public var damping = Schedule.constant(0.1)
  /// nil: the method's own.
  public var rule: DampingRule?
  public var fisher = FisherKind.exact
  public var factorInterval = IntervalSchedule.constant(20)
  public var inverseInterval = IntervalSchedule.constant(20)
  /// THOR's growing interval; T_FIM = T_INV.
  public var growingInterval = IntervalSchedule.growing(initial: 20, rate: 2, most: 320)
  public var split = 10
  /// ω₁ and ω₂; nil: the method's own.
  public var updateAbove: Double?
  public var stopBelow: Double?
  public var traceReading = TraceRule.Reading.product
  public var traceReference = TraceRule.Reference.lastAccepted
  /// The steps between two refreshes of `nn.thor`.
  public var frequency = 100
  public var iterationLimit = 10
  public var tolerance = 1e-2
  public var isWarm = false

  /// The defaults of a method: first-order ones have no damping, Adam has a rate of its own.
  public init(_ method: OptimizerMethod) {
    switch method {
    case .sgd:
      momentum = 0
      learningRate = .constant(0.1)
    case .adam:
      momentum = 0
      learningRate = .constant(1e-3)
    case .kfac2015:
      momentum = 0
      damping = .constant(150)
    case .ekfac: learningRate = .constant(0.01)
    case .nnTHOR:
      learningRate = .constant(0.01)
      damping = .constant(0.1)
      fisher = .empirical
    case .thor, .thorStop, .thorNT, .thorTrace, .thorFrequency, .thorSplit:
      // λ on each factor amplifies by up to λ⁻²: with stale inverses a larger rate diverges.
      learningRate = .constant(0.01)
      damping = .constant(0.3)
    default: break
    }
  }

  /// The optimizer of a method with these numbers; throws one sentence where they cannot be used.
  public func optimizer(_ method: OptimizerMethod, _ run: RunLength) throws(OptimizationError)
    -> any Optimizer
  {
    let stepsPerEpoch = run.stepsPerEpoch
    let used = rule ?? method.rule
    guard method.rules.contains(used) else {
      throw OptimizationError(
        "the optimizer \(method.rawValue) has no damping rule \(used.rawValue); it knows "
          + method.rules.map(\.rawValue).joined(separator: ", ") + ": choose one of these.")
    }
    try damping.check("the damping")
    var descent = DescentRule(
      learningRate: learningRate, stepsPerEpoch: stepsPerEpoch, momentum: momentum,
      usesNesterov: method == .nesterov, weightDecay: weightDecay, decayPlacement: decayPlacement,
      clipping: clipping)
    if method == .sgd || method == .adam { descent.momentum = 0 }
    try descent.check()
    func natural(_ structure: StructureKind) -> any Optimizer {
      PreconditionedDescent(
        NaturalGradientPreconditioner(
          structure: structure, rule: used, lambda: damping, fisher: fisher),
        descent, name: method.rawValue)
    }
    func matrixFree(_ layerOperator: MatrixFreeSolver.Operator) throws(OptimizationError)
      -> any Optimizer
    {
      guard iterationLimit >= 1, tolerance > 0, tolerance < 1 else {
        throw OptimizationError(
          "conjugate gradients may take \(iterationLimit) steps to the tolerance \(tolerance); at least "
            + "one step and a tolerance between 0 and 1 were expected: try 10 and 0.01.")
      }
      return PreconditionedDescent(
        ConjugateGradientPreconditioner(
          MatrixFreeSolver(
            layerOperator,
            iteration: ConjugateGradient(
              stoppingRule: .rightHandSide(tolerance: tolerance),
              maximumIterations: iterationLimit)),
          lambda: damping, fisher: fisher, isWarm: isWarm), descent, name: method.rawValue)
    }
    switch method {
    case .sgd, .momentum, .nesterov:
      return PreconditionedDescent(IdentityPreconditioner(), descent, name: method.rawValue)
    case .adam: return PreconditionedDescent(AdamPreconditioner(), descent, name: method.rawValue)
    case .naturalGradient: return natural(.exact)
    case .blockNaturalGradient: return natural(.blockDiagonal)
    case .blockTridiagonal: return natural(.blockTridiagonal)
    case .cgKFAC: return try matrixFree(.kfac)
    case .cgExactBlock: return try matrixFree(.exactBlock)
    case .kfac2015:
      var options = AdaptiveKFAC.Options()
      options.lambda = damping.value(atEpoch: 0)
      options.weightDecay = weightDecay
      return try AdaptiveKFAC(options)
    case .ekfac:
      var options = EKFACPreconditioner.Options()
      options.lambda = damping
      options.fisher = fisher
      options.factorInterval = factorInterval
      options.basisInterval = inverseInterval
      return PreconditionedDescent(
        try EKFACPreconditioner(options), descent, name: method.rawValue)
    case .frobeniusRule:
      return PreconditionedDescent(
        FrobeniusPreconditioner(
          try FrobeniusIntervalRule(), damping: used, lambda: damping, fisher: fisher), descent,
        name: method.rawValue)
    case .nnTHOR:
      return try MindSporeTHOR(mindSpore(used, run))
    case .kfac, .thor, .thorStop, .thorNT, .thorTrace, .thorFrequency, .thorSplit:
      return PreconditionedDescent(
        try KroneckerPreconditioner(kronecker(method, used), name: method.rawValue), descent)
    }
  }

  /// `nn.thor` takes its rate and damping step by step, at e = (k + 1)/(steps of an epoch) (7.7).
  private func mindSpore(_ rule: DampingRule, _ run: RunLength) -> MindSporeOptions {
    func steps(_ schedule: Schedule) -> [Double] {
      if case .constant(let value) = schedule { return [value] }
      return (0..<run.steps).map {
        schedule.value(atEpoch: Double($0 + 1) / Double(run.stepsPerEpoch))
      }
    }
    var options = MindSporeOptions(
      learningRate: steps(learningRate), damping: steps(damping), momentum: momentum)
    options.weightDecay = weightDecay
    options.batchSize = run.batch
    options.frequency = frequency
    options.fisher = fisher
    options.clipsGradient = clipping == .eachTensor(norm: 1)
    if rule == .factor { options.source = .page }
    return options
  }

  /// KFAC, THOR and its ablations differ in averages, intervals, trace rule and split alone.
  private func kronecker(_ method: OptimizerMethod, _ rule: DampingRule)
    throws(OptimizationError) -> KroneckerPreconditioner.Options
  {
    var options = KroneckerPreconditioner.Options()
    options.fisher = fisher
    options.rule = rule
    options.lambda = damping
    options.factorInterval = factorInterval
    options.inverseInterval = inverseInterval
    let thresholds: TraceRule? =
      switch method {
      case .thor, .thorTrace: .thor
      case .thorStop: .thorStop
      default: nil
      }
    if let thresholds {
      options.traceRule = try TraceRule(
        updateAbove: updateAbove ?? thresholds.updateAbove,
        stopBelow: stopBelow ?? thresholds.stopBelow, reading: traceReading,
        reference: traceReference)
    }
    switch method {
    case .kfac: options.averaging = .martensGrosse(most: 0.95)
    case .thor, .thorStop, .thorNT:
      options.factorInterval = growingInterval
      options.inverseInterval = growingInterval
      options.split = split
    case .thorFrequency:
      options.factorInterval = growingInterval
      options.inverseInterval = growingInterval
    case .thorSplit: options.split = split
    default: break
    }
    return options
  }
}
