/// What a node of a network computes.
public enum Operation: Equatable, Sendable {
  /// s = W̄ ā with the parameter block of the given index: on a vector once; on a sequence at each of
  /// its positions, with the same weights.
  case dense(parameters: Int)
  /// The same product on every patch of an image (a cross-correlation); ā runs over channel, kernel
  /// row, kernel column, then the homogeneous 1. The output has one channel per row of W̄.
  case convolution(parameters: Int, window: Window)
  /// A function of every entry; any shape.
  case activation(Activation)
  /// The mean over each window of each channel of an image; padding counts as zeros, so the divisor
  /// is always the window's area.
  case meanPooling(Window)
  /// The mean over all positions: sequence to a vector of features, image to a vector of channels.
  case meanOverPositions
  /// Any shape to a vector, in the order of its memory.
  case flatten
  /// The sum of two or more values of one shape (a residual connection).
  case addition

  /// The index of the parameter block that the operation uses.
  public var parameters: Int? {
    switch self {
    case .dense(let parameters), .convolution(let parameters, _): parameters
    case .activation, .meanPooling, .meanOverPositions, .flatten, .addition: nil
    }
  }

  /// The operation's name in messages.
  var name: String {
    switch self {
    case .dense: "dense"
    case .convolution: "convolution"
    case .activation(let activation): activation.rawValue
    case .meanPooling: "meanPooling"
    case .meanOverPositions: "meanOverPositions"
    case .flatten: "flatten"
    case .addition: "addition"
    }
  }
}
