import DataFiles
import Foundation

/// How far the dumps of all mistakes are apart on the home setting of each.
///
/// Row i is measured on the home of mistake i: the distance of its dump to that of the right recipe
/// and of every other mistake, max over common quantities of the relative Frobenius difference.
public struct MistakeDistances: Sendable {
  /// One cell of the matrix.
  public enum Cell: Equatable, Sendable {
    /// The relative Frobenius difference, rounded to four digits; below 1e-12 it is 0.
    case difference(Double)
    /// Matrices of this name have different sizes.
    case shapes(name: String)
    /// The mistake of the column makes no difference on this home.
    case notApplicable(String)
  }

  /// The mistakes, in the order of rows and columns.
  public let ids: [String]
  /// The names of their homes.
  public let homes: [String]
  /// One row per mistake: first the distance to the right dump, then to every mistake.
  public let rows: [[Cell]]

  /// Computes the matrix; every dump of a home is computed once.
  public init<M: CataloguedMistake>(_ mistakes: [M]) throws {
    self.ids = mistakes.map(\.id)
    self.homes = mistakes.map(\.home.name)
    var dumps: [String: [CurvatureDump?]] = [:]
    self.rows = try mistakes.indices.map { row in
      let home = mistakes[row].home
      let all =
        try dumps[home.name]
        ?? [M.rightDump(home)]
        + mistakes.map { try $0.whyNotApplicable(to: home) == nil ? $0.dump(home) : nil }
      dumps[home.name] = all
      guard let own = all[row + 1] else {
        preconditionFailure("\(mistakes[row].id) does not apply to its home \(home.name)")
      }
      return all.enumerated().map { column, other in
        guard let other else {
          return .notApplicable(mistakes[column - 1].whyNotApplicable(to: home) ?? "")
        }
        switch own.distance(to: other) {
        case .difference(let value, _): return .difference(MistakeDistances.rounded(value))
        case .shapes(let name): return .shapes(name: name)
        }
      }
    }
  }

  /// The bytes of the CSV file: `mistake,home,right,M-01,…`, cells a number, `shape of layer1.A` or
  /// `n/a: needs biases`.
  public var csv: [UInt8] {
    CSV.encode(
      header: ["mistake", "home", "right"] + ids,
      rows: ids.indices.map { row in
        [.text(ids[row]), .text(homes[row])]
          + rows[row].map { cell in
            switch cell {
            case .difference(let value): .number(value)
            case .shapes(let name): .text("shape of \(name)")
            case .notApplicable(let reason): .text("n/a: \(reason)")
            }
          }
      })
  }

  /// Four significant digits: the rest depends on the C library's exp and tanh.
  private static func rounded(_ value: Double) -> Double {
    value < 1e-12 ? 0 : Double(String(format: "%.3e", value)) ?? value
  }
}
