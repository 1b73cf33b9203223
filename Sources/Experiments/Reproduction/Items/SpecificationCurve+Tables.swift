import DataFiles
import Foundation

extension SpecificationCurve {
  typealias Choice = SpecificationChoices.Choice

  static func shares(_ readings: [SpecificationReading], _ choices: SpecificationChoices)
    -> ResultTable
  {
    var table = ResultTable(
      "choices", "Shares of readings by the level of each choice.",
      [
        ("choice", "what the paper leaves unstated, or all"), ("level", "its value"),
        ("readings", "how many"), ("five_at_10", "share with 3–7 % after 10 iterations"),
        ("one_at_50", "share with 0.5–2 % after 50"), ("both", "share with both"),
        ("halved", "share that falls by a factor of at least two"),
        ("median_10", "median error after 10"), ("median_50", "median error after 50"),
      ])
    func add(_ choice: String, _ level: String, _ these: [SpecificationReading]) {
      let shares = SpecificationAnalysis.Shares(these)
      table.append([
        .text(choice), .text(level), .integer(shares.count), .number(shares.five),
        .number(shares.one), .number(shares.both), .number(shares.halved),
        .number(Quantiles.median(these.map(\.at10))), .number(Quantiles.median(these.map(\.at50))),
      ])
    }
    add("all", "all", readings)
    for choice in Choice.allCases {
      for (index, level) in choices.levels(choice).enumerated() {
        let these = readings.filter { $0.level(of: choice) == index }
        if !these.isEmpty { add(choice.name, level, these) }
      }
    }
    return table
  }

  static func variance(_ readings: [SpecificationReading]) -> ResultTable {
    var table = ResultTable(
      "variance", "The share of variance that each choice explains by itself, one-way η².",
      [
        ("readings", "all norms together, or one norm"),
        ("choice", "what the paper leaves unstated"),
        ("after_10", "η² of the log error after 10 iterations"), ("after_50", "after 50"),
        ("ratio", "η² of the log of the error after 50 over that after 10"),
      ])
    let scopes: [(String, [SpecificationReading])] =
      [("all norms", readings)]
      + SplitError.Norm.allCases.enumerated().map { index, norm in
        (norm.rawValue, readings.filter { $0.level(of: .norm) == index })
      }
    for (name, these) in scopes where !these.isEmpty {
      for choice in Choice.allCases where name == "all norms" || choice != .norm {
        table.append(
          [.text(name), .text(choice.name)]
            + SpecificationAnalysis.Outcome.allCases.map {
              .number(SpecificationAnalysis.explained(these, by: choice, $0))
            })
      }
    }
    return table
  }

  /// One line for all seeds and norms of a combination.
  static func table(of readings: [SpecificationReading], _ choices: SpecificationChoices)
    -> ResultTable
  {
    let shown = Choice.allCases.filter { $0 != .norm && $0 != .seed }
    let norms = SplitError.Norm.allCases
    var columns = shown.map { ($0.name, "its level") }
    columns.append(("seeds", "how many runs did not diverge"))
    for norm in norms {
      for iteration in [10, 50] {
        columns.append(
          (
            "\(norm.rawValue) \(iteration)",
            "\(norm.explanation) after \(iteration) iterations: median over the seeds, four digits"
          ))
      }
    }
    var table = ResultTable(
      "readings", "Every reading, the seeds condensed to their median.", columns)
    for cell in SpecificationAnalysis.cells(readings) {
      let seeds = cell.byNorm.values.map(\.count).max() ?? 0
      table.append(
        shown.map { .text(choices.levels($0)[Int(cell.levels[$0.rawValue])]) }
          + [.integer(seeds)]
          + norms.indices.flatMap { norm -> [CSV.Cell] in
            guard let these = cell.byNorm[norm] else { return [.empty, .empty] }
            return [these.map(\.at10), these.map(\.at50)].map {
              .number(fourDigits(Quantiles.median($0)))
            }
          })
    }
    return table
  }

  private static func fourDigits(_ value: Double) -> Double {
    Double(String(format: "%.3e", value)) ?? value
  }
}
