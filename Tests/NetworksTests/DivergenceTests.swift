import DenseAlgebra
import Networks
import TestSupport
import Testing

@Suite("Kullback–Leibler divergence")
struct DivergenceTests {
  /// Σ p(log p − log q) of softmax(a) and softmax(b), mpmath 1.3.0 with 1300 digits.
  static let categorical: [(from: [Double], to: [Double], value: Double)] = [
    ([0.25, -0.5, 1.0], [0.2500009536743164, -0.5, 0.9999980926513672], 8.303688428218886e-13),
    ([0.25, -0.5, 1.0], [0.75, -0.25, 1.0], 0.025101695821186806),
    ([30.0, 0.0, 0.0], [0.0, 30.0, 0.0], 29.999999999991577),
    ([500.0, 0.0, -500.0], [-500.0, 0.0, 500.0], 1000.0),
    ([0.25, -0.5, 1.0], [0.2500000000009095, -0.5, 1.0], 8.312434969737394e-26),
    ([30.0, 0.0, 0.25], [30.5, 0.0, 0.5], 1.3429274182234825e-14),
    ([1.0, 2.0, 3.0], [801.0, -2.0, 3.0], 726.5468493834704),
  ]

  /// The same for the coins with logits a and b.
  static let bernoulli: [(from: Double, to: Double, value: Double)] = [
    (0.5, 0.5000009536743164, 1.0686730725172986e-13),
    (0.5, -1.25, 0.3671559267685117),
    (30.0, -30.0, 29.999999999994387),
    (-500.0, -499.0, 5.117453768430305e-218),
    (500.0, -500.0, 500.0),
  ]

  /// Also where the divergence, 1e-25, is far below the round-off of log p.
  @Test func keepsRelativeAccuracyFromTinyToHuge() {
    for (from, to, value) in Self.categorical {
      expectEntrywise(
        Likelihood.categorical.divergence(
          from: Matrix(rowCount: 3, columnCount: 1, storage: from),
          to: Matrix(rowCount: 3, columnCount: 1, storage: to)),
        [value], ulps: 16, "from \(from) to \(to)")
    }
    for (from, to, value) in Self.bernoulli {
      expectEntrywise(
        Likelihood.bernoulli.divergence(
          from: Matrix(rows: [[from]]), to: Matrix(rows: [[to]])),
        [value], ulps: 16, "coin from \(from) to \(to)")
    }
  }

  @Test func gaussianIsHalfTheSquaredDistanceOverTheVariance() {
    #expect(
      Likelihood.gaussian(variance: 2).divergence(
        from: Matrix(rows: [[1, 0], [0, 0]]), to: Matrix(rows: [[0, 3], [0, 4]])) == [0.25, 6.25])
  }

  @Test(arguments: RandomNetwork.likelihoods)
  func isZeroOnlyBetweenEqualDistributionsAndSumsCoins(_ likelihood: Likelihood) {
    var generator = Generator(seed: 5)
    let a = generator.normal(3, 40)
    let b = generator.normal(3, 40)
    #expect(likelihood.divergence(from: a, to: a) == Array(repeating: 0, count: 40))
    #expect(likelihood.divergence(from: a, to: b).allSatisfy { $0 > 0 })
  }

  @Test("P-28: KL(θ ‖ θ + hδ)/h² → ½ δᵀFδ, with an error O(h)")
  func secondOrderTermIsTheFisherMatrix() {
    property(
      "P-28", .limit, oracle: "the KL divergence", over: NetworkCase.exact.filter(\.isOffTheKinks)
    ) { value, checks in
      let problem = value.problem
      let direction = problem.direction(seed: value.seed + 11)
      let flat = direction.flattened
      let limit = 0.5 * flat.dot(LAPACK.dgemm(problem.fisher(), flat))
      let start = problem.network.forward(problem.data.inputs).output
      let (step, change, magnitude) = problem.step(along: direction, within: 0x1p-10)
      func quotient(_ h: Double) -> Double {
        let moved = problem.network.adding(direction, scale: h).forward(problem.data.inputs)
        let divergences = problem.likelihood.divergence(from: start, to: moved.output)
        return divergences.reduce(0, +) / Double(problem.data.count) / (h * h)
      }
      // Rounding of the outputs meets their change once; the next term is of fourth order in it.
      let fourth = 16 * change * change * change * change
      checks.order(
        1, wide: quotient(2 * step), narrow: quotient(step), limit: limit,
        floor: (256 * .ulpOfOne * magnitude * change + fourth) / (step * step))
    }
  }
}
