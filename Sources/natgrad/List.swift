import ArgumentParser
import Curvature
import DataFiles
import Experiments
import Fixtures
import Networks
import Verification

/// Everything that has a name, with one sentence each.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Explain every structure, damping rule, solver, metric, reference, data set, file column, "
      + "catalogued mistake and tested property.",
    discussion: """
      Numbers in brackets are sections of the specification that the sources cite.

      EXAMPLES
        natgrad list
        natgrad list metrics
        natgrad list properties
        natgrad list mistakes --distances mistakes.csv
        natgrad list mistakes --trajectory-distances trajectory-mistakes.csv
      """)

  @Argument(
    help: """
      One topic: structures, rules, solvers, metrics, references, optimizers, datasets, columns, arrays, \
      mistakes or properties.
      """
  )
  var topic: String?

  @Option(
    help: """
      With the topic mistakes: write the matrix of their distances to this CSV file. Row by row the \
      dump of a mistake on its home setting against that of the right code and of every other \
      mistake: the largest relative Frobenius difference of a common quantity, 'shape' where sizes \
      differ, 'n/a' where the other mistake does not apply there.
      """)
  var distances: String?

  @Option(
    help: """
      With the topic mistakes: the same matrix of the mistakes that need an optimizer's memory, each on \
      the short training run of its home.
      """)
  var trajectoryDistances: String?

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
    (
      "optimizers",
      OptimizerMethod.allCases.map { method in
        let rules =
          method.isSecondOrder
          ? "; rules: " + method.rules.map(\.rawValue).joined(separator: ", ") : ""
        return (method.rawValue, method.explanation + rules)
      }
    ),
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
    (
      "mistakes",
      MistakeCatalogue.all.map { mistake in
        let tests = mistake.caughtBy.map(\.description).joined(separator: ", ")
        return (mistake.id, "\(mistake.name). Mark: \(mistake.mark). Caught by: \(tests)")
      }
    ),
  ]

  /// What the tests measured when their table was last written, a property a line.
  private static func properties() throws -> [(name: String, meaning: String)] {
    let path = try Fixtures.path("reports/properties.csv")
    return try TestedProperty.table(InputFile.read(path: path), name: path).map { property in
      (
        property.number,
        "\(property.claim) [\(property.kind); oracle: \(property.oracle); cases: \(property.cases); "
          + "worst: \(property.measured), limit: \(property.bound) \(property.limit)]"
      )
    }
  }

  func run() throws {
    var shown = List.topics
    if let topic {
      let names = List.topics.map(\.name) + ["properties"]
      let chosen = try UserInput.choice(topic, option: "topic", among: names.map { ($0, $0) })
      shown = shown.filter { $0.name == chosen }
    }
    // Read only where it is shown: everything else needs no file.
    if topic == nil || shown.isEmpty { shown.append(("properties", try List.properties())) }
    if let distances {
      try check("--distances", distances)
      try AtomicFile.write(MistakeDistances(Mistake.all).csv, to: distances)
    }
    if let trajectoryDistances {
      try check("--trajectory-distances", trajectoryDistances)
      try AtomicFile.write(
        MistakeDistances(TrajectoryMistake.all).csv, to: trajectoryDistances)
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

  /// Refuses an option that only mistakes have.
  private func check(_ option: String, _ path: String) throws {
    guard topic == "mistakes" else {
      throw UserInputError(
        description:
          "\(option) \(path): the topic is \(topic ?? "not given"), and distances are those of "
          + "mistakes; write natgrad list mistakes \(option) \(path).")
    }
  }
}
