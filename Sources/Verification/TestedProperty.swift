import DataFiles

/// One line of the table that the tests write about the catalogue of properties.
///
/// The numbers are those of the catalogue (spec, section 10). `measured` is the worst value over all
/// cases: a residual ratio ‖r‖/(n‖A‖ε), an excess in the same unit, a distance, an order of
/// convergence or a z-score, as the kind says; `bound` is "at most" or "at least" the limit.
public struct TestedProperty: Equatable, Sendable {
  public let number: String
  public let claim: String
  public let kind: String
  public let oracle: String
  public let cases: Int
  public let measured: Double
  public let bound: String
  public let limit: Double

  /// Takes the cells as they are.
  public init(
    number: String, claim: String, kind: String, oracle: String, cases: Int, measured: Double,
    bound: String, limit: Double
  ) {
    self.number = number
    self.claim = claim
    self.kind = kind
    self.oracle = oracle
    self.cases = cases
    self.measured = measured
    self.bound = bound
    self.limit = limit
  }

  /// The columns that are read; others may stand beside them.
  public static let columns = [
    "number", "claim", "kind", "oracle", "cases", "measured", "bound", "limit",
  ]

  /// The rows of a table, in its order.
  ///
  /// Throws `DataFileError` where a column is missing or a number is not one.
  public static func table(_ bytes: [UInt8], name: String) throws(DataFileError) -> [TestedProperty]
  {
    let (header, rows) = try CSV.decode(bytes, name: name)
    var places: [Int] = []
    for column in columns {
      guard let place = header.firstIndex(of: column) else {
        throw DataFileError(
          "\(name) has no column '\(column)'. Write the table anew with scripts/update-properties.")
      }
      places.append(place)
    }
    var properties: [TestedProperty] = []
    for row in rows {
      let cells = places.map { row[$0] }
      guard let cases = Int(cells[4]), let measured = Double(cells[5]), let limit = Double(cells[7])
      else {
        throw DataFileError(
          "\(name): the row of \(cells[0]) has '\(cells[4])', '\(cells[5])' and '\(cells[7])' where "
            + "numbers are expected. Write the table anew with scripts/update-properties.")
      }
      properties.append(
        TestedProperty(
          number: cells[0], claim: cells[1], kind: cells[2], oracle: cells[3], cases: cases,
          measured: measured, bound: cells[6], limit: limit))
    }
    return properties
  }
}
