import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The metrics of matrices are their formulas (spec 9).
@Suite("Metrics of matrices")
struct MatrixMetricTests {
  /// Pairs of a damped block and an approximation of it.
  struct Pair: Sendable, CustomStringConvertible {
    let test: CurvatureCase
    let index: Int
    let kind: StructureKind
    let rule: DampingRule
    let λ: Double
    var description: String { "\(kind) \(rule) \(λ), layer \(index) of \(test)" }

    func matrices() throws -> (reference: Matrix, approximation: Matrix) {
      let samples = GradientSamples(
        test.source.network, test.source.data, likelihood: test.source.likelihood,
        kind: test.kind, blocks: [index])
      return (
        test.defined[index].fisher.addingToDiagonal(λ),
        try kind.build(samples, StructureOptions(split: 2)).damped(rule, λ)
          .dense(within: .standard)
      )
    }
  }

  static let pairs: [Pair] = CurvatureCase.varied.enumerated().map { index, test in
    let kinds: [(StructureKind, DampingRule)] = [
      (.kfac, .pi), (.ekfac, .exact), (.kfacSplit, .factor), (.tkfac, .sqrt), (.diagonal, .exact),
    ]
    let (kind, rule) = kinds[index % kinds.count]
    return Pair(
      test: test, index: index % test.samples.blocks.count, kind: kind, rule: rule,
      λ: [0.5, 0.02][index % 2])
  }

  /// A positive definite matrix as a damped structure.
  static func damped(_ matrix: Matrix) throws -> any DampedStructure {
    let layout = ParameterLayout(blocks: [
      ParameterLayout.Block(
        name: "m", rowCount: 1, columnCount: matrix.rowCount, hasBias: false)
    ])
    return try DenseStructure(kind: .exact, layout: layout, matrix: matrix).damped(.exact, 0)
  }

  static func reference(_ matrix: Matrix) throws -> DenseDampedReference {
    try DenseDampedReference(try damped(matrix), within: .standard)
  }

  func spectral(_ f: Matrix, _ approximation: Matrix) throws -> [MetricValue] {
    DenseDampedReference.metrics(
      ofGeneralizedEigenvalues: try Self.reference(f).generalizedEigenvalues(with: approximation))
  }

  @Test("Generalised eigenvalues are dsygvd's, and the metrics their formulas", arguments: pairs)
  func generalizedEigenvalues(pair: Pair) throws {
    let (f, approximation) = try pair.matrices()
    let w = try Self.reference(f).generalizedEigenvalues(with: approximation)
    let expected = try LAPACK.dsygvd(f, approximation).values
    expectRatio(
      Ratio(
        Matrix(column: w), against: Matrix(column: expected), size: f.rowCount,
        scale: try condition(approximation) * expected[expected.count - 1]), "\(pair)")
    let metrics = DenseDampedReference.metrics(ofGeneralizedEigenvalues: w)
    #expect(metrics.map(\.metric) == [.stein, .affineInvariant, .spectralRatio])
    let stein = w.elements.reduce(0) { $0 + $1 - logarithm($1) - 1 }
    let squares = w.elements.reduce(0) { $0 + logarithm($1) * logarithm($1) }
    // w − 1 − log w cancels near 1 in this form, hence the absolute slack.
    expectAtMost(abs(value(.stein, metrics) - stein), 1e-13 * (stein + Double(w.count)))
    expectRatio(
      .difference(
        Vector([value(.affineInvariant, metrics), value(.spectralRatio, metrics)]),
        Vector([squares.squareRoot(), w[w.count - 1] / w[0]])))
  }

  @Test("Inverse errors are those of dpotri's inverses", arguments: pairs)
  func inverseErrors(pair: Pair) throws {
    let (f, approximation) = try pair.matrices()
    let (inverse, other) = (try LAPACK.dpotri(f), try LAPACK.dpotri(approximation))
    let reference = try Self.reference(f)
    let relative = frobenius(other - inverse) / frobenius(inverse)
    let residual = frobenius(LAPACK.dgemm(other, f).addingToDiagonal(-1))
    let κ = max(try condition(f), try condition(approximation))
    let slack = 30 * Double(f.rowCount) * κ * .ulpOfOne
    let error = reference.relativeInverseError(of: other)
    #expect(error.metric == .relativeInverseFrobenius)
    expectAtMost(abs(error.value - relative), slack * (1 + relative), "\(pair)")
    let left = reference.inverseResidual(of: other)
    #expect(left.metric == .inverseResidual)
    expectAtMost(abs(left.value - residual), slack * (1 + residual), "\(pair)")
    expectAtMost(reference.inverseResidual(of: inverse).value, slack * Double(f.rowCount))
  }

  @Test("Matrix metrics are their formulas", arguments: pairs)
  func undampedMetrics(pair: Pair) throws {
    let (f, approximation) = try pair.matrices()
    let metrics = try MatrixReference(f).metrics(of: approximation, includingSpectral: true)
    let difference = approximation - f
    func spectralNorm(_ m: Matrix) throws -> Double { try LAPACK.dgesvd(m).values[0] }
    let expected: [(ErrorMetric, Double)] = [
      (.maximumAbsolute, LAPACK.dlange(difference, .maximum)),
      (.relativeFrobenius, frobenius(difference) / frobenius(f)),
      (.traceRatio, approximation.diagonal.reduce(0, +) / f.diagonal.reduce(0, +)),
      (
        .leastSquaresScale,
        LAPACK.dgemm(approximation, f, transposeA: true).trace
          / LAPACK.dgemm(approximation, approximation, transposeA: true).trace
      ),
      (.relativeSpectral, try spectralNorm(difference) / (try spectralNorm(f))),
    ]
    #expect(metrics.count == expected.count)
    for (metric, wanted) in expected {
      expectAtMost(
        abs(value(metric, metrics) - wanted), 1e-13 * Double(f.rowCount) * (1 + abs(wanted)),
        "\(metric), \(pair)")
    }
  }

  @Test("What divides by zero is left out, and a singular approximation is refused")
  func degenerateInput() throws {
    let zero = Matrix(rowCount: 2, columnCount: 2)
    let metrics = try MatrixReference(zero).metrics(of: .identity(2), includingSpectral: true)
    #expect(metrics.map(\.metric) == [.maximumAbsolute, .leastSquaresScale])
    let none = try MatrixReference(.identity(2)).metrics(of: zero, includingSpectral: false)
    #expect(none.map(\.metric) == [.maximumAbsolute, .relativeFrobenius, .traceRatio])
    #expect(
      throws: CurvatureError.notPositiveDefinite(
        block: "the approximation", size: 2, pivot: 1, value: 0)
    ) {
      _ = try Self.reference(.identity(2)).generalizedEigenvalues(with: .diagonal([1, 0]))
    }
    #expect(
      DenseDampedReference.metrics(ofGeneralizedEigenvalues: Vector([-1e-17, 1])).isEmpty)
  }
}
