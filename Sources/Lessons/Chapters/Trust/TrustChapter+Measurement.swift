import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Fixtures
import Foundation
import Networks

/// A matrix of `Fixtures/matrices` with its solution at 50 digits, rounded once.
struct CertifiedMatrix: Decodable {
  let name: String
  let size: Int
  let entries: [Double]
  let eigenvalues: [Double]?
  let condition: Double?
  let rightHandSide: [Double]?
  let solution: [Double]?

  var matrix: Matrix { Matrix(rowCount: size, columnCount: size, storage: entries) }

  /// Symmetric with positive eigenvalues.
  var isPositiveDefinite: Bool {
    let a = matrix
    return a == a.transposed && (eigenvalues?.first ?? 0) > 0
  }

  static func read(_ name: String) throws -> CertifiedMatrix {
    let path = try Fixtures.path("matrices/\(name).json")
    return try JSONDecoder().decode(
      CertifiedMatrix.self, from: Data(try InputFile.read(path: path)))
  }

  /// What the tables call its kind.
  var family: String {
    if name.hasPrefix("hilbert") { return "Hilbert" }
    if name.hasPrefix("graded") { return "graded" }
    if entries.allSatisfy({ $0 == $0.rounded() }) { return "integers" }
    return "others"
  }
}

/// What chapter 13 measures.
struct TrustMeasurement {
  static let names = [
    "frank-12", "frank-5", "graded-1e14-10", "graded-1e14-20", "graded-1e14-5",
    "graded-1e20-10", "graded-1e20-20", "graded-1e20-5", "graded-1e4-10", "graded-1e4-20",
    "graded-1e4-5", "graded-1e8-10", "graded-1e8-20", "graded-1e8-5", "growth-20", "hilbert-12",
    "hilbert-3", "hilbert-5", "hilbert-8", "kahan-10", "kahan-20", "kahan-5", "lehmer-10-huge",
    "lehmer-10-tiny", "lehmer-20", "lehmer-5", "minij-20", "minij-5", "minij-50", "moler-10",
    "moler-15", "moler-5", "pascal-10", "pascal-15", "pascal-5", "tinypivot-2", "tinypivot-8",
    "toeplitz-20", "toeplitz-5", "toeplitz-50", "vandermonde-10", "vandermonde-5",
    "wilkinson-21", "wilkinson-7",
  ]
  static let most = 16.0

  let digits, damping: ResultTable

  init(_ data: Dataset, _ reports: LapackReports) throws {
    digits = try TrustMeasurement.solve(reports)
    damping = try TrustMeasurement.damp(data)
  }

  /// −log₁₀ of the relative error, from 0 to 16.
  static func digits(_ x: Vector, _ exact: Vector) -> Double {
    func norm1(_ v: Vector) -> Double { v.elements.reduce(0) { $0 + abs($1) } }
    let error = norm1(x - exact) / norm1(exact)
    return error.isFinite ? min(max(-log10(max(error, 1e-16)), 0), most) : 0
  }

  /// ‖Ax − b‖₁ / (n ‖A‖₁ ‖x‖₁ ε).
  static func ratio(_ a: Matrix, _ x: Vector, _ b: Vector) -> Double {
    func norm1(_ v: Vector) -> Double { v.elements.reduce(0) { $0 + abs($1) } }
    let norm = (0..<a.columnCount).map { norm1(a.column($0)) }.max() ?? 0
    return norm1(a * x - b) / norm / norm1(x) / (Double(a.rowCount) * .ulpOfOne)
  }

  private static func solve(_ reports: LapackReports) throws -> ResultTable {
    var table = ResultTable(
      "digits", "Certified linear systems, solved in double and in single precision.",
      [
        ("matrix", "file in Fixtures/matrices"), ("family", "Hilbert, graded, integers or others"),
        ("routine", "Cholesky where the matrix is positive definite, else LU"),
        ("n", "rows"), ("condition", "κ, 50-digit value rounded once"),
        ("scaledCondition", "κ after scaling to a unit diagonal, positive definite matrices"),
        ("ratio", "residual ratio of the solution in double precision"),
        ("digits", "digits of the solution in double precision"),
        ("lapackDigits", "the same of LAPACK's routine, as committed for reference LAPACK"),
        ("singleDigits", "digits in single precision; empty where it stopped or leaves the range"),
        ("rule", "15 − log₁₀ κ"),
      ])
    for name in names {
      let file = try CertifiedMatrix.read(name)
      guard let condition = file.condition, let b = file.rightHandSide, let exact = file.solution
      else { preconditionFailure("\(name) has no certified solution") }
      let a = file.matrix
      let isDefinite = file.isPositiveDefinite
      let x =
        isDefinite
        ? try CholeskyFactorization(a).solve(Vector(b)) : try LUFactorization(a).solve(Vector(b))
      var scaled: Double?
      if isDefinite {
        let roots = a.diagonal.map { $0.squareRoot() }
        let unit = Matrix(rowCount: file.size, columnCount: file.size) { i, j in
          a[i, j] / roots[i] / roots[j]
        }
        let values = try SymmetricEigendecomposition.values(of: unit).elements
        scaled = values[file.size - 1] / max(values[0], 1e-17)
      }
      let isInRange = a.maximumMagnitude > 1e-30 && a.maximumMagnitude < 1e30
      let single = isDefinite && isInRange ? SinglePrecision.solve(a, Vector(b)) : nil
      let lapack = reports.digits(of: name, isDefinite: isDefinite)
      table.append([
        .text(name), .text(file.family), .text(isDefinite ? "Cholesky" : "LU"),
        .integer(file.size), .number(condition), scaled.map { .number($0) } ?? .empty,
        .number(ratio(a, x, Vector(b))), .number(digits(x, Vector(exact))),
        lapack.map { .number($0) } ?? .empty,
        single.map { .number(digits($0, Vector(exact))) } ?? .empty,
        .number(15 - log10(condition)),
      ])
    }
    return table
  }

  /// The input factor of the first layer, whose border pixels are always black, with damping.
  private static func damp(_ data: Dataset) throws -> ResultTable {
    var table = ResultTable(
      "damping", "One row of (A + λI)⁻¹ for the first layer's A, in single and double precision.",
      [
        ("lambda", "λ"), ("condition", "κ of A + λI"),
        ("digits", "digits of single precision, double as reference; empty where it stopped"),
        ("rule", "7 − log₁₀ κ, at least 0"),
      ])
    let count = 256
    let pixels = data.inputs.block(rows: 0..<data.inputs.rowCount, columns: 0..<count)
    let inputs = Matrix(rowCount: pixels.rowCount + 1, columnCount: count) { i, n in
      i < pixels.rowCount ? pixels[i, n] : 1
    }
    let a = (1 / Double(count)) * inputs.timesOwnTranspose
    let greatest = try SymmetricEigendecomposition.values(of: inputs.gram).elements[count - 1]
    let b = inputs.column(0)
    for exponent in -9...0 {
      let lambda = pow(10, Double(exponent))
      let damped = a.addingToDiagonal(lambda)
      // A has 256 examples and 785 rows: its least eigenvalue is 0.
      let condition = (greatest / Double(count) + lambda) / lambda
      let reference = try CholeskyFactorization(damped).solve(b)
      let single = SinglePrecision.solve(damped, b)
      table.append([
        .number(lambda), .number(condition),
        single.map { .number(digits($0, reference)) } ?? .empty,
        .number(max(0, 7 - log10(condition))),
      ])
    }
    return table
  }
}
