import DenseAlgebra
import Testing

@Suite("SplitMix64")
struct SplitMix64Tests {
  /// The outputs of Vigna's splitmix64.c for this seed, as listed by Rosetta Code's task
  /// "Pseudo-random numbers/Splitmix64".
  @Test("The published reference outputs come back")
  func referenceOutputs() {
    var random = SplitMix64(seed: 1_234_567)
    let expected: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
    ]
    #expect(expected.map { _ in random.next() } == expected)
  }

  @Test("A uniform number is the upper 53 bits of the output")
  func uniformUsesTheUpperBits() {
    var random = SplitMix64(seed: 1_234_567)
    #expect(random.uniform() == Double(6_457_827_717_110_365_317 >> 11) / 9_007_199_254_740_992)
  }

  /// Standard errors: mean 1/√n, variance √(2/n), fourth moment √(96/n). Six of them make a false
  /// alarm less likely than 1e-8; the seed is fixed, so it either never comes or always.
  @Test("Normal numbers have mean 0, variance 1, fourth moment 3", arguments: [1, 2, 3])
  func normalMoments(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let count = 100_000
    let draws = (0..<count).map { _ in random.normal() }
    let n = Double(count)
    func moment(_ k: Int) -> Double {
      draws.reduce(0) { sum, x in sum + (0..<k).reduce(1) { power, _ in power * x } } / n
    }
    #expect(abs(moment(1)) < 6 / n.squareRoot())
    #expect(abs(moment(2) - 1) < 6 * (2 / n).squareRoot())
    #expect(abs(moment(3)) < 6 * (15 / n).squareRoot())
    #expect(abs(moment(4) - 3) < 6 * (96 / n).squareRoot())
    // The polar method makes pairs; neighbours must not be correlated.
    let product = zip(draws, draws.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / n
    #expect(abs(product) < 6 / n.squareRoot())
  }

  @Test("below is uniform and stays below", arguments: [1, 2, 3, 7, 10])
  func belowIsUniform(_ bound: Int) {
    var random = SplitMix64(seed: 5)
    let count = 20_000
    var counts = [Int](repeating: 0, count: bound)
    for _ in 0..<count { counts[random.below(bound)] += 1 }
    let p = 1 / Double(bound)
    let deviation = (Double(count) * p * (1 - p)).squareRoot()
    for c in counts { #expect(abs(Double(c) - Double(count) * p) <= 6 * deviation) }
  }

  @Test("below rejects the uneven rest: a bound of 3·2⁶¹ is hit evenly")
  func belowHasNoModuloBias() {
    let bound = 3 << 61
    var random = SplitMix64(seed: 6)
    let count = 20_000
    let third = (0..<count).count { _ in random.below(bound) < bound / 3 }
    // 2⁶⁴ mod 3·2⁶¹ = 2⁶²: biased, the lowest third gets 3/8 instead of 1/3.
    let deviation = (Double(count) * 2 / 9).squareRoot()
    #expect(abs(Double(third) - Double(count) / 3) < 6 * deviation)
  }

  @Test("A permutation holds every number once; equal seeds give equal streams")
  func permutations() {
    for n in [0, 1, 2, 100] {
      var random = SplitMix64(seed: 7)
      var again = SplitMix64(seed: 7)
      let order = random.permutation(n)
      #expect(order.sorted() == Array(0..<n))
      #expect(order == again.permutation(n))
    }
    var random = SplitMix64(seed: 8)
    var places = [Int](repeating: 0, count: 3)
    for _ in 0..<6000 { places[random.permutation(3)[0]] += 1 }
    for c in places { #expect(abs(c - 2000) < 6 * 37) }
  }
}
