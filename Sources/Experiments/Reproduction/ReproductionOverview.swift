import DataFiles
import Foundation

/// The verdicts of all finished items of a folder.
public struct ReproductionOverview: Sendable {
  /// One claim of one item.
  public struct Row: Equatable, Sendable {
    public let item: String
    public let statement: String
    public let finding: String
    public let verdict: String
  }

  public let rows: [Row]

  /// Reads `claims.csv` of every item that has a folder there, in the order of the catalogue.
  public init(folder: String) throws {
    var rows: [Row] = []
    for item in ReproductionItem.all {
      let path = "\(folder)/\(item.id)/claims.csv"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let table = try CSV.decode(try InputFile.read(path: path), name: path)
      func column(_ name: String) throws -> Int {
        guard let index = table.header.firstIndex(of: name) else {
          throw DataFileError(
            "\(path) has no column \"\(name)\"; a file of natgrad reproduce was expected. Delete the "
              + "folder and run the item again.")
        }
        return index
      }
      let indices = try ["item", "statement", "finding", "verdict"].map(column)
      for row in table.rows {
        let cells = indices.map { row[$0] }
        rows.append(
          Row(item: cells[0], statement: cells[1], finding: cells[2], verdict: cells[3]))
      }
    }
    self.rows = rows
  }

  /// A Markdown table of all claims.
  public var markdown: String {
    func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
    let head = ["| item | statement | measured here | verdict |", "|---|---|---|---|"]
    return
      (head
      + rows.map {
        "| [\($0.item)](\($0.item)/CLAIM.md) | \(cell($0.statement)) | \(cell($0.finding)) | \($0.verdict) |"
      }).joined(separator: "\n") + "\n"
  }

  /// The verdicts of some items for a terminal.
  public func text(of items: [String]) -> String {
    rows.filter { items.contains($0.item) }.map {
      "\($0.item): \($0.verdict)\n  \($0.statement)\n  here: \($0.finding)"
    }.joined(separator: "\n")
  }
}

extension ReproductionFiles {
  /// Whether an item's folder holds the result of the same options and seeds, by its manifest.
  public static func isFinished(at place: String, options: [String: String], seeds: [UInt64])
    -> Bool
  {
    struct Written: Decodable {
      let version: String
      let options: [String: String]
      let seeds: [UInt64]
    }
    guard let data = FileManager.default.contents(atPath: "\(place)/manifest.json"),
      let written = try? JSONDecoder().decode(Written.self, from: data)
    else { return false }
    return written.version == Natgrad.version && written.options == options
      && written.seeds == seeds
  }
}
