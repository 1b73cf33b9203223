import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

struct VectorizationTests {
  /// A 3 × 2 and a 2 × 4 block.
  static let layout = ParameterLayout(
    blocks: [(3, 2), (2, 4)].map {
      ParameterLayout.Block(name: "", rowCount: $0.0, columnCount: $0.1, hasBias: true)
    })

  /// Written by hand from the definition: the positions in cvec of rvec's entries.
  static let positions = [0, 3, 1, 4, 2, 5, 6, 8, 10, 12, 7, 9, 11, 13]

  /// The permutation matrix Π with rvec = Π cvec.
  static let permutation = Matrix(rowCount: 14, columnCount: 14) {
    positions[$0] == $1 ? 1 : 0
  }

  @Test func rowOrderStacksTheRowsOfEachLayer() {
    var generator = Generator(seed: 1)
    let blocks = [generator.normal(3, 2), generator.normal(2, 4)]
    let vector = ParameterVector(blocks: blocks).flattened
    let rows = blocks.flatMap { block in
      (0..<block.rowCount).flatMap { i in (0..<block.columnCount).map { block[i, $0] } }
    }
    #expect(Vectorization.row.vector(vector, layout: Self.layout) == Vector(rows))
    #expect(Vectorization.column.vector(vector, layout: Self.layout) == vector)
  }

  @Test func matricesArePermutedOnBothSides() {
    var generator = Generator(seed: 2)
    let matrix = generator.normal(14, 14)
    let permuted = (Self.permutation * matrix).timesTransposed(Self.permutation)
    #expect(Vectorization.row.matrix(matrix, layout: Self.layout) == permuted)
    #expect(Vectorization.column.matrix(matrix, layout: Self.layout) == matrix)
  }

  @Test(arguments: Vectorization.allCases)
  func backIsTheInverseOfThere(_ order: Vectorization) {
    var generator = Generator(seed: 3)
    let matrix = generator.normal(14, 14)
    let vector = generator.vector(14)
    let there = order.matrix(matrix, layout: Self.layout)
    #expect(order.columnOrdered(there, layout: Self.layout) == matrix)
    let vectorThere = order.vector(vector, layout: Self.layout)
    #expect(order.columnOrdered(vectorThere, layout: Self.layout) == vector)
  }

  /// rvec(V) = cvec(Vᵀ), so A ⊗ G becomes G ⊗ A (specification 1.2).
  @Test func rowOrderSwapsTheKroneckerFactors() {
    var generator = Generator(seed: 4)
    let (a, g) = (generator.normal(4, 4), generator.normal(3, 3))
    let layout = ParameterLayout(
      blocks: [ParameterLayout.Block(name: "", rowCount: 3, columnCount: 4, hasBias: true)])
    #expect(
      Vectorization.row.matrix(.kronecker(a, g), layout: layout) == Matrix.kronecker(g, a))
  }
}
