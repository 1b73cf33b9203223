import Foundation
import Synchronization
import Testing

/// How a claim is tested (spec, section 10).
public enum PropertyKind: String, Sendable, CaseIterable {
  /// Exact up to round-off.
  case equal
  /// Holds up to round-off.
  case inequality
  /// A limit, or the rate at which it is approached.
  case limit
  /// Must fail to hold on generic input: catches a test that always passes.
  case counterProperty = "counter-property"
  /// Holds within a confidence bound.
  case statistical
}

/// The table of all properties that ran, which `natgrad list properties` shows.
///
/// When the environment variable NATGRAD_PROPERTY_TABLE names a file, the table is written there as
/// CSV, anew after each row (there is no hook at the end of a test run).
enum PropertyTable {
  struct Row {
    var number: String
    var claim: String
    var kind: PropertyKind
    var oracle: String
    var test: String
    var cases: Int
    var worst: Measurement?
  }

  private static let rows = Mutex<[Row]>([])

  /// A claim tried more than once (a parameterised test) is one row: cases add up, the worst stays.
  /// Only numbers of the catalogue are listed: the runner's own tests use others.
  static func add(_ row: Row) {
    guard row.number.hasPrefix("P-") else { return }
    rows.withLock { rows in
      let same = rows.firstIndex {
        $0.number == row.number && $0.kind == row.kind && $0.claim == row.claim
      }
      if let same {
        rows[same].cases += row.cases
        if let worst = row.worst, worst.use >= rows[same].worst?.use ?? -1 {
          rows[same].worst = worst
        }
      } else {
        rows.append(row)
      }
      if let path = PropertyRun.tablePath { write(rows, to: path) }
    }
  }

  private static func write(_ rows: [Row], to path: String) {
    var text = "number,claim,kind,oracle,cases,measured,bound,limit,test\n"
    let order = rows.sorted {
      // P-99 before P-100.
      ($0.number.count, $0.number, $0.kind.rawValue, $0.claim)
        < ($1.number.count, $1.number, $1.kind.rawValue, $1.claim)
    }
    for row in order {
      let worst = row.worst
      let fields = [
        row.number, row.claim, row.kind.rawValue, row.oracle, "\(row.cases)",
        worst.map { String(format: "%.3g", $0.measured) } ?? "",
        worst.map { $0.bound == .atMost ? "at most" : "at least" } ?? "",
        worst.map { String(format: "%.3g", $0.limit) } ?? "", row.test,
      ]
      text += fields.map(quoted).joined(separator: ",") + "\n"
    }
    do {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      Issue.record("The table of properties could not be written to \(path): \(error)")
    }
  }

  private static func quoted(_ field: String) -> String {
    guard field.contains(where: { $0 == "," || $0 == "\"" }) else { return field }
    return "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
