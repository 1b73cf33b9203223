import DenseAlgebra
import Networks
import TestSupport
import Testing

@Suite("Forward pass")
struct ForwardTests {
  @Test(arguments: RandomNetwork.everyCase)
  func agreesWithASecondImplementation(_ problem: RandomNetwork) {
    for seed in problem.seed..<problem.seed + 3 {
      let problem = RandomNetwork(
        problem.architecture, problem.activation, problem.likelihood, seed: seed)
      let output = problem.network.forward(problem.data.inputs).output
      let reference = Matrix(
        rowCount: output.rowCount, columnCount: output.columnCount,
        storage: (0..<problem.data.count).flatMap {
          referenceForward(problem.network, problem.data.inputs.column($0).elements)
        })
      // The round-off of a value is that of the larger numbers it was summed from.
      let magnitude = problem.network.forward(problem.data.inputs).values
        .map { LAPACK.norm1($0) }.max()!
      expectRatio(
        Ratio(
          output, against: reference, size: problem.network.layout.count, scale: magnitude),
        "\(problem)")
    }
  }

  /// No features are an extent like any other: a layer gives its bias at every position.
  @Test func sequencesMayHaveNoFeatures() throws {
    let bias = Matrix(rows: [[1], [-2]])
    let network = try Network(
      inputShape: .sequence(positions: 3, features: 0),
      nodes: [
        Node(.dense(parameters: 0), inputs: [0]), Node(.meanOverPositions, inputs: [1]),
      ],
      parameters: [ParameterBlock(name: "bias", weights: bias, hasBias: true)])
    #expect(network.forward(Matrix(rowCount: 0, columnCount: 1)).output == bias)
  }

  /// A batch is a set of examples: each column depends on its own input alone, bit for bit.
  @Test(arguments: RandomNetwork.Architecture.allCases)
  func treatsEveryExampleAlike(_ architecture: RandomNetwork.Architecture) {
    let problem = RandomNetwork(architecture, seed: 4, exampleCount: 7)
    let all = problem.network.forward(problem.data.inputs)
    for n in 0..<7 {
      let one = problem.network.forward(problem.data.subset([n]).inputs)
      #expect(one.output.column(0) == all.output.column(n))
      for (use, single) in zip(all.uses, one.uses) {
        let columns = n * use.positions..<(n + 1) * use.positions
        #expect(
          use.inputs.block(rows: 0..<use.inputs.rowCount, columns: columns) == single.inputs)
      }
    }
  }

  @Test func inputsOfABlockEndWithTheHomogeneousCoordinate() throws {
    let network = try Network.multilayerPerceptron(
      weights: [Matrix(rows: [[1, 2, 3], [4, 5, 6]]), Matrix(rows: [[1, 1, 0.5]])],
      activations: [.relu])
    let tape = network.forward(Matrix(rows: [[1, -2], [1, 0]]))
    #expect(tape.uses.map(\.inputs.rowCount) == [3, 3])
    #expect(tape.uses[0].inputs == Matrix(rows: [[1, -2], [1, 0], [1, 1]]))
    #expect(tape.values[1] == Matrix(rows: [[6, 1], [15, -2]]))
    #expect(tape.uses[1].inputs == Matrix(rows: [[6, 1], [15, 0], [1, 1]]))
    #expect(tape.output == Matrix(rows: [[21.5, 1.5]]))
  }

  @Test func anEmptyBatchHasAnEmptyOutput() throws {
    for architecture in RandomNetwork.Architecture.allCases {
      let network = RandomNetwork(architecture, seed: 2).network
      let tape = network.forward(Matrix(rowCount: network.inputShape.count, columnCount: 0))
      #expect(tape.output.columnCount == 0)
      #expect(
        network.pullback(tape.output, through: tape).map(\.columnCount)
          == tape.uses.map { _ in 0 })
    }
  }
}
