import DataFiles
import Experiments
import Foundation
import Testing

/// The frame of `natgrad reproduce`: files, verdicts, and what counts as finished.
@Suite("Reproduction frame")
struct ReproductionTests {
  static let claim = Claim(
    "a | b", place: "Figure 0", finding: "1, \"two\"", verdict: .inFormOnly, reason: "because")

  static func item(_ id: String = "figure-0") -> ReproductionItem {
    ReproductionItem(id, "a test") { _ in
      var table = ResultTable("numbers", "Two numbers.", [("x", "one"), ("y", "another")])
      table.append([.number(0.1), .integer(2)])
      return ReproductionResult(setting: "Here.", claims: [claim], tables: [table])
    }
  }

  static func context() throws -> ReproductionContext {
    let data = ReproductionData(
      small: try DatasetSource.digits.load(widths: []),
      training: try DatasetSource.digits.loadParts(widths: []))
    return ReproductionContext(
      isQuick: true, seeds: [1, 2], data: data, progress: { _, _, _ in })
  }

  @Test(
    "An item's folder holds tables, CLAIM.md with words and verdict, and a manifest of all digests")
  func files() throws {
    let (item, context) = (ReproductionTests.item(), try ReproductionTests.context())
    let files = try ReproductionFiles.all(
      item, item.run(context), options: ["quick": "true"], context: context)
    #expect(files.map(\.name) == ["numbers.csv", "CLAIM.md", "claims.csv", "manifest.json"])
    let text = files.map { String(decoding: $0.bytes, as: UTF8.self) }
    #expect(text[0] == "x,y\n0.1,2\n")
    for part in [
      "# figure-0: a test", "> a | b", "in form only", "Why this verdict: because", "`y`: another",
    ] {
      #expect(text[1].contains(part), "\(part)")
    }
    #expect(text[3].contains(SHA256.hexDigest(files[0].bytes)))
  }

  @Test("A folder is finished for its own options and seeds alone")
  func finished() throws {
    let (item, context) = (ReproductionTests.item(), try ReproductionTests.context())
    let folder = NSTemporaryDirectory() + "natgrad-reproduction-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(!ReproductionFiles.isFinished(at: folder, options: ["quick": "true"], seeds: [1, 2]))
    try AtomicFolder(path: folder).write(
      ReproductionFiles.all(
        item, item.run(context), options: ["quick": "true"], context: context))
    #expect(ReproductionFiles.isFinished(at: folder, options: ["quick": "true"], seeds: [1, 2]))
    #expect(!ReproductionFiles.isFinished(at: folder, options: ["quick": "false"], seeds: [1, 2]))
    #expect(!ReproductionFiles.isFinished(at: folder, options: ["quick": "true"], seeds: [1]))
  }

  @Test("The overview escapes what would break its table")
  func overview() throws {
    let folder = NSTemporaryDirectory() + "natgrad-reproduction-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // The id of an item of the catalogue, since only those are looked for.
    let id = try #require(ReproductionItem.all.first?.id)
    let (item, context) = (ReproductionTests.item(id), try ReproductionTests.context())
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try AtomicFolder(path: "\(folder)/\(id)").write(
      ReproductionFiles.all(item, item.run(context), options: [:], context: context))
    let overview = try ReproductionOverview(folder: folder)
    #expect(overview.rows.count == 1 && overview.rows[0].finding == "1, \"two\"")
    #expect(overview.markdown.contains("| a \\| b | 1, \"two\" | in form only |"))
  }

  @Test("Item names are unique, in kebab case, and explained")
  func catalogue() {
    let ids = ReproductionItem.all.map(\.id)
    #expect(Set(ids).count == ids.count)
    for item in ReproductionItem.all {
      #expect(item.id.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "\(item.id)")
      #expect(item.title.count >= 20, "\(item.id)")
    }
    // The paper's items come first.
    let firstBeyond = ReproductionItem.all.firstIndex { !$0.isOfPaper } ?? ids.count
    #expect(ReproductionItem.all[firstBeyond...].allSatisfy { !$0.isOfPaper })
  }
}
