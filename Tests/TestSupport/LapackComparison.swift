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
    let rule: String
    let oracle: String
    static func < (left: Key, right: Key) -> Bool {
      (left.algorithm, left.rule, left.oracle) < (right.algorithm, right.rule, right.oracle)
    }
  }

  private static let tablePath = ProcessInfo.processInfo.environment["NATGRAD_LAPACK_TABLE"].flatMap
  {
    $0.isEmpty ? nil : $0
  }

  private static let rows = Mutex<[Key: Row]>([:])

  /// Expects the ratio within its limit and records it under the algorithm, rule and oracle.
  public static func expect(
    _ ratio: Ratio, atMost limit: Double = 30, algorithm: String, rule: String = "",
    oracle: String, cases: Int = 1, _ name: String = "", seed: UInt64? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    record(
      algorithm: algorithm, rule: rule, oracle: oracle, cases: cases, ratio: ratio.value,
      limit: limit)
    expectRatio(
      ratio, atMost: limit, "\(algorithm) \(rule) = \(oracle) \(name)", seed: seed,
      sourceLocation: sourceLocation)
  }

  /// The same for a ratio that is a single number.
  public static func expect(
    _ ratio: Double, atMost limit: Double = 30, algorithm: String, rule: String = "",
    oracle: String, cases: Int = 1, _ name: String = "", seed: UInt64? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    record(
      algorithm: algorithm, rule: rule, oracle: oracle, cases: cases, ratio: ratio, limit: limit)
    if ratio <= limit { return }
    let seedText = seed.map { ", seed \($0)" } ?? ""
    Issue.record(
      "\(algorithm) \(rule) = \(oracle) \(name)\(seedText): ratio \(ratio), limit \(limit)",
      sourceLocation: sourceLocation)
  }

  /// Adds one case to the row of this algorithm, rule and oracle.
  public static func record(
    algorithm: String, rule: String = "", oracle: String, cases: Int = 1, ratio: Double,
    limit: Double = 30
  ) {
    let key = Key(algorithm: algorithm, rule: rule, oracle: oracle)
    rows.withLock { rows in
      var row = rows[key] ?? Row(limit: limit)
      row.cases += cases
      row.worst = ratio.isNaN || row.worst.isNaN ? .nan : max(row.worst, ratio)
      row.limit = max(row.limit, limit)
      rows[key] = row
      if let tablePath { write(rows, to: tablePath) }
    }
  }

  private static func write(_ rows: [Key: Row], to path: String) {
    var text = """
      # Agreement with LAPACK

      Worst residual ratio ‖r‖₁/(n‖A‖₁ε) over all cases of this run; LAPACK's own limit is 30.
      Oracle: \(LAPACK.library)

      | algorithm | rule | oracle | cases | worst ratio | limit |
      |---|---|---|---:|---:|---:|

      """
    for (key, row) in rows.sorted(by: { $0.key < $1.key }) {
      let worst = String(format: "%.3g", row.worst)
      text += "| \(key.algorithm) | \(key.rule) | \(key.oracle) | \(row.cases) | \(worst) "
      text += "| \(row.limit.formatted()) |\n"
    }
    do {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      Issue.record("The table of LAPACK comparisons could not be written to \(path): \(error)")
    }
  }
}
