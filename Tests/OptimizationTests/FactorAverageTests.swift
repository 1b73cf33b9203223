import Curvature
import DenseAlgebra
import Optimization
import TestSupport
import Testing

/// The moving averages of the factors (spec 4.5).
@Suite("Averages of the factors over time")
struct FactorAverageTests {
  /// A sequence of random batches.
  struct Sequence: Sendable, CustomStringConvertible {
    var size: Int
    var count: Int
    var decay: Double
    var seed: UInt64

    var description: String { "n = \(size), k = \(count), ρ = \(decay), seed \(seed)" }

    static let all = Cases<Sequence>(
      edges: [
        Sequence(size: 1, count: 1, decay: 0.95, seed: 1),
        Sequence(size: 3, count: 40, decay: 0, seed: 2),
        Sequence(size: 3, count: 30, decay: 1, seed: 3),
        Sequence(size: 2, count: 60, decay: 0.5, seed: 4),
      ],
      smaller: { value in
        (1..<max(value.count, 1)).map {
          Sequence(size: value.size, count: $0, decay: value.decay, seed: value.seed)
        }
      },
      draw: {
        Sequence(
          size: 1 + $0.below(4), count: 1 + $0.below(40),
          decay: [0.5, 0.9, 0.95, 0.99][$0.below(4)], seed: $0.next() % 100_000)
      })

    /// Positive definite factors, G one larger than A.
    var batches: [KFACFactors] {
      var generator = Generator(seed: seed)
      return (0..<count).map { _ in
        KFACFactors(
          a: generator.positiveDefinite(size), g: generator.positiveDefinite(size + 1))
      }
    }

    /// The estimates after each batch.
    func estimates(_ average: FactorAverage, _ batches: [KFACFactors]) -> [KFACFactors] {
      var estimate: KFACFactors?
      return batches.enumerated().map { index, batch in
        let next = average.estimate(after: estimate, batch: batch, count: index + 1)
        estimate = next
        return next
      }
    }
  }

  @Test("P-77: a constant input is a fixed point of every average that takes the first batch whole")
  func constantInputIsAFixedPoint() {
    property("P-77", .equal, oracle: "closed form", over: Sequence.all) { test, checks in
      let batch = test.batches[0]
      let batches = [KFACFactors](repeating: batch, count: test.count)
      for average in [
        FactorAverage.fresh, .martensGrosse(most: 0.95), .martensGrosse(most: test.decay),
        .weightNormalized(decay: test.decay),
      ] {
        for estimate in test.estimates(average, batches) {
          checks.equal(estimate.a, batch.a, "A, \(average)")
          checks.equal(estimate.g, batch.g, "G, \(average)")
        }
      }
    }
  }

  @Test("P-77: from the identity ρᵏI stays in the average: xA + yI with y = ρᵏ, x + y = 1")
  func theIdentityStays() {
    property("P-77", .equal, oracle: "closed form", over: Sequence.all) { test, checks in
      let batch = test.batches[0]
      let batches = [KFACFactors](repeating: batch, count: test.count)
      for (k, estimate) in test.estimates(.identityStart(decay: test.decay), batches).enumerated() {
        let y = power(test.decay, Double(k + 1))
        for (value, input) in [(estimate.a, batch.a), (estimate.g, batch.g)] {
          let expected = ((1 - y) * input).addingToDiagonal(y)
          // Each of the k roundings stays in the average.
          checks.equal(value, expected, scale: Double(k + 1) * LAPACK.norm1(expected))
        }
      }
    }
  }

  @Test("P-77: the identity's trace is a bias that the other averages do not have")
  func theIdentityIsABias() {
    property(
      "P-77", .counterProperty, oracle: "closed form",
      over: Sequence.all.generic.filter { $0.decay >= 0.9 && $0.size > 1 }
    ) { test, checks in
      let batches = [KFACFactors](repeating: test.batches[0], count: 3)
      let biased = test.estimates(.identityStart(decay: test.decay), batches)[2]
      checks.different(biased.a, test.batches[0].a, relative: 0.1)
    }
  }

  @Test("P-77: Martens and Grosse take the first batch whole, and mean the first 1/(1 − ρ)")
  func theFirstBatchIsTakenWhole() {
    property("P-77", .equal, oracle: "the mean", over: Sequence.all) { test, checks in
      let batches = test.batches
      let average = FactorAverage.martensGrosse(most: 0.95)
      let estimates = test.estimates(average, batches)
      checks.holds(estimates[0] == batches[0], "the first batch")
      let other = KFACFactors(
        a: 7 * Matrix.identity(test.size), g: 7 * Matrix.identity(test.size + 1))
      checks.holds(
        average.estimate(after: other, batch: batches[0], count: 1) == batches[0],
        "whatever stood there before")
      for k in 1...min(test.count, 20) {
        var mean = Matrix(rowCount: test.size, columnCount: test.size)
        for batch in batches.prefix(k) { mean.add(1 / Double(k), times: batch.a) }
        checks.equal(estimates[k - 1].a, mean, scale: Double(k), "the mean of \(k)")
      }
      // From then on the old value keeps 0.95.
      for k in 21..<max(test.count, 21) {
        let expected = 0.95 * estimates[k - 1].g + 0.05 * batches[k].g
        checks.equal(estimates[k].g, expected, "batch \(k + 1)")
      }
    }
  }

  @Test("P-77: the weight-normalised average is Σ ρ^(k−i) X_i / Σ ρ^(k−i)")
  func weightNormalizedIsTheWeightedMean() {
    property("P-77", .equal, oracle: "the weighted mean", over: Sequence.all) { test, checks in
      let batches = test.batches
      let estimates = test.estimates(.weightNormalized(decay: test.decay), batches)
      for k in [1, 2, test.count] where k <= test.count {
        var sum = Matrix(rowCount: test.size + 1, columnCount: test.size + 1)
        var weights = 0.0
        for i in 1...k {
          let weight = power(test.decay, Double(k - i))
          sum.add(weight, times: batches[i - 1].g)
          weights += weight
        }
        checks.equal(estimates[k - 1].g, (1 / weights) * sum, scale: Double(k), "k = \(k)")
      }
    }
  }

  @Test("A fresh factor is the last batch, bit for bit")
  func freshIsTheLastBatch() {
    let sequence = Sequence(size: 3, count: 5, decay: 0.9, seed: 9)
    #expect(sequence.estimates(.fresh, sequence.batches) == sequence.batches)
  }

  @Test("A decay that is not a fraction is refused in one sentence", arguments: [-0.1, 1.5, .nan])
  func badDecays(decay: Double) {
    for average in [
      FactorAverage.martensGrosse(most: decay), .weightNormalized(decay: decay),
      .identityStart(decay: decay),
    ] {
      let error = #expect(throws: OptimizationError.self) { try average.check() }
      #expect(error?.description.contains("from 0 to 1") == true)
    }
    #expect(throws: Never.self) { try FactorAverage.martensGrosse(most: 1).check() }
  }
}
