import DenseAlgebra
import Networks
import Testing

@Suite("Parameter vectors")
struct ParameterVectorTests {
  let layout = ParameterLayout(blocks: [
    .init(name: "a", rowCount: 2, columnCount: 3, hasBias: true),
    .init(name: "b", rowCount: 1, columnCount: 0, hasBias: false),
    .init(name: "c", rowCount: 1, columnCount: 2, hasBias: false),
  ])

  /// θ stacks columns, block after block.
  @Test func flatOrderIsColumnAfterColumn() {
    let vector = ParameterVector(blocks: [
      Matrix(rows: [[1, 3, 5], [2, 4, 6]]), Matrix(rowCount: 1, columnCount: 0),
      Matrix(rows: [[7, 8]]),
    ])
    #expect(vector.flattened == Vector([1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(ParameterVector(vector.flattened, layout: layout) == vector)
    #expect(layout.offsets == [0, 6, 6])
    #expect(layout.count == 8 && vector.count == 8)
    #expect(ParameterVector.zero(layout).flattened == .zero(8))
  }

  @Test func arithmeticIsThatOfTheFlatVector() {
    let a = ParameterVector(Vector([1, 2, 3, 4, 5, 6, 7, 8]), layout: layout)
    let b = ParameterVector(Vector([1, -1, 2, -2, 3, -3, 4, -4]), layout: layout)
    #expect((a + b).flattened == a.flattened + b.flattened)
    #expect((a - b).flattened == a.flattened - b.flattened)
    #expect((2 * a).flattened == 2 * a.flattened)
    #expect((-a).flattened == -a.flattened)
    #expect(a.dot(b) == -10)
    var sum = a
    sum.add(3, times: b)
    #expect(sum == a + 3 * b)
    let huge = ParameterVector(blocks: [Matrix(rows: [[3e200]]), Matrix(rows: [[4e200]])])
    expectEntrywise([huge.norm], [5e200], ulps: 2)
  }

  @Test func addingMovesEveryBlock() throws {
    let network = try Network.multilayerPerceptron(
      widths: [2, 3, 1], activation: .tanh, initialization: .he, seed: 4)
    let step = ParameterVector(
      Vector((0..<13).map(Double.init)), layout: network.layout)
    let moved = network.adding(step, scale: -0.5)
    #expect(moved.parameterVector == network.parameterVector + (-0.5) * step)
    #expect(moved.nodes == network.nodes && moved.layout == network.layout)
  }
}
