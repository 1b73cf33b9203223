import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport

/// Every optimizer, with all the memory it can have: what resuming and diverging are tried on.
enum OptimizerCatalogue {
  static let names = [
    "sgd", "momentum", "nesterov", "adam", "natural-gradient", "monte-carlo", "block-tridiagonal",
    "kfac", "kfac-normalized", "kfac-identity", "thor", "thor-stop", "thor-block", "redamped",
    "ekfac", "ekfac-gradient", "cg-cold", "cg-warm", "frobenius", "kfac-2015", "kfac-2015-gamma",
  ]

  /// An optimizer by its name here.
  static func make(_ name: String, rate: Double = 0.05) throws -> any Optimizer {
    var rule = DescentRule(learningRate: .constant(rate), stepsPerEpoch: 2, momentum: 0.5)
    func descent(_ preconditioner: some Preconditioner) -> any Optimizer {
      PreconditionedDescent(preconditioner, rule)
    }
    func kronecker(_ change: (inout KroneckerPreconditioner.Options) throws -> Void) throws
      -> any Optimizer
    {
      var options = KroneckerPreconditioner.Options()
      options.rule = .pi
      options.lambda = .exponential(initial: 0.3, rate: 0.01)
      options.factorInterval = .constant(2)
      options.inverseInterval = .constant(4)
      try change(&options)
      return descent(try KroneckerPreconditioner(options, name: name))
    }
    func adaptive(_ gammaInterval: Int) throws -> any Optimizer {
      var options = AdaptiveKFAC.Options()
      options.lambda = 1
      options.weightDecay = 0.01
      options.lambdaInterval = 2
      options.gammaInterval = gammaInterval
      options.inverseInterval = 4
      return try AdaptiveKFAC(options)
    }
    switch name {
    case "sgd": return GradientDescent(learningRate: rate)
    case "momentum": return GradientDescent(rule)
    case "nesterov":
      rule.usesNesterov = true
      rule.weightDecay = 0.1
      rule.clipping = .eachTensor(norm: 1e300)
      return GradientDescent(rule)
    case "adam": return descent(AdamPreconditioner())
    case "natural-gradient":
      return NaturalGradientDescent(
        learningRate: rate, structure: .exact, rule: .exact, lambda: 0.1)
    case "monte-carlo":
      return NaturalGradientDescent(
        learningRate: rate, structure: .kfac, rule: .pi, lambda: 0.1,
        fisher: .monteCarlo(samples: 1, seed: 3))
    case "block-tridiagonal":
      return NaturalGradientDescent(
        learningRate: rate, structure: .blockTridiagonal, rule: .pi, lambda: 0.1)
    case "kfac": return try kronecker { $0.averaging = .martensGrosse(most: 0.95) }
    case "kfac-normalized": return try kronecker { $0.averaging = .weightNormalized(decay: 0.9) }
    case "kfac-identity": return try kronecker { $0.averaging = .identityStart(decay: 0.9) }
    case "thor":
      return try kronecker {
        $0.rule = .factor
        $0.split = 2
        $0.traceRule = .thor
        let growing = IntervalSchedule.growing(initial: 1, rate: 2, most: 3)
        ($0.factorInterval, $0.inverseInterval) = (growing, growing)
      }
    case "thor-stop":
      return try kronecker {
        $0.factorInterval = .constant(1)
        $0.inverseInterval = .constant(1)
        $0.traceRule = try TraceRule(updateAbove: 0.05, stopBelow: 0.01)
      }
    case "thor-block":
      return try kronecker {
        $0.factorInterval = .constant(1)
        $0.inverseInterval = .constant(2)
        $0.traceRule = try TraceRule(
          updateAbove: 0.02, stopBelow: 0, reading: .exactBlock, reference: .lastComputed)
      }
    case "redamped": return try kronecker { $0.redamps = true }
    case "ekfac", "ekfac-gradient":
      var options = EKFACPreconditioner.Options()
      options.factorInterval = .constant(2)
      options.basisInterval = .constant(4)
      if name == "ekfac-gradient" { (options.moments, options.restart) = (.batchGradient, .kfac) }
      return descent(try EKFACPreconditioner(options))
    case "cg-cold", "cg-warm":
      return descent(
        ConjugateGradientPreconditioner(
          MatrixFreeSolver(.kfac), lambda: .constant(0.1), isWarm: name == "cg-warm"))
    case "frobenius":
      return descent(
        FrobeniusPreconditioner(try FrobeniusIntervalRule(threshold: 0.3), lambda: .constant(0.1)))
    case "kfac-2015": return try adaptive(0)
    case "kfac-2015-gamma": return try adaptive(3)
    default: preconditionFailure("no optimizer has the name \(name)")
    }
  }

  /// 24 examples that a tanh network with 3 inputs, 4 units and 3 classes labelled itself.
  static func loop(
    _ optimizer: any Optimizer, widths: [Int] = [3, 4, 3], seed: UInt64 = 5, start: UInt64 = 1
  ) throws -> TrainingLoop {
    var generator = Generator(seed: 17)
    let inputs = generator.normal(widths[0], 24)
    let teacher = try Network.multilayerPerceptron(
      widths: widths, activation: .tanh, initialization: .normal(standardDeviation: 1), seed: 9)
    let targets = Likelihood.categorical.sampledTargets(
      teacher.forward(inputs).output, using: &generator.random)
    return TrainingLoop(
      network: teacher.initialized(.normal(standardDeviation: 0.7), seed: start),
      optimizer: optimizer, data: Dataset(name: "classes", inputs: inputs, targets: targets),
      likelihood: .categorical, batch: 10, seed: seed)
  }
}
