import DenseAlgebra

/// The weights that a layer uses, bias included: W̄ = [W b], dG × dA.
///
/// The bias is the last column and multiplies a homogeneous input coordinate 1, so the memory of
/// `weights` is cvec(W̄), the block's part of the parameter vector (spec 1.2, 1.3). Several nodes
/// may use one block.
public struct ParameterBlock: Equatable, Sendable {
  /// The block's name in tables and files.
  public let name: String
  /// [W b], or W where there is no bias. Its size must stay what it was at the network's creation.
  public var weights: Matrix
  /// Whether the last column is the bias.
  public let hasBias: Bool

  public init(name: String, weights: Matrix, hasBias: Bool) {
    self.name = name
    self.weights = weights
    self.hasBias = hasBias
  }

  /// The number of inputs without the homogeneous coordinate.
  public var inputCount: Int { weights.columnCount - (hasBias ? 1 : 0) }

  /// dG, the number of outputs.
  public var outputCount: Int { weights.rowCount }

  /// The size of the weights, for messages.
  var sizeInWords: String { "\(weights.rowCount) × \(weights.columnCount)" }

  /// Throws where the bias column is missing or an entry is not finite.
  func check(index: Int) throws(NetworkError) {
    guard inputCount >= 0 else {
      throw NetworkError(
        block: index,
        message:
          "Parameter block \(index) ('\(name)') has no columns, but its bias is the last one.")
    }
    if let entry = weights.storage.firstIndex(where: { !$0.isFinite }) {
      throw NetworkError(
        block: index,
        message: "Parameter block \(index) ('\(name)') holds \(weights.storage[entry]) in row "
          + "\(entry % weights.rowCount), column \(entry / weights.rowCount) (counting from 0). "
          + "Every weight must be finite.")
    }
  }
}
