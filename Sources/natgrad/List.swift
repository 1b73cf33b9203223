import ArgumentParser
import Curvature
import Experiments
import Networks
import Verification

/// Everything that has a name, with one sentence each.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Explain every structure, damping rule, solver, metric, reference, data set and file column.",
    discussion: """
      Numbers in brackets are sections of the specification that the sources cite.

      EXAMPLES
        natgrad list
        natgrad list metrics
      """)

  @Argument(
    help: "One topic: structures, rules, solvers, metrics, references, datasets, columns or arrays."
  )
  var topic: String?

  private static let topics: [(name: String, entries: [(name: String, meaning: String)])] = [
    (
      "structures",
      StructureKind.allCases.map { kind in
        (
          kind.rawValue,
          kind.explanation + "; rules: " + kind.rules.map(\.rawValue).joined(separator: ", ")
        )
      }
    ),
    ("rules", DampingRule.allCases.map { ($0.rawValue, $0.explanation) }),
    (
      "solvers",
      [("direct", "Cholesky factors or eigendecompositions of the structure")]
        + MatrixFreeSolver.Operator.allCases.map { ($0.rawValue, $0.explanation) }
    ),
    (
      "metrics",
      ErrorMetric.allCases.map { ($0.rawValue, "[\($0.family.rawValue)] \($0.explanation)") }
    ),
    ("references", Reference.allCases.map { ($0.rawValue, $0.explanation) }),
    ("datasets", DatasetSource.named.map { ($0.name, $0.explanation) }),
    (
      "columns",
      Comparison.columns.map { ("comparison.csv \($0.name)", $0.meaning) }
        + ComparisonSummary.columns.map { ("summary.csv \($0.name)", $0.meaning) }
    ),
    (
      "arrays",
      (NetworkArrays.documentation.map { ("--weights \($0.pattern)", $0) }
        + DataArrays.documentation.map { ("--data \($0.pattern)", $0) }
        + Quantities.documentation.map { ("--arrays \($0.pattern)", $0) })
        .map { ($0.0, "\($0.1.shape): \($0.1.meaning)") }
    ),
  ]

  func run() throws {
    var shown = List.topics
    if let topic {
      let chosen = try UserInput.choice(
        topic, option: "topic", among: List.topics.map { ($0.name, $0.name) })
      shown = shown.filter { $0.name == chosen }
    }
    for (index, topic) in shown.enumerated() {
      if index > 0 { print() }
      print(topic.name.uppercased())
      let width = topic.entries.map(\.name.count).max() ?? 0
      for entry in topic.entries {
        let padding = String(repeating: " ", count: width - entry.name.count)
        print("  \(entry.name)\(padding)  \(entry.meaning)")
      }
    }
  }
}
