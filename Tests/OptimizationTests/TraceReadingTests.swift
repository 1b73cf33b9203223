import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// What Eq. 8 measures, and what it cannot see (spec 7.2).
@Suite("The relative change of a trace")
struct TraceReadingTests {
  /// The change of the trace of an explicit matrix, with the size of its round-off.
  static func change(_ old: Matrix, _ new: Matrix) -> (value: Double, scale: Double) {
    let (before, after) = (old.trace, new.trace)
    return (abs(after - before) / abs(before), (abs(after) + abs(before)) / abs(before))
  }

  /// Eq. 8 by its explicit matrices.
  static func explicit(
    _ reading: TraceRule.Reading, _ old: ExplicitLayer, _ new: ExplicitLayer, _ λ: Double
  ) -> (value: Double, scale: Double) {
    switch reading {
    case .product:
      return change(
        kronecker(old.a, old.g).addingToDiagonal(λ), kronecker(new.a, new.g).addingToDiagonal(λ))
    case .dampedFactors: return change(old.damped(.factor, λ), new.damped(.factor, λ))
    case .eachFactor:
      let ofA = change(old.a.addingToDiagonal(λ), new.a.addingToDiagonal(λ))
      let ofG = change(old.g.addingToDiagonal(λ), new.g.addingToDiagonal(λ))
      return (
        ofA.value.isNaN || ofG.value.isNaN ? .nan : max(ofA.value, ofG.value),
        max(ofA.scale, ofG.scale)
      )
    case .exactBlock:
      return change(old.fisher.addingToDiagonal(λ), new.fisher.addingToDiagonal(λ))
    case .undamped: return change(kronecker(old.a, old.g), kronecker(new.a, new.g))
    }
  }

  /// The samples of a network and of the one after a gradient step.
  static func pair(_ test: NetworkCase) -> [GradientSamples] {
    var state = TrainingState(test)
    return (0..<2).map { step in
      defer { state.network = state.network.adding(state.gradient, scale: -0.2) }
      return state.point(step: step).samples(
        test.kind, blocks: Array(state.network.parameters.indices))
    }
  }

  @Test("P-124: each reading of Eq. 8 is the change of its explicit matrix's trace, split or not")
  func readingsAreTracesOfMatrices() {
    property(
      "P-124", .equal, oracle: "explicit Kronecker products", over: NetworkCase.ordinary, share: 0.5
    ) { test, checks in
      let samples = Self.pair(test)
      let layers = samples.map { ExplicitLayer.all($0) }
      for index in layers[0].indices {
        let (old, new) = (layers[0][index], layers[1][index])
        let traces = samples.map { samples in
          let layer = LayerSamples(samples, block: index)
          return LayerTraces(KFACFactors(layer), block: layer)
        }
        let split = samples.map { samples in
          let layer = LayerSamples(samples, block: index)
          let factors = KFACFactors(layer)
          return LayerTraces(
            KFACFactors(a: pinching(factors.a, 2), g: pinching(factors.g, 2)), block: layer)
        }
        checks.holds(split == traces, "the traces of the split")
        for λ in [0, 0.03, 0.3, 10] {
          for reading in TraceRule.Reading.allCases {
            let expected = Self.explicit(reading, old, new, λ)
            let actual = TraceRule.change(
              from: traces[0], to: traces[1], lambda: λ, reading: reading)
            let name = "layer \(index), reading \(reading.rawValue), λ = \(λ)"
            guard expected.value.isFinite else {
              checks.holds(actual.isNaN == expected.value.isNaN, name)
              continue
            }
            checks.equal(
              actual, expected.value, size: old.gradients.rowCount, scale: expected.scale, name)
          }
        }
      }
    }
  }

  @Test("P-124: the readings are different numbers, and λ is part of a and b only through d")
  func readingsDiffer() {
    property(
      "P-124", .counterProperty, oracle: "search of generic networks", over: NetworkCase.generic
    ) { test, checks in
      let samples = Self.pair(test)
      // The middle of a network, where neither A nor G is constant.
      let traces = samples.map { samples in
        let layer = LayerSamples(samples, block: 1)
        return LayerTraces(KFACFactors(layer), block: layer)
      }
      func change(_ reading: TraceRule.Reading, _ λ: Double) -> Double {
        TraceRule.change(from: traces[0], to: traces[1], lambda: λ, reading: reading)
      }
      let values = TraceRule.Reading.allCases.map { change($0, 0.3) }
      for (index, first) in values.enumerated() {
        for second in values.dropFirst(index + 1) {
          checks.bounded(abs(first - second) / max(first, second), atLeast: 1e-6)
        }
      }
      checks.holds(change(.undamped, 0.3) == change(.product, 0), "e is a without λ")
    }
  }

  @Test("P-125: ‖X‖_F ≤ ‖X‖_* ≤ √r ‖X‖_F, and |tr X| ≤ ‖X‖_*")
  func nuclearNormBoundsTheTrace() {
    property("P-125", .inequality, oracle: "dgesvd", over: MatrixCase.symmetric) { test, checks in
      var generator = Generator(seed: test.seed)
      let q = generator.orthogonal(test.size)
      // Symmetric, and multiplied by a rotation so that it is not.
      for x in [test.matrix, LAPACK.dgemm(q, test.matrix)] {
        let σ = try LAPACK.dgesvd(x).values.elements
        let nuclear = σ.reduce(0, +)
        checks.equal(try x.nuclearNorm(), nuclear, size: test.size)
        let rank = σ.count { $0 > Double(test.size) * .ulpOfOne * σ[0] }
        checks.atMost(abs(x.trace), try x.nuclearNorm(), size: test.size)
        checks.atMost(x.frobeniusNorm, nuclear, size: test.size)
        checks.atMost(
          nuclear, Double(rank).squareRoot() * x.frobeniusNorm, size: test.size,
          scale: nuclear)
      }
    }
  }

  @Test(
    "P-125: ‖X‖_* − |tr X| is 0 iff X or −X is positive semi-definite, else twice the lesser part")
  func equalityNeedsOneSign() {
    property("P-125", .equal, oracle: "dsyevd", over: MatrixCase.symmetric) { test, checks in
      let x = test.matrix
      let values = try LAPACK.dsyevd(x).values.elements
      let positive = values.reduce(0) { $0 + max($1, 0) }
      let negative = values.reduce(0) { $0 + max(-$1, 0) }
      for sign in [1.0, -1] {
        let gap = try (sign * x).nuclearNorm() - abs((sign * x).trace)
        checks.equal(
          gap, 2 * min(positive, negative), size: test.size, scale: positive + negative)
      }
      // A reflection of n dimensions: ‖X‖_* = n, tr X = n − 2.
      var generator = Generator(seed: test.seed)
      let v = generator.vector(test.size + 1)
      let n = Double(test.size + 1)
      let reflection = Matrix(rowCount: test.size + 1, columnCount: test.size + 1) {
        ($0 == $1 ? 1 : 0) - 2 * v[$0] * v[$1] / v.dot(v)
      }
      checks.equal(
        try reflection.nuclearNorm() - abs(reflection.trace), n - abs(n - 2), size: test.size,
        scale: n, "a reflection")
    }
  }

  /// tr A, tr G of a pair of factors.
  static func traces(_ a: Matrix, _ g: Matrix) -> LayerTraces {
    LayerTraces(KFACFactors(a: a, g: g))
  }

  @Test("P-126: without λ the change is at most the relative nuclear change")
  func nuclearChangeIsAnUpperBound() {
    property("P-126", .inequality, oracle: "dgesvd", over: FactorCase.positiveDefinite) {
      test, checks in
      var generator = Generator(seed: test.seed)
      let (a, g) = (test.a.matrix, test.g.matrix)
      let next = (
        a: generator.positiveDefinite(test.a.size), g: generator.positiveDefinite(test.g.size)
      )
      let difference = kronecker(next.a, next.g) - kronecker(a, g)
      let nuclear = try LAPACK.dgesvd(difference).values.elements.reduce(0, +)
      let bound = nuclear / (a.trace * g.trace)
      let change = TraceRule.change(
        from: Self.traces(a, g), to: Self.traces(next.a, next.g), lambda: 0, reading: .undamped)
      checks.atMost(change, bound, size: difference.rowCount, scale: 1 + bound)
    }
  }

  @Test("P-126: it is equal where the matrix only grew")
  func growthIsMeasuredExactly() {
    property("P-126", .equal, oracle: "dgesvd", over: FactorCase.positiveDefinite) {
      test, checks in
      var generator = Generator(seed: test.seed)
      let (a, g) = (test.a.matrix, test.g.matrix)
      // A′ = A + BBᵀ and G′ = G + CCᵀ give A′ ⊗ G′ ⪰ A ⊗ G.
      let next = (
        a: a + LAPACK.dsyrk(generator.normal(test.a.size, 2)),
        g: g + LAPACK.dsyrk(generator.normal(test.g.size, 1))
      )
      let difference = kronecker(next.a, next.g) - kronecker(a, g)
      let nuclear = try LAPACK.dgesvd(difference).values.elements.reduce(0, +)
      let expected = nuclear / (a.trace * g.trace)
      let change = TraceRule.change(
        from: Self.traces(a, g), to: Self.traces(next.a, next.g), lambda: 0, reading: .undamped)
      checks.equal(change, expected, size: difference.rowCount, scale: 1 + expected)
    }
  }

  @Test("P-127: a rotation leaves Δ = 0 though F is another matrix")
  func rotationsAreInvisible() {
    let cases = FactorCase.positiveDefinite.filter { $0.a.kind != .identity && $0.a.size > 1 }
    property("P-127", .counterProperty, oracle: "dsyevd", over: cases) { test, checks in
      let (a, g) = (test.a.matrix, test.g.matrix)
      // The eigenvalues change places: V diag(reversed) Vᵀ.
      let eigen = try LAPACK.dsyevd(a)
      let reversed = Array(eigen.values.elements.reversed())
      let scaled = Matrix(rowCount: a.rowCount, columnCount: a.rowCount) {
        eigen.vectors[$0, $1] * reversed[$1]
      }
      let rotated = LAPACK.dgemm(scaled, eigen.vectors, transposeB: true)
      for reading in [TraceRule.Reading.product, .dampedFactors, .eachFactor, .undamped] {
        let change = TraceRule.change(
          from: Self.traces(a, g), to: Self.traces(rotated, g), lambda: test.damping,
          reading: reading)
        // An equality with 0: within round-off of the trace.
        checks.equal(change, 0, size: a.rowCount, scale: 1, "reading \(reading.rawValue)")
        checks.holds(TraceRule.thor.outcome(change) == .keep, "THOR keeps")
        checks.holds(TraceRule.thorStop.outcome(change) == .stop, "THOR_stop stops for good")
      }
      checks.different(kronecker(rotated, g), kronecker(a, g), relative: 1e-2, "‖F′ − F‖_F")
    }
  }

  @Test("P-130: under reading a the change decreases in λ")
  func dampingHidesTheChange() {
    property("P-130", .inequality, oracle: "Eq. 8", over: FactorCase.positiveDefinite) {
      test, checks in
      let (old, new) = Self.grown(test)
      let changes = [0, 1e-3, 0.03, 0.3, 10, 1e6].map {
        TraceRule.change(from: old, to: new, lambda: $0, reading: .product)
      }
      for (smaller, larger) in zip(changes.dropFirst(), changes) {
        checks.holds(smaller < larger, "\(smaller) < \(larger)")
      }
      // So a λ is enough to stop a layer that did change, and another to update it.
      let rule = TraceRule.thorStop
      checks.holds(rule.outcome(changes[0]) == .update, "λ = 0 updates")
      let hidden = TraceRule.change(from: old, to: new, lambda: 1e9, reading: .product)
      checks.holds(rule.outcome(hidden) == .stop, "λ = 1e9 stops")
    }
  }

  @Test("P-130: and tends to |tr F′ − tr F|/(λ d_A d_G)")
  func dampingHidesTheChangeInTheLimit() {
    property("P-130", .limit, oracle: "closed form", over: FactorCase.positiveDefinite) {
      test, checks in
      let (old, new) = Self.grown(test)
      let d = abs(new.a * new.g - old.a * old.g)
      let p = Double(old.sizeA * old.sizeG)
      for λ in [1e3, 1e6, 1e9] {
        let change = TraceRule.change(from: old, to: new, lambda: λ, reading: .product)
        // d/(tr F + λp) = d/(λp) · 1/(1 + tr F/(λp))
        let relative = abs(change * λ * p / d - 1)
        checks.bounded(relative, atMost: old.a * old.g / (λ * p) + 8 * .ulpOfOne, "λ = \(λ)")
      }
    }
  }

  /// Traces of a pair of factors, and of another that is 0.7 to 1.2 larger.
  private static func grown(_ test: FactorCase) -> (old: LayerTraces, new: LayerTraces) {
    let (a, g) = (test.a.matrix, test.g.matrix)
    return (traces(a, g), traces(1.3 * a, 1.7 * g))
  }
}
