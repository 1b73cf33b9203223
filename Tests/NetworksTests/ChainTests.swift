import DenseAlgebra
import Networks
import TestSupport
import Testing

@Suite("Chains of blocks that follow one another")
struct ChainTests {
  private func chain(_ network: Network, blocks: [Int]? = nil) -> [[Int]] {
    let data = Dataset(
      name: "d",
      inputs: Matrix(rowCount: network.inputShape.count, columnCount: 2, repeating: 0.5),
      targets: .values(Matrix(rowCount: network.outputCount, columnCount: 2)))
    return GradientSamples(
      network, data, likelihood: .gaussian(variance: 1), kind: .empirical, blocks: blocks
    ).chain
  }

  /// A network of dense 2 × 2 blocks without bias; each node reads the values given.
  private func network(_ nodes: [(Operation, [Int])], blocks: Int) throws -> Network {
    try Network(
      inputShape: .vector(2), nodes: nodes.map { Node($0.0, inputs: $0.1) },
      parameters: (0..<blocks).map {
        ParameterBlock(name: "w\($0)", weights: .identity(2), hasBias: false)
      })
  }

  @Test func aPerceptronIsOneRunAndASelectionIsCutWhereBlocksAreMissing() throws {
    let network = try Network.multilayerPerceptron(
      widths: [3, 4, 4, 4, 2], activation: .relu, initialization: .he, seed: 1)
    #expect(chain(network) == [[0, 1, 2, 3]])
    // Indices are those of the selected blocks.
    #expect(chain(network, blocks: [1, 2, 3]) == [[0, 1, 2]])
    #expect(chain(network, blocks: [0, 2, 3]) == [[0], [1, 2]])
    #expect(chain(network, blocks: [3, 2]) == [[1, 0]])
  }

  @Test func blocksMayBeNumberedInAnyOrder() throws {
    let network = try network(
      [
        (.dense(parameters: 2), [0]), (.flatten, [1]), (.activation(.tanh), [2]),
        (.dense(parameters: 0), [3]), (.dense(parameters: 1), [4]),
      ], blocks: 3)
    #expect(chain(network) == [[2, 0, 1]])
  }

  @Test func anAdditionBreaksTheRun() throws {
    // w0 → w1, their outputs added → w2: w0's output is read twice, w2 reads a sum.
    let network = try network(
      [
        (.dense(parameters: 0), [0]), (.dense(parameters: 1), [1]), (.addition, [1, 2]),
        (.dense(parameters: 2), [3]),
      ], blocks: 3)
    #expect(chain(network) == [[0], [1], [2]])
  }

  @Test func aBlockUsedTwiceIsInNoRun() throws {
    let network = try network(
      [
        (.dense(parameters: 0), [0]), (.dense(parameters: 1), [1]), (.dense(parameters: 1), [2]),
        (.dense(parameters: 2), [3]), (.dense(parameters: 3), [4]),
      ], blocks: 4)
    #expect(chain(network) == [[0], [2, 3]])
  }

  @Test func aBlockAtSeveralPositionsIsInNoRun() {
    #expect(chain(RandomNetwork(.sequence, seed: 3).network) == [])
    #expect(chain(RandomNetwork(.flattenedSequence, seed: 3).network) == [[1]])
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func theSelectionOnlySelects(_ seed: UInt64) {
    let problem = RandomNetwork(.residual, seed: seed)
    let all = GradientSamples(
      problem.network, problem.data, likelihood: .categorical, kind: .exact)
    let some = GradientSamples(
      problem.network, problem.data, likelihood: .categorical, kind: .exact, blocks: [2, 0])
    #expect(some.blocks == [all.blocks[2], all.blocks[0]])
    #expect(some.exampleCount == all.exampleCount && some.columnCount == all.columnCount)
    #expect(all.layout == problem.network.layout)
  }
}
