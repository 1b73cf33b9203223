import DataFiles
import Foundation

/// Lines of the suite's own sources between two markers, so that what is quoted is what runs.
///
/// In the source file:
/// ```swift
/// // lesson: kronecker-apply
/// …
/// // end lesson
/// ```
public struct SourceExcerpt: Equatable, Sendable {
  /// The path from the root of the checkout.
  public let file: String
  public let marker: String

  public init(_ file: String, _ marker: String) {
    self.file = file
    self.marker = marker
  }

  /// The root of the checkout that this program was built from.
  public static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// The lines between the markers, without their common indentation.
  ///
  /// Throws `DataFileError` where the sources are not there, or the marker is not in them once.
  public func lines(repository: String = SourceExcerpt.repository) throws(DataFileError) -> [String]
  {
    let path = "\(repository)/\(file)"
    let text = String(decoding: try InputFile.read(path: path), as: UTF8.self)
    let all = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let starts = all.indices.filter {
      all[$0].trimmingCharacters(in: .whitespaces) == "// lesson: \(marker)"
    }
    guard starts.count == 1,
      let end = all[starts[0]...].firstIndex(where: {
        $0.trimmingCharacters(in: .whitespaces) == "// end lesson"
      }), end > starts[0] + 1
    else {
      throw DataFileError(
        "\(path): the line '// lesson: \(marker)' stands \(starts.count) times there, and once, with "
          + "lines and '// end lesson' below it, is expected. Restore the marker in that file.")
    }
    let lines = Array(all[(starts[0] + 1)..<end])
    let indentation =
      lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    return lines.map { String($0.dropFirst(indentation)) }
  }
}
