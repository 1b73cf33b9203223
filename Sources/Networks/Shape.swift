/// How the entries of one example's value are arranged.
///
/// A batch is a matrix with one column per example. In a column, a sequence is stored position
/// after position (`t * features + i`), so the same memory *is* a features × (N·T) matrix with
/// column n·T + t; an image is stored channel after channel (`(c * height + h) * width + w`).
public enum Shape: Equatable, Sendable, CustomStringConvertible {
  case vector(Int)
  case sequence(positions: Int, features: Int)
  case image(channels: Int, height: Int, width: Int)

  /// The number of entries of one example.
  public var count: Int {
    switch self {
    case .vector(let count): count
    case .sequence(let positions, let features): positions * features
    case .image(let channels, let height, let width): channels * height * width
    }
  }

  /// The shape in words, for messages.
  public var description: String {
    switch self {
    case .vector(let count): "a vector of \(count)"
    case .sequence(let positions, let features):
      "a sequence of \(positions) positions × \(features) features"
    case .image(let channels, let height, let width):
      "an image of \(channels) channels × \(height) × \(width)"
    }
  }

  /// Whether no extent is negative, and an image or a sequence has at least one position.
  var isValid: Bool {
    switch self {
    case .vector(let count): count >= 0
    case .sequence(let positions, let features): positions >= 1 && features >= 0
    case .image(let channels, let height, let width): channels >= 0 && height >= 1 && width >= 1
    }
  }
}
