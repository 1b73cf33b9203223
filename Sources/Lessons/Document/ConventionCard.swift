/// The degrees of freedom that a chapter's numbers depend on, each with its choice.
public struct ConventionCard: Sendable {
  public struct Row: Sendable {
    public let name: String
    public let choice: Prose
  }

  public private(set) var rows: [Row]

  /// The suite's conventions; a chapter says what it does otherwise, and adds what it needs.
  public init(_ own: KeyValuePairs<String, Prose> = [:]) {
    rows = [
      Row(name: "Scale", choice: "means over the examples, never sums"),
      Row(
        name: "Parameter vector",
        choice: #"$\mathrm{vec}$ stacks columns: $[W\ b]$ column by column, the bias last"#),
      Row(name: "Kronecker order", choice: #"$A \otimes G$: layer inputs left, output side right"#),
      Row(name: "Loss", choice: "negative log-likelihood, in nats"),
      Row(name: "Fisher", choice: "exact expectation over the model's own labels"),
      Row(name: "Arithmetic", choice: "double precision, one fixed order of operations"),
    ]
    for (name, choice) in own {
      if let index = rows.firstIndex(where: { $0.name == name }) {
        rows[index] = Row(name: name, choice: choice)
      } else {
        rows.append(Row(name: name, choice: choice))
      }
    }
  }
}
