extension Mistake {
  /// Mistakes whose dumps agree on the home of one of them, and why no number can tell them there.
  public static let lookAlikes: [(mistakes: [String], reason: String)] = []

  /// Why two mistakes cannot be told apart on a home; nil where they can.
  public static func reason(that mistake: String, looksLike other: String) -> String? {
    lookAlikes.first { Set($0.mistakes) == [mistake, other] }?.reason
  }
}
