import DataFiles

/// The files of one item: CSV tables, figures, CLAIM.md and a manifest.
public enum ReproductionFiles {
  /// Everything of an item, in memory, so that it is written together or not at all.
  ///
  /// Timings differ from run to run, so the manifest gives no digest of what depends on them.
  public static func all(
    _ item: ReproductionItem, _ result: ReproductionResult, options: [String: String],
    context: ReproductionContext
  ) throws -> [(name: String, bytes: [UInt8])] {
    var files: [(name: String, bytes: [UInt8])] = []
    for table in result.tables { files.append(("\(table.name).csv", table.csv)) }
    for (name, canvas) in result.figures {
      files.append(("\(name).svg", Array(canvas.svg().utf8)))
      files.append(("\(name).png", canvas.png()))
    }
    files.append(("CLAIM.md", Array(claim(item, result).utf8)))
    files.append(("claims.csv", claims(item, result)))
    let manifest = Manifest(
      options: options, seeds: context.seeds,
      data: context.data.small.files + context.data.training.files, files: files)
    files.append(("manifest.json", try manifest.encoded()))
    return files
  }

  /// The claims as a table, from which the overview of all items is made.
  static func claims(_ item: ReproductionItem, _ result: ReproductionResult) -> [UInt8] {
    CSV.encode(
      header: ["item", "title", "statement", "place", "finding", "verdict", "reason"],
      rows: result.claims.map { claim in
        [
          item.id, item.title, claim.statement, claim.place, claim.finding, claim.verdict.rawValue,
          claim.reason,
        ].map { .text($0) }
      })
  }

  /// CLAIM.md: the setting, then for each statement the words, the finding and the verdict.
  static func claim(_ item: ReproductionItem, _ result: ReproductionResult) -> String {
    var lines = ["# \(item.id): \(item.title)", "", result.setting, ""]
    for claim in result.claims {
      lines += [
        "## \(claim.verdict.rawValue)", "",
        item.isOfPaper ? "> \(claim.statement)" : claim.statement, "",
        item.isOfPaper ? "(THOR paper, \(claim.place).)" : "(\(claim.place).)", "",
        "Measured here: \(claim.finding)", "", "Why this verdict: \(claim.reason)", "",
      ]
    }
    if !result.remarks.isEmpty { lines += result.remarks.flatMap { [$0, ""] } }
    if !result.figures.isEmpty {
      lines += ["## Figures", ""]
      for (name, canvas) in result.figures {
        lines += ["![\(canvas.alternativeText)](\(name).svg)", ""]
      }
    }
    if !result.tables.isEmpty { lines += ["## Tables", ""] }
    for table in result.tables {
      lines += [
        "`\(table.name).csv`: \(table.title)"
          + (table.isTiming ? " Times depend on the machine and differ from run to run." : ""), "",
      ]
      lines += table.columns.map { "- `\($0.name)`: \($0.meaning)" } + [""]
    }
    return lines.joined(separator: "\n")
  }
}
