import DenseAlgebra
import Experiments
import TestSupport
import Testing

/// The closed forms of the split's error against dense matrices with LAPACK's norms and inverses.
@Suite("The error of the split from its factors alone")
struct SplitErrorTests {
  static let split = 3
  static let lambda = 0.3

  /// Two layers: factors of 7 and 4 rows, then of 5 and 6, none of them a multiple of the split.
  let factors: [(a: Matrix, g: Matrix)]

  init() {
    var generator = Generator(seed: 20)
    factors = [(7, 4), (5, 6)].map { a, g in
      (
        generator.symmetric(eigenvalues: geometric(a, from: 9, to: 0.01)),
        generator.symmetric(eigenvalues: geometric(g, from: 0.4, to: 0.001))
      )
    }
  }

  private func error(split: Int = SplitErrorTests.split) throws -> SplitError {
    SplitError(
      try factors.map { a, g in
        func spectral(_ shift: Double) throws -> Double {
          try SplitSpectrum.differenceNorm(a: a, g: g, split: split, shift: shift)
        }
        return SplitError.Layer(
          a: try SplitFactor(a, split: split, lambda: SplitErrorTests.lambda),
          g: try SplitFactor(g, split: split, lambda: SplitErrorTests.lambda),
          spectral: (try spectral(0), try spectral(SplitErrorTests.lambda)))
      }, lambda: SplitErrorTests.lambda)
  }

  /// Zero where two indices lie in different groups of three; written apart from the library's pinching.
  private func pinched(_ m: Matrix) -> Matrix {
    Matrix(rowCount: m.rowCount, columnCount: m.columnCount) { i, j in
      i / SplitErrorTests.split == j / SplitErrorTests.split ? m[i, j] : 0
    }
  }

  /// Both layers on the diagonal of one dense matrix, whole and split, with λ as asked for.
  private func dense(_ damping: SplitError.Damping) -> (whole: Matrix, inside: Matrix) {
    func assembled(_ blocks: [Matrix]) -> Matrix {
      let size = blocks.reduce(0) { $0 + $1.rowCount }
      var matrix = Matrix(rowCount: size, columnCount: size)
      var offset = 0
      for block in blocks {
        matrix.setBlock(row: offset, column: offset, to: block)
        offset += block.rowCount
      }
      return damping == .block ? matrix.addingToDiagonal(SplitErrorTests.lambda) : matrix
    }
    let shift = damping == .factors ? SplitErrorTests.lambda : 0
    let shifted = factors.map { ($0.addingToDiagonal(shift), $1.addingToDiagonal(shift)) }
    return (
      assembled(shifted.map { Matrix.kronecker($0, $1) }),
      assembled(shifted.map { Matrix.kronecker(pinched($0), pinched($1)) })
    )
  }

  private func spectralNorm(_ m: Matrix) throws -> Double {
    try LAPACK.dsyevd(m).values.elements.map(\.magnitude).max() ?? 0
  }

  /// The definition of each norm on dense matrices.
  private func expected(_ norm: SplitError.Norm, _ damping: SplitError.Damping) throws -> Double {
    let (whole, inside) = dense(damping)
    let difference = whole - inside
    switch norm {
    case .frobenius:
      return LAPACK.dlange(difference, .frobenius) / LAPACK.dlange(whole, .frobenius)
    case .spectral: return try spectralNorm(difference) / spectralNorm(whole)
    case .spectralLoss: return try 1 - spectralNorm(inside) / spectralNorm(whole)
    case .largest: return LAPACK.dlange(difference, .maximum)
    case .relativeLargest:
      return LAPACK.dlange(difference, .maximum) / LAPACK.dlange(whole, .maximum)
    case .inverse:
      let (p, q) = (try LAPACK.dgetri(whole), try LAPACK.dgetri(inside))
      return LAPACK.dlange(p - q, .frobenius) / LAPACK.dlange(p, .frobenius)
    }
  }

  @Test(arguments: SplitError.Norm.allCases, SplitError.Damping.allCases)
  func everyNormIsThatOfTheDenseMatrices(norm: SplitError.Norm, damping: SplitError.Damping) throws
  {
    let found = try error().value(norm, damping)
    guard norm != .inverse || damping == .factors else {
      #expect(found == nil, "the inverse is defined with λ on each factor only")
      return
    }
    let value = try #require(found)
    let reference = try expected(norm, damping)
    // Lanczos stops at 1e-8; everything else is a few hundred operations.
    let tolerance = norm == .spectral ? 1e-7 : 1e-12
    #expect(abs(value - reference) <= tolerance * reference, "\(value) for \(reference)")
    #expect(reference > 0.01, "the case must have an error to find")
  }

  /// √(1 − (1 − ε_A²)(1 − ε_G²)), the specification's 7.4.
  @Test func oneLayersFrobeniusErrorIsTheSpecifiedFormula() throws {
    let (a, g) = factors[0]
    let one = SplitError([try error().layers[0]], lambda: SplitErrorTests.lambda)
    func share(_ m: Matrix) -> Double {
      let ratio = LAPACK.dlange(m - pinched(m), .frobenius) / LAPACK.dlange(m, .frobenius)
      return ratio * ratio
    }
    let formula = (1 - (1 - share(a)) * (1 - share(g))).squareRoot()
    let value = try #require(one.value(.frobenius, .out))
    #expect(abs(value - formula) <= 1e-13)
  }

  @Test func aSplitAsLargeAsTheFactorsHasNoError() throws {
    let none = try error(split: 7)
    for damping in SplitError.Damping.allCases {
      for norm in SplitError.Norm.allCases {
        guard let value = none.value(norm, damping) else { continue }
        // The inverse is a difference of squares that cancel: √ε.
        #expect(value <= (norm == .inverse ? 1e-7 : 1e-14), "\(norm), \(damping): \(value)")
      }
    }
    #expect(none.shareInside == 1)
  }

  @Test func theShareInsideIsThatOfTheDenseEntries() throws {
    let (whole, inside) = dense(.out)
    func sum(_ m: Matrix) -> Double { m.storage.reduce(0) { $0 + $1.magnitude } }
    #expect(abs(try error().shareInside - sum(inside) / sum(whole)) <= 1e-13)
  }

  /// Where A has nothing outside its blocks, what is dropped is dropped by G alone, and the reverse.
  @Test func whatOneFactorAloneDropsIsSeen() throws {
    let (a, g) = factors[0]
    for (first, second) in [(pinched(a), g), (a, pinched(g))] {
      let one = SplitError(
        [
          .init(
            a: try SplitFactor(first, split: SplitErrorTests.split, lambda: 0.3),
            g: try SplitFactor(second, split: SplitErrorTests.split, lambda: 0.3))
        ], lambda: 0.3)
      let whole = Matrix.kronecker(first, second)
      let difference = whole - Matrix.kronecker(pinched(first), pinched(second))
      let largest = LAPACK.dlange(difference, .maximum)
      let value = try #require(one.value(.largest, .out))
      #expect(abs(value - largest) <= 1e-14 * largest && largest > 0)
      let frobenius = LAPACK.dlange(difference, .frobenius) / LAPACK.dlange(whole, .frobenius)
      let ratio = try #require(one.value(.frobenius, .out))
      #expect(abs(ratio - frobenius) <= 1e-13)
    }
  }

  /// The sizes of Figure 4, where the iteration stops long before the dimension of 420.
  @Test(arguments: [0, 0.3])
  func theSpectralNormOfALargeDifferenceIsThatOfLAPACK(shift: Double) throws {
    var generator = Generator(seed: 7)
    let a = generator.symmetric(eigenvalues: geometric(21, from: 5, to: 0.001))
    let g = generator.symmetric(eigenvalues: geometric(20, from: 0.1, to: 1e-5))
    let (c, d) = (a.addingToDiagonal(shift), g.addingToDiagonal(shift))
    let dense =
      Matrix.kronecker(c, d)
      - Matrix.kronecker(c.pinched(blockSize: 10), d.pinched(blockSize: 10))
    let expected = try spectralNorm(dense)
    let value = try SplitSpectrum.differenceNorm(a: a, g: g, split: 10, shift: shift)
    #expect(abs(value - expected) <= 1e-7 * expected, "\(value) for \(expected)")
  }

  @Test func aNormThatWasNotComputedHasNoValue() throws {
    let layers = try error().layers.map { SplitError.Layer(a: $0.a, g: $0.g) }
    #expect(SplitError(layers, lambda: 0.3).value(.spectral, .out) == nil)
    let zero = try SplitFactor(
      Matrix(rowCount: 4, columnCount: 4), split: SplitErrorTests.split, lambda: 0.3)
    let dead = SplitError([.init(a: zero, g: zero)], lambda: 0.3)
    #expect(dead.value(.frobenius, .out) == nil, "0/0")
    #expect(dead.value(.largest, .out) == 0)
  }
}
