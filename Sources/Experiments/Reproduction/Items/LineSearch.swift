import RealModule

/// The length along a direction at which the loss falls most.
public enum LineSearch {
  /// Tries start · 2ᵏ, k = −10…10, then narrows by the golden section (in log α) around the best.
  ///
  /// `decrease(α)` is h(θ) − h(θ − α û). The best of all 35 lengths tried is returned, so the result
  /// is never below the decrease at `start`; of a loss with several valleys it may miss the deepest.
  /// A decrease that is not finite counts as none.
  public static func best(from start: Double, _ decrease: (Double) -> Double) -> (
    length: Double, decrease: Double
  ) {
    precondition(start > 0 && start.isFinite, "a line search from the length \(start)")
    var best = (length: 0.0, decrease: -Double.infinity)
    func tried(_ exponent: Double) -> Double {
      let length = start * Double.exp2(exponent)
      let found = decrease(length)
      let value = found.isFinite ? found : -.infinity
      if value > best.decrease { best = (length, value) }
      return value
    }
    let exponents = (-10...10).map(Double.init)
    let values = exponents.map(tried)
    guard let top = values.indices.max(by: { values[$0] < values[$1] }) else { return best }
    var (low, high) = (exponents[top] - 1, exponents[top] + 1)
    let section = (5.0.squareRoot() - 1) / 2
    var (left, right) = (high - section * (high - low), low + section * (high - low))
    var (atLeft, atRight) = (tried(left), tried(right))
    for _ in 0..<12 {
      if atLeft >= atRight {
        (high, right, atRight) = (right, left, atLeft)
        left = high - section * (high - low)
        atLeft = tried(left)
      } else {
        (low, left, atLeft) = (left, right, atRight)
        right = low + section * (high - low)
        atRight = tried(right)
      }
    }
    return best
  }
}
