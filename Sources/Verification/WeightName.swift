/// The name of one array of a saved multilayer perceptron, taken apart.
struct WeightName: Equatable {
  /// What an array holds of its layer.
  enum Role: Equatable {
    /// `layer{i}.weights`: [W b], out × (in + 1).
    case joined
    /// W, out × in.
    case weights
    /// Wᵀ, in × out, as Flax saves it.
    case transposedWeights
    /// b, of `out` entries.
    case bias
  }

  /// The name without its last part, the layer's number replaced by #: what all layers share.
  let pattern: String
  /// The layer's number in the name.
  let number: Int
  let role: Role
  /// Whether the name is one of natgrad's own, which count layers from 1 without a gap.
  let isOwn: Bool

  /// Nil for a name that is none of those which `NetworkArrays` documents.
  init?(_ name: String) {
    guard let separator = name.lastIndex(where: { $0 == "." || $0 == "/" }) else { return nil }
    let stem = name[..<separator]
    let role: Role
    switch name[name.index(after: separator)...] {
    case "weights": role = .joined
    case "W", "weight": role = .weights
    case "kernel": role = .transposedWeights
    case "b", "bias": role = .bias
    default: return nil
    }
    let leaf = name[name.index(after: separator)...]
    self.role = role
    self.isOwn = ["weights", "W", "b"].contains(leaf)
    guard let last = stem.lastIndex(where: WeightName.isDigit) else { return nil }
    let head = stem[...last]
    let digits = head.reversed().prefix(while: WeightName.isDigit)
    guard let number = Int(String(digits.reversed())) else { return nil }
    self.number = number
    self.pattern = "\(head.dropLast(digits.count))#\(stem[stem.index(after: last)...])"
    if isOwn && (pattern != "layer#" || name[separator] != ".") { return nil }
  }

  private static func isDigit(_ character: Character) -> Bool {
    character.isASCII && character.isNumber
  }
}
