import Foundation
import Synchronization
import Testing

/// Collects, over a whole test run, how close each algorithm came to its LAPACK oracle.
///
/// When the environment variable NATGRAD_LAPACK_TABLE names a file, the table is written there as
/// Markdown, anew after each row (there is no hook at the end of a test run).
public enum LapackComparison {
  private struct Row {
    var cases = 0
    var worst = 0.0
    var limit: Double
  }

  private struct Key: Hashable, Comparable {
    let algorithm: String
    let oracle: String
    static func < (left: Key, right: Key) -> Bool {
      (left.algorithm, left.oracle) < (right.algorithm, right.oracle)
    }
  }

  private static let rows = Mutex<[Key: Row]>([:])

  /// Expects the ratio within its limit and records it under the algorithm and oracle.
  public static func expect(
    _ ratio: Ratio, atMost limit: Double = 30, algorithm: String, oracle: String,
    _ name: String = "", seed: UInt64? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    record(algorithm: algorithm, oracle: oracle, ratio: ratio.value, limit: limit)
    expectRatio(
      ratio, atMost: limit, "\(algorithm) = \(oracle) \(name)", seed: seed,
      sourceLocation: sourceLocation)
  }

  /// Adds one case to the row of this algorithm and oracle.
  public static func record(
    algorithm: String, oracle: String, cases: Int = 1, ratio: Double, limit: Double = 30
  ) {
    rows.withLock { rows in
      var row = rows[Key(algorithm: algorithm, oracle: oracle)] ?? Row(limit: limit)
      row.cases += cases
      row.worst = ratio.isNaN || row.worst.isNaN ? .nan : max(row.worst, ratio)
      row.limit = max(row.limit, limit)
      rows[Key(algorithm: algorithm, oracle: oracle)] = row
      if let path = ProcessInfo.processInfo.environment["NATGRAD_LAPACK_TABLE"] {
        write(rows, to: path)
      }
    }
  }

  private static func write(_ rows: [Key: Row], to path: String) {
    var text = """
      # Agreement with LAPACK

      Worst residual ratio ‖r‖₁/(n‖A‖₁ε) over all cases of this run; LAPACK's own limit is 30.
      Oracle: \(LAPACK.library)

      | algorithm | oracle | cases | worst ratio | limit |
      |---|---|---:|---:|---:|

      """
    for (key, row) in rows.sorted(by: { $0.key < $1.key }) {
      let worst = String(format: "%.3g", row.worst)
      text +=
        "| \(key.algorithm) | \(key.oracle) | \(row.cases) | \(worst) | \(row.limit.formatted()) |\n"
    }
    do {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      Issue.record("The table of LAPACK comparisons could not be written to \(path): \(error)")
    }
  }
}
