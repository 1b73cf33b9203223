import Experiments
import Networks

/// One chapter: what the index says of it, and how it is computed.
public struct Chapter: Sendable {
  /// 1 to 14.
  public let number: Int
  /// The files' name after the number: kfac.
  public let slug: String
  public let title: String
  /// What the reader can do afterwards, in a sentence.
  public let goal: String
  /// The time that reading and exercises take, in minutes.
  public let minutes: Int
  /// The numbers of the chapters that it builds on.
  public let prerequisites: [Int]
  /// What it recomputes of the THOR paper, MindSpore's pages or the CG-FAC note.
  public let seedItem: String
  public let write: @Sendable (ChapterContext) throws -> ChapterDocument

  public init(
    _ number: Int, _ slug: String, title: String, goal: String, minutes: Int,
    prerequisites: [Int], seedItem: String,
    write: @escaping @Sendable (ChapterContext) throws -> ChapterDocument
  ) {
    self.number = number
    self.slug = slug
    self.title = title
    self.goal = goal
    self.minutes = minutes
    self.prerequisites = prerequisites
    self.seedItem = seedItem
    self.write = write
  }

  /// The number with two digits, which begins the names of all its files: 05.
  public var prefix: String { number < 10 ? "0\(number)" : "\(number)" }
  /// The name without ending: 05-kfac.
  public var name: String { "\(prefix)-\(slug)" }
}

/// What a chapter may use.
public struct ChapterContext: Sendable {
  /// The shipped part of Fashion-MNIST, with its files and hashes.
  public let fashionMNIST: LoadedDataset
  /// Called with what is computed, how much is done, and of how much.
  public let progress: @Sendable (String, Int, Int) -> Void

  public init(
    fashionMNIST: LoadedDataset, progress: @escaping @Sendable (String, Int, Int) -> Void
  ) {
    self.fashionMNIST = fashionMNIST
    self.progress = progress
  }

  /// What items of `natgrad reproduce` need; training takes the shipped data too.
  public func reproduction(isQuick: Bool, seeds: [UInt64]) throws -> ReproductionContext {
    ReproductionContext(
      isQuick: isQuick, seeds: seeds,
      data: ReproductionData(
        small: fashionMNIST,
        training: try DatasetSource.fashionMNIST.loadParts(widths: [784, 20, 20, 20, 10])),
      progress: progress)
  }
}
