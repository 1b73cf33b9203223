import Foundation
import Testing

/// The articles of the DocC catalogues, without DocC: chapters and files that they name.
///
/// DocC cannot follow a link out of its catalogue, so an article gives the path as text, and nothing
/// but this would notice a wrong one.
@Suite("Articles of the documentation")
struct ArticleTests {
  static let targets = [
    "DenseAlgebra", "DataFiles", "Networks", "Curvature", "Optimization", "Verification",
    "Experiments",
  ]

  static let chapters: Set = [
    "01-two-rulers", "02-three-fishers", "03-exact-fisher", "04-vec-and-kronecker", "05-kfac",
    "06-damping", "07-ekfac", "08-cg-fac", "09-thor-split", "10-choosing-the-split",
    "11-trace-rule", "12-fair-race", "13-trusting-the-numbers", "14-clinic",
  ]

  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  struct Page: CustomTestStringConvertible {
    let target: String
    let name: String
    let text: String

    /// The slugs of the chapters named in the text or in its last section.
    func chapters(inLastSection: Bool = false) -> [String] {
      let start = inLastSection ? text.ranges(of: "\n## ").last?.lowerBound : text.startIndex
      return text[(start ?? text.startIndex)...]
        .matches(of: /notebooks-export\/(\d[^`\s]*)/).map { String($0.1) }
    }

    var testDescription: String { "\(target)/\(name)" }
  }

  /// Every page of a target's catalogue; the one named like the target is its landing page.
  static func pages(_ target: String) -> [Page] {
    let folder = root.appendingPathComponent("Sources/\(target)/\(target).docc")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".md") }.sorted().map { name in
      let bytes = FileManager.default.contents(atPath: folder.appendingPathComponent(name).path)
      return Page(
        target: target, name: String(name.dropLast(3)),
        text: String(decoding: bytes ?? Data(), as: UTF8.self))
    }
  }

  static let articles = targets.flatMap { target in pages(target).filter { $0.name != target } }

  @Test("Every target has a landing page that lists its articles", arguments: targets)
  func landingPage(target: String) throws {
    let pages = ArticleTests.pages(target)
    let landing = try #require(pages.first { $0.name == target })
    #expect(landing.text.hasPrefix("# ``\(target)``\n"))
    for article in pages where article.name != target {
      #expect(landing.text.contains("<doc:\(article.name)>"), "\(article.name) is not listed")
    }
  }

  @Test("An article ends with a chapter of the fourteen, and names no other", arguments: articles)
  func chapterOfAnArticle(article: Page) {
    let paths = ArticleTests.chapters.map { $0 + ".md" }
    for path in article.chapters() { #expect(paths.contains(path), "notebooks-export/\(path)") }
    #expect(!article.chapters(inLastSection: true).isEmpty, "the last section names no chapter")
  }

  @Test("Every chapter is named by an article")
  func everyChapter() {
    let named = Set(ArticleTests.articles.flatMap { $0.chapters() })
    for chapter in ArticleTests.chapters.sorted() {
      #expect(named.contains(chapter + ".md"), "no article names \(chapter)")
    }
  }

  @Test("The committed results that an article names are there", arguments: articles)
  func results(article: Page) {
    for match in article.text.matches(of: /`((?:notebooks-export\/reproduction|Fixtures)\/[^`]+)`/)
    {
      let path = ArticleTests.root.appendingPathComponent(String(match.1)).path
      #expect(FileManager.default.fileExists(atPath: path), "\(match.1) does not exist")
    }
  }
}
