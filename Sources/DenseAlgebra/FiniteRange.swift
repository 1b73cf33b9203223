extension Matrix {
  /// Stops with a sentence naming the first entry that is NaN or infinite, if there is one.
  func requireFinite(_ routine: String) {
    guard let index = storage.firstIndex(where: { !$0.isFinite }) else { return }
    preconditionFailure(
      "\(routine): entry (\(index % rowCount), \(index / rowCount)) is \(storage[index]); "
        + "every entry must be finite, so check the data this matrix was made from")
  }

  /// This matrix times 2^exponent, and exact unless an entry leaves the range of normal numbers.
  func scaled(byPowerOfTwo exponent: Int) -> Matrix {
    exponent == 0 ? self : map { Double(sign: .plus, exponent: exponent, significand: $0) }
  }
}
