import DenseAlgebra
import Foundation
import TestSupport
import Testing

/// Every routine beside LAPACK's on the same matrices: ours ≤ max(4 × LAPACK's, 10), in units of the
/// round-off budget that the routine's formula states.
///
/// `swift test` takes the small sizes. `scripts/compare-lapack` names a file in the environment
/// variable NATGRAD_ROUTINE_TABLE: then every size and condition number runs and each row is written.
@Suite("Every routine against LAPACK, kind by kind")
struct RoutineTests {
  static let reportPath = ProcessInfo.processInfo.environment["NATGRAD_ROUTINE_TABLE"]
    .flatMap { $0.isEmpty ? nil : $0 }

  static let quick: [RoutineProblem] =
    RoutineProblem.generated(sizes: [1, 2, 3, 10]) { $0 == 1e4 || $0 >= 1e14 }
    + RoutineProblem.generated(sizes: [20, 50]) { $0 == 1e8 }
    + [RoutineProblem(.geometric, size: 100, condition: 1e4)]

  static let full = RoutineProblem.generated(sizes: [1, 2, 3, 5, 10, 20, 50, 100])

  static func certified(below size: Int) throws -> [RoutineProblem] {
    try CertifiedMatrix.all().filter { $0.matrix.rowCount < size }.map(RoutineProblem.init)
  }

  @Test("Ours is at most max(4 × LAPACK's, 10), on every matrix that the routine is for")
  func claim() throws {
    let isFull = Self.reportPath != nil
    let problems =
      (isFull ? Self.full : Self.quick) + (try Self.certified(below: isFull ? .max : 21))
    var lines = [RoutineMeasurement.header]
    for routine in Routine.all {
      let rows = try problems.compactMap(routine.measure)
      #expect(!rows.isEmpty, "\(routine.name) never ran")
      for row in rows where !row.holds {
        Issue.record(
          """
          \(row.routine) on \(row.problem): ratio \(row.outcome.ratio), \(row.oracle)'s \
          \(row.outcome.lapackRatio), limit \(row.limit); again with \
          scripts/test --filter RoutineTests
          """)
      }
      lines += rows.map(\.line)
    }
    if let path = Self.reportPath {
      try (lines.joined(separator: "\n") + "\n").write(
        toFile: path, atomically: true, encoding: .utf8)
    }
  }
}
