import DataFiles
import Testing

/// The ruler itself: what it must see, and what it must forgive.
struct VectorComparisonTests {
  private func ratio(
    _ actual: [Double], _ stored: [Double], _ rule: VectorComparison.Rule
  ) -> Double {
    VectorComparison(actual, NumericArray(shape: [stored.count], elements: stored), rule).ratio
  }

  @Test("Bits: the last one counts, the sign of zero does not")
  func bits() {
    #expect(ratio([3, -0.0], [3, 0], .bits) == 0)
    #expect(ratio([Double(3).nextUp, 0], [3, 0], .bits) == .infinity)
    #expect(ratio([3, .leastNonzeroMagnitude], [3, 0], .bits) == .infinity)
    #expect(ratio([3], [3, 0], .bits) == .infinity)
  }

  @Test("Sums: a mean rounded a few times is the sum again, a sum off by its last place is not")
  func sums() {
    let stored = [1234.5, -7, 0, 0.25]
    let means = stored.map { $0 * (1 / 13.0) }
    #expect(ratio(means, stored, .sum(divisor: 13)) < 2)
    for index in stored.indices {
      var wrong = means
      wrong[index] += 0.25 / 13
      #expect(ratio(wrong, stored, .sum(divisor: 13)) == .infinity)
    }
    #expect(ratio(stored.map { $0 / 12 }, stored, .sum(divisor: 13)) == .infinity)
    // Far less than a place of the sum, but more than rounding explains.
    #expect(ratio(means.map { $0 * (1 + 1e-12) }, stored, .sum(divisor: 13)) > 30)
  }

  @Test(
    "Ratios: in units of nκε, at scales whose squares overflow or vanish",
    arguments: [
      1.0, 1e-200, 1e200,
    ])
  func ratios(scale: Double) {
    let stored = [3 * scale, -4 * scale, 0]
    let actual = [3 * scale, -4 * scale * (1 + 80 * .ulpOfOne), 0]
    let found = ratio(actual, stored, .ratio(size: 4, condition: 2))
    // 80 ε · 4/5 of the norm, over nκ = 8.
    #expect((found - 8).magnitude < 0.2)
    #expect(ratio(stored, stored, .ratio(size: 4, condition: 2)) == 0)
  }

  @Test("Entries: a small one is seen beside a large one")
  func entries() {
    let (stored, actual) = ([1, 1e-20], [1, 1.001e-20])
    #expect(ratio(actual, stored, .ratio(size: 1, condition: 1)) < 1e-3)
    #expect(ratio(actual, stored, .entries(size: 1, condition: 1)) > 1e12)
    #expect(ratio([1, 0], [1, 0], .entries(size: 1, condition: 1)) == 0)
    #expect(!(ratio([1, 1e-300], [1, 0], .entries(size: 1, condition: 1)) <= 30))
  }

  @Test("NaN and infinity never agree, and with a zero array nothing but zeros does")
  func notFinite() {
    for rule in [
      VectorComparison.Rule.bits, .sum(divisor: 3), .ratio(size: 9, condition: 1e9),
      .entries(size: 9, condition: 1e9),
    ] {
      #expect(!(ratio([.nan, 1], [1, 1], rule) <= 30))
      #expect(!(ratio([.infinity, 1], [1, 1], rule) <= 30))
    }
    #expect(ratio([0, 0], [0, 0], .ratio(size: 1, condition: 1)) == 0)
    #expect(ratio([0, 1e-300], [0, 0], .ratio(size: 1, condition: 1)) == .infinity)
  }
}
