/// What the arrays of one name, or of one pattern of names, are.
public struct ArrayDescription: Equatable, Sendable {
  /// The name; words in braces stand for numbers or other words.
  public let pattern: String
  /// The shape in numpy's notation, with letters for the extents.
  public let shape: String
  public let meaning: String

  public init(_ pattern: String, _ shape: String, _ meaning: String) {
    self.pattern = pattern
    self.shape = shape
    self.meaning = meaning
  }
}
