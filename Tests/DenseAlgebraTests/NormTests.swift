import DenseAlgebra
import TestSupport
import Testing

@Suite("Norms")
struct NormTests {
  static let shapes = [(0, 0), (0, 4), (1, 1), (3, 5), (5, 3), (50, 50), (200, 7)]

  private func expectEqual(
    _ value: Double, _ oracle: Double, size: Int, _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    LapackComparison.expect(
      Ratio(
        Matrix(rows: [[value]]), against: Matrix(rows: [[oracle]]), size: size, scale: oracle),
      algorithm: "norm \(name)",
      oracle: name.contains("spectral") || name.contains("nuclear")
        ? "dgesvd" : "dlange", sourceLocation: sourceLocation)
  }

  @Test("Frobenius and largest entry are dlange's, at every scale", arguments: shapes)
  func entrywiseNorms(_ shape: (Int, Int)) {
    var generator = Generator(seed: 81)
    let m = generator.normal(shape.0, shape.1)
    for scale in [1, 1e150, 1e-150, 1e200, 1e-200, 1e300, 1e-300] {
      let scaled = scale * m
      expectEqual(
        scaled.frobeniusNorm, LAPACK.dlange(scaled, .frobenius), size: shape.0 * shape.1,
        "Frobenius")
      #expect(scaled.maximumMagnitude == LAPACK.dlange(scaled, .maximum))
      let vector = Vector(scaled.storage)
      expectEqual(
        vector.norm, LAPACK.dlange(scaled, .frobenius), size: shape.0 * shape.1, "Euclidean")
    }
  }

  @Test("Spectral and nuclear norms are those of dgesvd's values", arguments: shapes)
  func spectralNorms(_ shape: (Int, Int)) throws {
    var generator = Generator(seed: 82)
    let normal = generator.normal(shape.0, shape.1)
    let square = generator.normal(shape.0, shape.0)
    for scale in [1, 1e150, 1e-150] {
      for m in [normal, square + square.transposed] {
        let scaled = scale * m
        let values = try LAPACK.dgesvd(scaled).values.elements
        let size = max(m.rowCount, m.columnCount)
        expectEqual(try scaled.spectralNorm(), values.first ?? 0, size: size, "spectral")
        expectEqual(try scaled.nuclearNorm(), values.reduce(0, +), size: size * size, "nuclear")
      }
    }
  }

  @Test("The eigenvalue of largest magnitude counts, not the largest")
  func negativeEigenvaluesCount() throws {
    let m = Matrix.diagonal([1, -5, 2])
    #expect(try m.spectralNorm() == 5)
    #expect(try m.nuclearNorm() == 8)
    #expect(m.maximumMagnitude == 5)
  }

  @Test("An almost symmetric matrix is not taken for a symmetric one")
  func asymmetryIsSeen() throws {
    let nilpotent = Matrix(rows: [[0, 3], [0, 0]])
    #expect(try nilpotent.spectralNorm() == 3)
    #expect(try nilpotent.nuclearNorm() == 3)
    expectRatio(
      .difference(
        Vector([try Matrix(rows: [[1, 1], [-1, 1]]).spectralNorm()]),
        Vector([Double(2).squareRoot()])))
  }

  @Test("A NaN is not lost in a norm")
  func notANumberIsKept() {
    for place in 0..<6 {
      var m = Matrix(rowCount: 2, columnCount: 3, repeating: 1)
      m.storage[place] = .nan
      #expect(m.frobeniusNorm.isNaN)
      #expect(m.maximumMagnitude.isNaN)
    }
  }
}
