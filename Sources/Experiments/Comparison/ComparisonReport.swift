import Curvature
import Foundation
import Networks

/// What `natgrad compare` prints: a short table and two sentences, all read from the summary.
public struct ComparisonReport: Sendable {
  /// The table of the last measured iteration, network rows.
  public let table: String
  /// What trained the networks, with the constants of the training; nil for a given network.
  public let training: String?
  /// What was measured beside what the paper prints, and what each step keeps.
  public let sentences: [String]

  public init(_ comparison: Comparison, _ summary: ComparisonSummary) {
    let options = comparison.options
    table = ComparisonReport.table(options, summary)
    training = comparison.labels.learningRate.map { rate in
      let damping = options.training == .kfac ? ", λ \(options.trainingLambda)" : ""
      return "Training between iterations: \(comparison.labels.optimizer), learning rate "
        + "\(rate)\(damping), batch \(options.batch)."
    }
    sentences = [
      ComparisonReport.figureSentence(comparison, summary),
      ComparisonReport.stepSentence(options, summary),
    ].compactMap { $0 }
  }

  private static func table(_ options: ComparisonOptions, _ summary: ComparisonSummary) -> String {
    let last = options.iterations.last ?? 0
    var lines = [["structure", "rule", "solver", "rel. Frobenius", "eta", "F-cosine", "length"]]
    for row in summary.rows where row.iteration == last && row.place == .network {
      func cell(_ metric: ErrorMetric, _ reference: Reference) -> String {
        row.statistic(metric, reference).map { NumberFormat.short($0.mean) } ?? "-"
      }
      lines.append([
        row.structure.rawValue + (row.split.map { " \($0)" } ?? ""), row.rule.rawValue, row.solver,
        cell(.relativeFrobenius, .blocks), cell(.efficiency, .full), cell(.fisherCosine, .full),
        cell(.lengthRatio, .full),
      ])
    }
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let body = lines.map { line in
      zip(line, widths).enumerated().map { index, pair in
        let padding = String(repeating: " ", count: pair.1 - pair.0.count)
        return index < 3 ? pair.0 + padding : padding + pair.0
      }.joined(separator: "  ")
    }
    let head =
      "Iteration \(last), layers \(options.layers.lowerBound)-\(options.layers.upperBound) together, "
      + "λ = \(options.defaultLambda): error against the exact blocks, step against the full Fisher "
      + "(means over \(NumberFormat.seeds(options)))"
    return ([head] + body).joined(separator: "\n")
  }

  private static func figureSentence(_ comparison: Comparison, _ summary: ComparisonSummary)
    -> String?
  {
    let options = comparison.options
    let shown = options.iterations.filter { $0 > 0 }
    let parts = shown.compactMap { iteration -> String? in
      guard
        let relative = summary.statistic(
          .relativeFrobenius, .kfac, iteration: iteration, structure: .kfacSplit),
        let largest = summary.statistic(
          .maximumAbsolute, .kfac, iteration: iteration, structure: .kfacSplit)
      else { return nil }
      return "\(NumberFormat.percent(relative.mean)) ± \(NumberFormat.percent(relative.deviation)) "
        + "relative Frobenius (largest entry \(NumberFormat.short(largest.mean)) ± "
        + "\(NumberFormat.short(largest.deviation))) after \(iteration) iterations"
    }
    guard !parts.isEmpty else { return nil }
    return "Split \(options.split) against KFAC on \(comparison.dataset.name), start "
      + "\(comparison.labels.initialization), \(NumberFormat.seeds(options)): "
      + parts.joined(separator: ", ")
      + "; the paper (MNIST; norm, start and damping unstated) prints about 5 % after 10 and 1 % after 50."
  }

  private static func stepSentence(_ options: ComparisonOptions, _ summary: ComparisonSummary)
    -> String?
  {
    let last = options.iterations.last ?? 0
    let parts = options.structures.filter { $0 != .exact }.compactMap { kind -> String? in
      let rule = ComparisonOptions.preferredRule(of: kind)
      return summary.statistic(
        .efficiency, .full, iteration: last, structure: kind, rule: rule,
        lambda: options.defaultLambda, solver: "direct"
      ).map { "\(kind.rawValue) \(NumberFormat.percent($0.mean))" }
    }
    guard !parts.isEmpty else { return nil }
    return "Of the full Fisher's model decrease at λ = \(options.defaultLambda) and iteration "
      + "\(last), each structure's step at its best length keeps: " + parts.joined(separator: ", ")
      + "."
  }
}

/// Numbers for people; files carry all digits.
enum NumberFormat {
  /// Three significant digits.
  static func short(_ value: Double) -> String { String(format: "%.3g", value) }

  /// "5 seeds" or "1 seed".
  static func seeds(_ options: ComparisonOptions) -> String {
    options.seeds.count == 1 ? "1 seed" : "\(options.seeds.count) seeds"
  }

  /// A share in percent with two significant digits below 10 %, one decimal above.
  static func percent(_ value: Double) -> String {
    String(format: abs(value) < 0.1 ? "%.2g %%" : "%.1f %%", 100 * value)
  }
}

extension ComparisonReport {
  /// The report as JSON: the rows of the network at every iteration and the sentences.
  public static func json(_ comparison: Comparison, _ summary: ComparisonSummary) throws -> String {
    struct Entry: Encodable {
      let iteration: Int
      let layer: String
      let structure: String
      let split: Int?
      let dampingRule: String
      let lambda: Double
      let solver: String
      let relativeFrobeniusBlock: Double?
      let relativeFrobeniusFull: Double?
      let relativeFrobeniusKFAC: Double?
      let fisherCosine: Double?
      let eta: Double?
      let lengthRatio: Double?
    }
    struct Document: Encodable {
      let rows: [Entry]
      let sentences: [String]
    }
    let report = ComparisonReport(comparison, summary)
    let entries = summary.rows.map { row in
      Entry(
        iteration: row.iteration, layer: row.place.description, structure: row.structure.rawValue,
        split: row.split, dampingRule: row.rule.rawValue, lambda: row.lambda, solver: row.solver,
        relativeFrobeniusBlock: row.statistic(.relativeFrobenius, .blocks)?.mean,
        relativeFrobeniusFull: row.statistic(.relativeFrobenius, .full)?.mean,
        relativeFrobeniusKFAC: row.statistic(.relativeFrobenius, .kfac)?.mean,
        fisherCosine: row.statistic(.fisherCosine, row.stepReference)?.mean,
        eta: row.statistic(.efficiency, row.stepReference)?.mean,
        lengthRatio: row.statistic(.lengthRatio, row.stepReference)?.mean)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(
      decoding: try encoder.encode(Document(rows: entries, sentences: report.sentences)),
      as: UTF8.self)
  }
}
