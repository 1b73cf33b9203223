import DataFiles
import Experiments
import Foundation

/// Computes chapters and writes them; computes them again and compares.
public struct LessonsExport: Sendable {
  public let catalogue: [Chapter]
  public let context: ChapterContext
  public let repository: String

  public init(
    catalogue: [Chapter] = Chapter.all, context: ChapterContext,
    repository: String = SourceExcerpt.repository
  ) {
    self.catalogue = catalogue
    self.context = context
    self.repository = repository
  }

  /// The chapters' files, computed.
  public func files(of chapter: Chapter) throws -> ChapterFiles {
    try ChapterFiles(
      chapter, try chapter.write(context), catalogue: catalogue, repository: repository)
  }

  private static let pageNames = ["README.md", "glossary.md", "conventions.md"]

  /// The pages around the chapters, by path.
  public var pages: [(path: String, bytes: [UInt8])] {
    let texts = [IndexPage.text(catalogue), Glossary.text(catalogue), ConventionSheet.text]
    return zip(LessonsExport.pageNames, texts).map { ($0, Array($1.utf8)) }
  }

  /// Throws `DataFileError` where a folder has pages that no export wrote, which would be lost.
  public static func check(folder: String) throws(DataFileError) {
    let manager = FileManager.default
    if manager.fileExists(atPath: "\(folder)/manifest.json") { return }
    for page in pageNames
    where manager.fileExists(atPath: "\(folder)/\(page)") {
      throw DataFileError(
        "\(folder)/\(page): this file is not of an export, and it would be replaced. Name another "
          + "folder.")
    }
  }

  /// Writes some chapters and all pages into a folder, each file whole or not at all, then the
  /// manifest. Chapters that are not written keep their files and their place in the manifest.
  ///
  /// Files of an earlier export that the new one no longer has are removed.
  public func write(_ written: [ChapterFiles], to folder: String) throws {
    let manager = FileManager.default
    _ = try AtomicFolder(path: folder)
    try LessonsExport.check(folder: folder)
    let hasManifest = manager.fileExists(atPath: "\(folder)/manifest.json")
    let old = hasManifest ? try ExportManifest.read(folder: folder) : nil
    for subfolder in ["", "figures", "data", "solutions"] {
      try manager.createDirectory(
        atPath: "\(folder)/\(subfolder)", withIntermediateDirectories: true)
    }
    var chapters = old?.chapters ?? [:]
    for chapter in written {
      for file in chapter.files { try AtomicFile.write(file.bytes, to: "\(folder)/\(file.path)") }
      let key = chapter.record.key
      let kept = Set(chapter.files.map(\.path))
      for stale in chapters[key]?.files ?? [] where !kept.contains(stale.name) {
        try? manager.removeItem(atPath: "\(folder)/\(stale.name)")
      }
      chapters[key] = chapter.record
    }
    for page in pages { try AtomicFile.write(page.bytes, to: "\(folder)/\(page.path)") }
    let manifest = ExportManifest(
      data: context.fashionMNIST.files,
      pages: pages.map {
        ExportManifest.File(name: $0.path, sha256: SHA256.hexDigest($0.bytes))
      }, chapters: chapters)
    try AtomicFile.write(try manifest.encoded(), to: "\(folder)/manifest.json")
  }

  /// What differs between a folder and chapters computed anew; empty where nothing has drifted.
  ///
  /// On the platform that wrote the folder every byte counts. Elsewhere numbers may differ in their
  /// last printed place (tables by a millionth, arrays by a millionth of their largest element), errors
  /// of rounding (below 1e-8) at will, and PNG files, which repeat the SVG files, are not compared.
  public func drift(
    of written: [ChapterFiles], withPages: Bool, in folder: String
  ) throws -> [Drift] {
    let manifest = try ExportManifest.read(folder: folder)
    let isExact = manifest.isOfThisPlatform
    var drifts: [Drift] = []
    for chapter in written {
      for file in chapter.files {
        drifts += Drift.compare(file, folder: folder, isExact: isExact)
      }
      let key = chapter.record.key
      if isExact && manifest.chapters[key] != chapter.record {
        drifts.append(
          Drift(path: "manifest.json", detail: "the record of chapter \(key) is another"))
      }
    }
    if withPages {
      for page in pages { drifts += Drift.compare(page, folder: folder, isExact: isExact) }
    }
    return drifts
  }
}
