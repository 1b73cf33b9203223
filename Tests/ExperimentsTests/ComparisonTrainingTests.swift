import Curvature
import DenseAlgebra
import Experiments
import Networks
import Testing

@Suite("The training runs of a comparison")
struct ComparisonTrainingTests {
  private func run(
    _ options: ComparisonOptions = ComparisonSample.options, seed: UInt64 = 4,
    iterations: [Int]
  ) throws -> TrainingRun {
    try TrainingRun(
      seed: seed, data: ComparisonSample.data.get(), likelihood: .categorical, options: options,
      iterations: iterations)
  }

  private func factors(_ state: TrainingRun.State) throws -> [KFACFactors] {
    let samples = GradientSamples(
      state.network, try ComparisonSample.data.get().subset(state.batch),
      likelihood: .categorical, kind: .exact, blocks: [1, 2])
    return (0..<2).map { KFACFactors(LayerSamples(samples, block: $0)) }
  }

  private func distance(_ a: [KFACFactors], _ b: [KFACFactors]) -> Double {
    zip(a, b).reduce(0) {
      max($0, ($1.0.a - $1.1.a).frobeniusNorm, ($1.0.g - $1.1.g).frobeniusNorm)
    }
  }

  @Test func aSeedGivesTheSameRunAndAnotherSeedAnother() throws {
    let first = try run(iterations: [0, 3])
    let again = try run(iterations: [0, 3])
    let other = try run(seed: 5, iterations: [0, 3])
    #expect(first.states.map(\.iteration) == [0, 3])
    for (a, b) in zip(first.states, again.states) {
      #expect(a.network == b.network && a.batch == b.batch && a.averages == b.averages)
    }
    #expect(first.states[0].network != other.states[0].network)
    #expect(first.states[0].batch != other.states[0].batch)
  }

  @Test func whatIsKeptDoesNotChangeTheRun() throws {
    let sparse = try run(iterations: [3]).states[0]
    let dense = try run(iterations: [0, 1, 2, 3]).states[3]
    #expect(sparse.network == dense.network && sparse.batch == dense.batch)
  }

  @Test func batchesOfAPassAreApart() throws {
    let states = try run(iterations: Array(0..<6)).states
    // 120 examples in batches of 40: a pass is three batches, then it begins anew.
    for pass in [0..<3, 3..<6] {
      #expect(states[pass].flatMap(\.batch).sorted() == Array(0..<120))
    }
    #expect(states[0].batch != states[3].batch)
  }

  @Test func theFirstBatchIsTakenWholeIntoTheAverage() throws {
    let state = try run(iterations: [0]).states[0]
    #expect(distance(state.averages, try factors(state)) == 0)
  }

  @Test func theFirstTwentyAveragesAreMeans() throws {
    let states = try run(iterations: [0, 1, 2]).states
    let parts = try states.map(factors)
    let mean = (0..<2).map { layer in
      KFACFactors(
        a: (1.0 / 3) * (parts[0][layer].a + parts[1][layer].a + parts[2][layer].a),
        g: (1.0 / 3) * (parts[0][layer].g + parts[1][layer].g + parts[2][layer].g))
    }
    #expect(distance(states[2].averages, mean) < 1e-14)
  }

  @Test func laterAveragesKeepNinetyFivePercent() throws {
    let states = try run(iterations: [29, 30]).states
    let fresh = try factors(states[1])
    let expected = (0..<2).map { layer in
      KFACFactors(
        a: 0.95 * states[0].averages[layer].a + 0.05 * fresh[layer].a,
        g: 0.95 * states[0].averages[layer].g + 0.05 * fresh[layer].g)
    }
    #expect(distance(states[1].averages, expected) < 1e-14)
  }

  @Test func gradientDescentTakesItsSteps() throws {
    var options = ComparisonSample.options
    options.training = .sgd
    options.learningRate = 0.5
    let states = try run(options, iterations: [0, 1]).states
    let batch = try ComparisonSample.data.get().subset(states[0].batch)
    let gradient = LossGradient(states[0].network, batch, .categorical).gradient
    for (index, block) in states[0].network.parameters.enumerated() {
      let expected = block.weights - 0.5 * gradient.blocks[index]
      let found = states[1].network.parameters[index].weights
      #expect((found - expected).maximumMagnitude < 1e-15)
    }
  }

  /// W ← W − α (G + λI)⁻¹ ∇W (A + λI)⁻¹ on layers 2 and 3, W ← W − α ∇W on layer 1.
  @Test func kfacTrainingDampsBothFactors() throws {
    let options = ComparisonSample.options
    let states = try run(options, iterations: [0, 1]).states
    let batch = try ComparisonSample.data.get().subset(states[0].batch)
    let gradient = LossGradient(states[0].network, batch, .categorical).gradient
    let layers = try factors(states[0])
    for (index, block) in states[0].network.parameters.enumerated() {
      var step = gradient.blocks[index]
      if index > 0 {
        let (a, g) = (layers[index - 1].a, layers[index - 1].g)
        let left = try LUFactorization(g.addingToDiagonal(0.3)).solve(step)
        step = try LUFactorization(a.addingToDiagonal(0.3)).solve(left.transposed).transposed
      }
      let found = states[1].network.parameters[index].weights
      #expect((found - (block.weights - 0.1 * step)).maximumMagnitude < 1e-13, "layer \(index + 1)")
    }
  }

  @Test func aRunThatDivergesSaysWhere() throws {
    var options = ComparisonSample.options
    options.activation = .identity
    options.training = .sgd
    options.learningRate = 1e200
    let error = #expect(throws: TrainingDiverged.self) { try run(options, iterations: [2]) }
    #expect(error?.seed == 4 && error?.iteration == 1)
  }
}
