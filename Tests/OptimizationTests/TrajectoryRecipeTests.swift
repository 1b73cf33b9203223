import Curvature
import DenseAlgebra
import Networks
import Optimization
import Testing
import Verification

/// The runs of the catalogue of mistakes against the optimizers, which are other code.
@Suite("Runs of the catalogue of mistakes")
struct TrajectoryRecipeTests {
  /// The optimizer that a setting means.
  private func optimizer(
    _ setting: TrajectorySetting, _ reference: TraceRule.Reference
  ) throws -> any Optimizer {
    var rule = DescentRule(
      learningRate: .constant(setting.learningRate), weightDecay: setting.weightDecay,
      decayPlacement: setting.preconditionsDecay ? .gradient : .direction)
    if setting.clippingNorm < .infinity {
      rule.clipping = .eachTensor(norm: setting.clippingNorm)
    }
    let averaging =
      setting.decay == 0 ? FactorAverage.fresh : .weightNormalized(decay: setting.decay)
    if setting.usesEigenbasis {
      var options = EKFACPreconditioner.Options()
      options.averaging = averaging
      options.lambda = .constant(setting.lambda)
      options.factorInterval = .constant(setting.factorInterval)
      options.basisInterval = .constant(setting.inverseInterval)
      options.decay = setting.momentDecay
      return PreconditionedDescent(try EKFACPreconditioner(options), rule)
    }
    var options = KroneckerPreconditioner.Options()
    options.averaging = averaging
    options.rule = setting.rule
    options.lambda = .constant(setting.lambda)
    options.factorInterval = .constant(setting.factorInterval)
    options.inverseInterval = .constant(setting.inverseInterval)
    if let thresholds = setting.thresholds {
      options.traceRule = try TraceRule(
        updateAbove: thresholds.update, stopBelow: thresholds.stop, reference: reference)
    }
    return PreconditionedDescent(try KroneckerPreconditioner(options, name: "run"), rule)
  }

  /// Expects the weights before every step within 1e-10, the limit of tier T4 for runs of this length,
  /// and the same decisions.
  private func expectAgreement(
    _ dump: CurvatureDump, _ setting: TrajectorySetting,
    reference: TraceRule.Reference = .lastAccepted
  ) throws {
    var optimizer = try optimizer(setting, reference)
    var network = setting.network
    let codes: [TraceRule.Outcome: Double] = [.update: 1, .keep: 2, .stop: 3]
    var decisions = Matrix(rowCount: setting.stepCount, columnCount: network.parameters.count)
    for step in 0..<setting.stepCount {
      for (layer, block) in network.parameters.enumerated() {
        let weights = try #require(dump["step\(step).layer\(layer + 1).weights"])
        let difference = (weights - block.weights).frobeniusNorm
        #expect(
          difference <= 1e-10 * block.weights.frobeniusNorm,
          "\(setting.name) step \(step) \(block.name): \(difference)")
      }
      network = try optimizer.step(network, setting.batch(step), setting.likelihood)
      for decision in optimizer.takeDecisions() {
        let layer = try #require(
          network.parameters.firstIndex { $0.name == decision.layer }, "\(decision.layer)")
        decisions[step, layer] = try #require(codes[decision.outcome])
      }
    }
    if setting.thresholds != nil { #expect(dump["decisions"] == decisions) }
  }

  static let settings: [TrajectorySetting] = [
    .averaged, .decoupled, .coupled, .clipped, .eigenbasis, .drift, .stopping,
  ]

  @Test(
    "The right run of every home is that of the optimizer with the same options",
    arguments: settings.indices)
  func rightRuns(index: Int) throws {
    let setting = TrajectoryRecipeTests.settings[index]
    try expectAgreement(TrajectoryRecipe().dump(setting), setting)
  }

  @Test("M-62 is the trace rule with the reference last-computed, and M-58 the other placement")
  func twins() throws {
    func dump(_ id: String) throws -> CurvatureDump {
      let mistake = try #require(TrajectoryMistake.all.first { $0.id == id })
      return try mistake.dump(mistake.home)
    }
    try expectAgreement(dump("M-62"), .drift, reference: .lastComputed)
    var coupled = TrajectorySetting.decoupled
    coupled.preconditionsDecay = true
    try expectAgreement(dump("M-58a"), coupled)
    var decoupled = TrajectorySetting.coupled
    decoupled.preconditionsDecay = false
    try expectAgreement(dump("M-58b"), decoupled)
  }
}
