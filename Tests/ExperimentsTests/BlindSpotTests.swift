import Curvature
import DenseAlgebra
import Experiments
import Networks
import Optimization
import RealModule
import Testing

@Suite("Blind spots of the trace rule, of Eq. 11 and of the split")
struct BlindSpotTests {
  @Test func aRotationIsInvisibleToTheTraceAndNotToTheStep() throws {
    let none = try ConstructedBlindSpots.rotation(degrees: 0, lambda: 1e-3, draws: 5, seed: 2)
    #expect(none.matrixChange == 0)
    #expect(abs(none.efficiency - 1) < 1e-12)
    let quarter = try ConstructedBlindSpots.rotation(degrees: 90, lambda: 1e-3, draws: 20, seed: 2)
    #expect(quarter.change < 1e-14)
    #expect(quarter.thorStop == .stop && quarter.thor == .keep)
    #expect(quarter.efficiency < 0.5)
    // ‖F' − F‖² = 2‖F‖² − 2⟨F, F'⟩ with ⟨F, F'⟩ = (Σ vᵢ v₁₁₋ᵢ)² = (10 · 10⁻³)² and ‖F‖ = Σ vᵢ².
    let norm = (0..<10).reduce(0.0) { $0 + Double.pow(10, -6 * Double($1) / 9) }
    let expected = (2 - 2 * 1e-4 / (norm * norm)).squareRoot()
    #expect(abs(quarter.matrixChange - expected) < 1e-12)
  }

  /// m pairs and two top entries t: error² = ρ² · mS / (mS + 2/t²), S = (1 + ρ)⁻² + (1 − ρ)⁻².
  @Test(arguments: [0.5, 0.9, 0.99]) func elevenCanBeZeroWithAWrongInverse(ρ: Double) throws {
    let factor = ConstructedBlindSpots.blindFactor(half: 10, top: 100, coupling: ρ)
    let loss = try ConstructedBlindSpots.loss(factor, split: 10, shift: 0)
    let s = 9 * (1 / ((1 + ρ) * (1 + ρ)) + 1 / ((1 - ρ) * (1 - ρ)))
    let expected = ρ * (s / (s + 2e-4)).squareRoot()
    #expect(abs(loss.inverse - expected) < 1e-10)
    #expect(abs(loss.spectral) < 1e-14)
    // Off the blocks stand nine pairs of ρ: ‖A‖² = 2·100² + 18 + 18ρ².
    #expect(abs(loss.matrix - (18 * ρ * ρ / (20018 + 18 * ρ * ρ)).squareRoot()) < 1e-12)
  }

  /// The specification, section 7.2: 6 updates in 20 tests under one reference, none under the other.
  @Test func aSlowDriftIsSeenFromTheLastAcceptedOnly() throws {
    let accepted = try ConstructedBlindSpots.drift(
      rate: 0.004, tests: 20, reference: .lastAccepted)
    let computed = try ConstructedBlindSpots.drift(
      rate: 0.004, tests: 20, reference: .lastComputed)
    #expect(accepted.updates == 6 && computed.updates == 0)
    #expect(accepted.largestLag < 0.01)
    #expect(abs(computed.largestLag - (Double.pow(1.004, 20) - 1)) < 1e-12)
    let fast = try ConstructedBlindSpots.drift(rate: 0.012, tests: 20, reference: .lastComputed)
    #expect(fast.updates == 20)
  }

  @Test func theSweepIsEquationEight() {
    let traces = [(2.0, 3.0), (2, 4), (3, 4)].map {
      LayerTraces(a: $0.0, g: $0.1, block: 5, sizeA: 2, sizeG: 5)
    }
    let changes = TraceSweep.changes([[traces]], lambda: 0.4, reading: .product)
    // tr A tr G is 6, 8, 12 and λ d_A d_G is 4.
    #expect(changes == [2.0 / 10, 4.0 / 12])
    #expect(TraceSweep.changes([[traces]], lambda: 0.4, reading: .exactBlock) == [0, 0])
  }

  private func network(_ widths: [Int] = [6, 5, 4, 3]) throws -> Network {
    try Network.multilayerPerceptron(
      widths: widths, activation: .tanh, initialization: .normal(standardDeviation: 0.5), seed: 8)
  }

  @Test func anotherOrderOfHiddenUnitsIsTheSameFunction() throws {
    let network = try network()
    let orders = [[3, 0, 4, 1, 2], [2, 3, 1, 0]]
    let other = HiddenUnitOrder.permuted(network, orders)
    #expect(other != network)
    let inputs = try ComparisonSample.data.get().inputs
    let difference = other.forward(inputs).output - network.forward(inputs).output
    #expect(difference.maximumMagnitude < 1e-13)
    // The gradient of the other network, put back in order, is the gradient.
    let data = try ComparisonSample.data.get()
    let gradient = LossGradient(network, data, .categorical).gradient
    let permuted = LossGradient(other, data, .categorical).gradient
    #expect((HiddenUnitOrder.restored(permuted, orders) - gradient).norm < 1e-13)
    #expect((permuted - gradient).norm > 0.01 * gradient.norm)
  }

  @Test func theOrderMattersToTheSplitAndNotToKFAC() throws {
    let data = try ComparisonSample.data.get()
    func points(_ split: Int) throws -> [HiddenUnitOrder.Point] {
      try HiddenUnitOrder.measure(
        network(), data, .categorical, split: split, rule: .factor, lambda: 0.1, orders: 6, seed: 1)
    }
    let whole = try points(7)
    #expect(whole.count == 7)
    for point in whole {
      #expect(point.error == 0)
      #expect(abs(point.efficiency - whole[0].efficiency) < 1e-12)
    }
    let split = try points(2)
    #expect(Set(split.map { ($0.error * 1e6).rounded() }).count > 3)
    #expect(Set(split.map { ($0.efficiency * 1e6).rounded() }).count > 3)
  }

  private var training: StaleDecisions.Training {
    var training = StaleDecisions.Training()
    training.steps = 12
    training.batch = 120
    training.interval = 3
    training.split = 2
    training.momentum = 0
    return training
  }

  /// With the whole data as the batch and hardly a step, nothing changes: Δ < ω₂ stops every layer.
  @Test func whereNothingMovesAllStopAndLoseNothing() throws {
    let choice = StaleDecisions.Choice(
      "thor-stop", stopBelow: 0.001, reading: .product, lambda: 0.1, learningRate: 1e-9)
    let run = try StaleDecisions.run(
      choice, network(), try ComparisonSample.data.get(), training: training, seed: 3)
    #expect(
      run.observations.map(\.occasion)
        == Array(repeating: .stop, count: 3) + Array(repeating: .endStopped, count: 3))
    for row in run.observations {
      #expect(abs(row.cosine - 1) < 1e-9 && abs(row.loss ?? 1) < 1e-6)
      #expect(abs(row.controlCosine - 1) < 1e-9)
    }
  }

  @Test func whereMuchMovesTheStaleStepIsSeenToDiffer() throws {
    let choice = StaleDecisions.Choice(
      "thor", stopBelow: 0, reading: .undamped, lambda: 0.05, learningRate: 0.05)
    let run = try StaleDecisions.run(
      choice, network(), try ComparisonSample.data.get(), training: training, seed: 3)
    // Tests at 3, 6 and 9 with something to compare with, three layers each, and the end.
    #expect(run.observations.count == 12)
    #expect(run.observations.contains { $0.occasion == .update })
    #expect(run.observations.contains { $0.cosine < 0.99 })
    // The batch is the whole data set, so another batch is the same one in another order.
    #expect(run.observations.allSatisfy { abs($0.controlCosine - 1) < 1e-9 })
    #expect(run.loss != nil)
  }

  @Test func aRunThatDivergesSaysSo() throws {
    let choice = StaleDecisions.Choice(
      "thor", stopBelow: 0, reading: .product, lambda: 1e-3, learningRate: 1e305)
    let run = try StaleDecisions.run(
      choice, network(), try ComparisonSample.data.get(), training: training, seed: 3)
    #expect(run.loss == nil)
  }
}
