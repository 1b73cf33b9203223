import RealModule

/// Steele, Lea and Flood's SplitMix64: a seeded generator whose stream is the same everywhere.
///
/// Reference: OOPSLA 2014, "Fast splittable pseudorandom number generators", doi 10.1145/2660193.2660195.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64
  private var spareNormal: Double?

  public init(seed: UInt64) { self.state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A uniform number in [0, 1): the upper 53 bits times 2⁻⁵³.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A whole number in 0..<bound, without bias (rejection).
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "below: the bound must be positive, got \(bound)")
    let range = UInt64(bound)
    let limit = UInt64.max - (UInt64.max % range + 1) % range
    var draw = next()
    while draw > limit { draw = next() }
    return Int(draw % range)
  }

  /// A standard normal number by Marsaglia's polar method; one in two calls uses the spare.
  public mutating func normal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      if square > 0 && square < 1 {
        let factor = (-2 * Double.log(square) / square).squareRoot()
        spareNormal = y * factor
        return x * factor
      }
    }
  }

  /// The whole numbers 0..<count in random order (Fisher–Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, below(last + 1)) }
    return order
  }
}
