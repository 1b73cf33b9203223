import DataFiles
import Foundation

/// The files of a results folder, made in memory so that they are written together or not at all.
public enum ComparisonFiles {
  /// The two tables, the figures as SVG and PNG, and the manifest with the digests of all of them.
  public static func all(
    _ comparison: Comparison, _ summary: ComparisonSummary, options: [String: String],
    data: [(name: String, sha256: String)]
  ) throws -> [(name: String, bytes: [UInt8])] {
    var files: [(name: String, bytes: [UInt8])] = [
      ("summary.csv", summary.csv(seeds: comparison.options.seeds.count)),
      ("comparison.csv", comparison.csv()),
    ]
    for (name, canvas) in try ComparisonFigures(comparison, summary).canvases {
      files.append(("\(name).svg", Array(canvas.svg().utf8)))
      files.append(("\(name).png", canvas.png()))
    }
    let manifest = Manifest(
      options: options, seeds: comparison.options.seeds, data: data, files: files)
    files.append(("manifest.json", try manifest.encoded()))
    return files
  }
}
