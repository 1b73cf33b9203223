import DataFiles
import Experiments
import Foundation
import Networks

/// The specification curve as chapter 09 shows it: fewer levels than `natgrad reproduce`, one seed.
struct SplitCurve {
  /// Every reading with its errors after 10 and after 50 iterations.
  let readings: [(at10: Double, at50: Double)]
  /// Shares by level, and the variance that each choice explains.
  let choices, variance: ResultTable
  /// The readings in relative Frobenius norm with exact labels and the bias in A.
  let frobenius: ResultTable
  /// Quantiles of the errors over all readings.
  let quantiles: ResultTable
  /// How many readings lie in each cell of the plane of both errors.
  let density: ResultTable

  static func settings() -> SpecificationChoices {
    var choices = SpecificationChoices(seeds: [1])
    choices.activations = [.relu, .tanh]
    choices.trainings = [0, 2, 4, 5].map { choices.trainings[$0] }
    return choices
  }

  /// The cells of the density: eight to a decade from 10⁻⁵.
  static let lower = 1e-5
  static let upper = 10.0
  static let perDecade = 8

  init(_ context: ChapterContext) throws {
    let result = try SpecificationCurve.result(
      SplitCurve.settings(), data: context.fashionMNIST.dataset, context.progress)
    func table(_ name: String) -> ResultTable {
      guard let table = result.tables.first(where: { $0.name == name }) else {
        preconditionFailure("no table \(name)")
      }
      return table
    }
    let all = table("readings")
    choices = table("choices")
    variance = table("variance")
    readings = SplitCurve.pairs(all)
    frobenius = SplitCurve.frobenius(all)
    quantiles = SplitCurve.quantiles(readings)
    density = SplitCurve.density(readings)
  }

  private static func place(_ column: String, _ table: ResultTable) -> Int {
    guard let place = table.columns.firstIndex(where: { $0.name == column }) else {
      preconditionFailure("table \(table.name) has no column \(column)")
    }
    return place
  }

  private static func number(_ cell: CSV.Cell) -> Double? {
    if case .number(let value) = cell { value } else { nil }
  }

  private static func pairs(_ table: ResultTable) -> [(at10: Double, at50: Double)] {
    var pairs: [(at10: Double, at50: Double)] = []
    for norm in SplitError.Norm.allCases {
      let ten = place("\(norm.rawValue) 10", table)
      let fifty = place("\(norm.rawValue) 50", table)
      for row in table.rows {
        guard let at10 = number(row[ten]), let at50 = number(row[fifty]) else { continue }
        pairs.append((at10, at50))
      }
    }
    return pairs
  }

  private static func frobenius(_ table: ResultTable) -> ResultTable {
    let names = ["layers", "start", "activation", "training", "λ in the matrices"]
    var result = ResultTable(
      "curve-frobenius",
      "The readings in relative Frobenius norm with exact labels and the bias in A.",
      names.map { ($0, "its level") } + [("at_10", "after 10 iterations"), ("at_50", "after 50")])
    let (labels, bias) = (place("labels", table), place("bias in A", table))
    let errors = [10, 50].map { place("relative Frobenius \($0)", table) }
    for row in table.rows
    where CSV.text(of: row[labels]) == "exact" && CSV.text(of: row[bias]) == "in" {
      result.append(names.map { row[place($0, table)] } + errors.map { row[$0] })
    }
    return result
  }

  private static func quantiles(_ readings: [(at10: Double, at50: Double)]) -> ResultTable {
    var table = ResultTable(
      "curve-quantiles", "Quantiles of the error over all readings.",
      [
        ("share", "share of the readings with a smaller error"),
        ("at_10", "error after 10 iterations"), ("at_50", "error after 50"),
      ])
    let (ten, fifty) = (readings.map(\.at10).sorted(), readings.map(\.at50).sorted())
    for step in 0...100 {
      let share = Double(step) / 100
      table.append([
        .number(share), .number(Quantiles.quantile(share, ofSorted: ten)),
        .number(Quantiles.quantile(share, ofSorted: fifty)),
      ])
    }
    return table
  }

  /// The cell of an error along one axis; nil outside the plane.
  private static func cell(_ error: Double) -> Int? {
    guard error >= lower, error < upper else { return nil }
    return Int((log10(error / lower) * Double(perDecade)).rounded(.down))
  }

  static var cellCount: Int { Int((log10(upper / lower) * Double(perDecade)).rounded()) }

  private static func density(_ readings: [(at10: Double, at50: Double)]) -> ResultTable {
    var counts = Array(repeating: 0, count: cellCount * cellCount)
    for reading in readings {
      guard let x = cell(reading.at10), let y = cell(reading.at50) else { continue }
      counts[y * cellCount + x] += 1
    }
    var table = ResultTable(
      "curve-density", "Readings by both errors; eight cells to a decade.",
      [
        ("column", "cell of the error after 10 iterations, from 0 at 1e-5"),
        ("row", "cell of the error after 50 iterations, from 0 at 1e-5"),
        ("readings", "how many"),
      ])
    for index in counts.indices where counts[index] > 0 {
      table.append([
        .integer(index % cellCount), .integer(index / cellCount), .integer(counts[index]),
      ])
    }
    return table
  }

  /// How many readings lie in the plane of the density.
  var countInPlane: Int {
    density.rows.reduce(0) { sum, row in
      if case .integer(let count) = row[2] { sum + count } else { sum }
    }
  }
}
