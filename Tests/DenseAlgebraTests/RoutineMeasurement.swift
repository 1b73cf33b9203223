import DenseAlgebra
import Foundation
import TestSupport

/// What one routine and its LAPACK counterpart made of the same matrix.
struct RoutineOutcome {
  /// Ours and LAPACK's error in units of the round-off budget that the routine's name states.
  var ratio: Double
  var lapackRatio: Double
  /// Correct decimal digits against 50-digit values, where there are any.
  var digits: Double?
  var lapackDigits: Double?
  /// Why a row is not judged by its ratio; empty otherwise.
  var finding = ""
}

/// One row of the report.
struct RoutineMeasurement {
  let routine: String
  let oracle: String
  let problem: RoutineProblem
  let outcome: RoutineOutcome

  /// The claim: ours is at most four times LAPACK's, or 10 where LAPACK's is smaller than 2.5.
  var limit: Double { max(4 * outcome.lapackRatio, 10) }

  var holds: Bool { outcome.ratio <= limit || !outcome.finding.isEmpty }

  static let header =
    "routine,oracle,library,kind,n,condition,ratio,lapack_ratio,limit,digits,lapack_digits,finding"

  var line: String {
    let fields: [String] = [
      routine, oracle, String(LAPACK.name.prefix { $0 != "," }), problem.kind,
      "\(problem.size)", problem.condition.map { String(format: "%.0e", $0) } ?? "",
      Self.short(outcome.ratio), Self.short(outcome.lapackRatio), Self.short(limit),
      outcome.digits.map { String(format: "%.1f", $0) } ?? "",
      outcome.lapackDigits.map { String(format: "%.1f", $0) } ?? "", outcome.finding,
    ]
    return fields.joined(separator: ",")
  }

  private static func short(_ value: Double) -> String { String(format: "%.3g", value) }
}

/// A matrix with everything random that the routines need beside it.
struct RoutineProblem: Sendable, CustomStringConvertible {
  let kind: String
  let size: Int
  let condition: Double?
  let matrix: Matrix
  /// n × n and n × 3 standard normal matrices.
  let other: Matrix
  let right: Matrix
  /// Certified answers, where there are any.
  let certified: CertifiedMatrix?

  var description: String {
    "\(kind), n = \(size)" + (condition.map { ", κ = \(String(format: "%.0e", $0))" } ?? "")
  }

  init(_ kind: MatrixKind, size: Int, condition: Double?) {
    self.init(
      kind: kind.rawValue, matrix: kind.matrix(size: size, condition: condition),
      condition: condition, certified: nil)
  }

  init(_ certified: CertifiedMatrix) {
    self.init(
      kind: certified.name, matrix: certified.matrix, condition: certified.condition,
      certified: certified)
  }

  private init(kind: String, matrix: Matrix, condition: Double?, certified: CertifiedMatrix?) {
    var generator = Generator(seed: UInt64(7000 + matrix.rowCount))
    self.kind = kind
    self.size = matrix.rowCount
    self.condition = condition
    self.matrix = matrix
    self.other = generator.normal(matrix.rowCount, matrix.rowCount)
    self.right = generator.normal(matrix.rowCount, 3)
    self.certified = certified
  }

  var isSymmetric: Bool { matrix == matrix.transposed }
  var lowerTriangle: Matrix {
    Matrix(rowCount: size, columnCount: size) { $0 >= $1 ? matrix[$0, $1] : 0 }
  }
  var upperTriangle: Matrix {
    Matrix(rowCount: size, columnCount: size) { $0 <= $1 ? matrix[$0, $1] : 0 }
  }

  /// Every kind at every size and condition number up to a size.
  static func generated(sizes: [Int], conditions: (Double) -> Bool = { _ in true })
    -> [RoutineProblem]
  {
    MatrixKind.allCases.flatMap { kind in
      sizes.flatMap { size -> [RoutineProblem] in
        guard size > 1, !kind.conditions.isEmpty else {
          return [RoutineProblem(kind, size: size, condition: nil)]
        }
        return kind.conditions.filter(conditions).map {
          RoutineProblem(kind, size: size, condition: $0)
        }
      }
    }
  }
}
