import ArgumentParser
import Curvature
import Experiments
import Networks
import Optimization

/// The numbers of the optimizers; what is not given keeps each method's default.
struct OptimizerArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The learning rate: a number, or a schedule such as polynomial:target=0.045,end=70,power=6.",
      valueName: "schedule"))
  var learningRate: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "λ: a number, or a schedule such as exponential:initial=0.03,rate=0.87.",
      valueName: "schedule"))
  var damping: String?
  @Option(
    help: "The rate and damping of a place in the THOR paper: cifar-10, imagenet-256 and so on.")
  var preset: String?
  @Option(help: "The damping rule, for methods that have a choice.")
  var rule: String?
  @Option(parsing: .unconditional, help: "μ of the heavy ball or of Nesterov.")
  var momentum: Double?
  @Option(parsing: .unconditional, help: "η of the weight decay.")
  var weightDecay: Double?
  @Option(help: "Where the decay is added: gradient (preconditioned too) or direction.")
  var decayPlacement: String?
  @Option(help: "Clip each tensor, or the whole direction: tensor:1.0 or whole:1.0.")
  var clip: String?
  @Option(help: "exact, empirical or monte-carlo:M.")
  var fisher: String?
  @Option(
    help: ArgumentHelp("T_FIM of KFAC, EKFAC and the ablations, in steps.", valueName: "interval"))
  var factorInterval: String?
  @Option(
    help: ArgumentHelp(
      "T_INV of KFAC, EKFAC's basis and the ablations, in steps.", valueName: "interval"))
  var inverseInterval: String?
  @Option(
    help: ArgumentHelp(
      "THOR's interval: a number, growing:initial=20,rate=2,most=320, or list:0=10,500=50.",
      valueName: "interval"))
  var growingInterval: String?
  @Option(parsing: .unconditional, help: "The block size of THOR's split.")
  var split: Int?
  @Option(parsing: .unconditional, help: "ω₁: a larger Δ updates a layer.")
  var omega1: Double?
  @Option(parsing: .unconditional, help: "ω₂: a smaller Δ stops it.")
  var omega2: Double?
  @Option(help: "Eq. 8's trace: a (literal), b, c, d or e.")
  var traceReading: String?
  @Option(help: "What Eq. 8 compares with: last-accepted or last-computed.")
  var traceReference: String?
  @Option(parsing: .unconditional, help: "The steps between two refreshes of nn.thor, at least 2.")
  var frequency: Int?
  @Option(parsing: .unconditional, help: "The most steps of conjugate gradients.")
  var cgIterations: Int?
  @Option(parsing: .unconditional, help: "Their residual, relative to the gradient.")
  var cgTolerance: Double?
  @Flag(help: "Conjugate gradients begin at the last step's solution.")
  var warm = false

  /// The settings of a method with what was given.
  func settings(_ method: OptimizerMethod) throws -> OptimizerSettings {
    var settings = OptimizerSettings(method)
    if let preset {
      let chosen = try UserInput.choice(preset, option: "--preset", as: Schedule.Preset.self)
      settings.learningRate = chosen.learningRate
      if method.isSecondOrder { settings.damping = chosen.damping }
    }
    if let learningRate {
      settings.learningRate = try ScheduleInput.schedule(learningRate, option: "--learning-rate")
    }
    if let damping {
      settings.damping = try ScheduleInput.schedule(damping, option: "--damping")
    }
    // A list of methods takes a rule where it has one to choose.
    if let rule {
      let chosen = try UserInput.choice(rule, option: "--rule", as: DampingRule.self)
      if method.rules.count > 1 { settings.rule = chosen }
    }
    if let momentum { settings.momentum = momentum }
    if let weightDecay { settings.weightDecay = weightDecay }
    if let decayPlacement {
      settings.decayPlacement = try UserInput.choice(
        decayPlacement, option: "--decay-placement", as: DescentRule.DecayPlacement.self)
    }
    if let clip { settings.clipping = try clipping(clip) }
    if let fisher { settings.fisher = try UserInput.fisher(fisher, seed: 1) }
    if let factorInterval {
      settings.factorInterval = try ScheduleInput.interval(
        factorInterval, option: "--factor-interval")
    }
    if let inverseInterval {
      settings.inverseInterval = try ScheduleInput.interval(
        inverseInterval, option: "--inverse-interval")
    }
    if let growingInterval {
      settings.growingInterval = try ScheduleInput.interval(
        growingInterval, option: "--growing-interval")
    }
    if let split { settings.split = split }
    settings.updateAbove = omega1
    settings.stopBelow = omega2
    if let traceReading {
      settings.traceReading = try UserInput.choice(
        traceReading, option: "--trace-reading", as: TraceRule.Reading.self)
    }
    if let traceReference {
      settings.traceReference = try UserInput.choice(
        traceReference, option: "--trace-reference", as: TraceRule.Reference.self)
    }
    if let frequency { settings.frequency = frequency }
    if let cgIterations { settings.iterationLimit = cgIterations }
    if let cgTolerance { settings.tolerance = cgTolerance }
    settings.isWarm = warm
    return settings
  }

  private func clipping(_ text: String) throws -> DescentRule.Clipping {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, let norm = Double(parts[1]), norm > 0, norm.isFinite else {
      throw UserInputError(
        description:
          "--clip \(text): a kind and a positive norm were expected; write tensor:1.0 or "
          + "whole:1.0.")
    }
    return try UserInput.choice(
      parts[0], option: "--clip",
      among: [("tensor", .eachTensor(norm: norm)), ("whole", .whole(norm: norm))])
  }

  /// What was given, by name, for the manifest and for resuming.
  var record: [String: String] {
    let texts: [(String, String?)] = [
      ("learning-rate", learningRate), ("damping", damping), ("preset", preset), ("rule", rule),
      ("momentum", momentum.map { "\($0)" }), ("weight-decay", weightDecay.map { "\($0)" }),
      ("decay-placement", decayPlacement), ("clip", clip), ("fisher", fisher),
      ("factor-interval", factorInterval), ("inverse-interval", inverseInterval),
      ("growing-interval", growingInterval), ("split", split.map { "\($0)" }),
      ("omega1", omega1.map { "\($0)" }), ("omega2", omega2.map { "\($0)" }),
      ("trace-reading", traceReading), ("trace-reference", traceReference),
      ("frequency", frequency.map { "\($0)" }), ("cg-iterations", cgIterations.map { "\($0)" }),
      ("cg-tolerance", cgTolerance.map { "\($0)" }),
      ("warm", warm ? "true" : nil),
    ]
    return Dictionary(
      uniqueKeysWithValues: texts.compactMap { name, text in text.map { (name, $0) } })
  }
}
