import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// What the metrics obey: bounds, symmetry, invariance (spec 9).
@Suite("Laws of the metrics")
struct MetricPropertyTests {
  static let spectral = [ErrorMetric.stein, .affineInvariant, .spectralRatio]

  /// What round-off does to the spectral metrics of eigenvalues w whose logarithms err by n ε δ, in units
  /// of n ε: Stein by Σ |w − 1| δ and, to second order, n δ (30 n ε δ); the distance by √n δ; κ by 2 δ κ.
  static func slack(_ metric: ErrorMetric, _ w: [Double], _ δ: Double) -> Double {
    switch metric {
    case .stein:
      w.reduce(30 * Double(w.count * w.count) * .ulpOfOne * δ) { $0 + abs($1 - 1) } * δ
    case .affineInvariant: Double(w.count).squareRoot() * δ
    default: 2 * δ * w[w.count - 1] / w[0]
    }
  }

  /// A matrix with singular values from 3 to 0.3.
  static func transform(_ size: Int, seed: UInt64) -> Matrix {
    var generator = Generator(seed: seed)
    return generator.matrix(size, size, singularValues: geometric(size, from: 3, to: 0.3))
  }

  @Test("P-136: Stein ≥ 0, and 0 only for equals; the distance is symmetric and inverts")
  func divergencesBehave() {
    property(
      "P-136", .inequality, oracle: "theorem, dsygvd",
      claim: "Stein ≥ ½ min(1, w_min) Σ log² w: at least 0, and 0 only for equals",
      over: NetworkCase.all
    ) { test, checks in
      for pair in try test.metricCases() {
        let metrics = try pair.spectralMetrics
        let w = try LAPACK.dsygvd(pair.reference, pair.approximation).values.elements
        let stein = value(.stein, metrics)
        checks.atMost(0, stein, scale: 1, pair.name)
        // eˣ − 1 − x ≥ ½ x² min(1, eˣ).
        let squares = w.reduce(0) { $0 + logarithm($1) * logarithm($1) }
        let δ = try pair.eigenvalueSensitivity(smallest: w[0])
        checks.atMost(
          0.5 * min(1, w[0]) * squares, stein, size: pair.size,
          scale: Self.slack(.stein, w, δ) + squares.squareRoot() * δ, "distance, \(pair.name)")
      }
    }
    property(
      "P-136", .equal, oracle: "dpotri",
      claim: "Stein is 0 for equals; the Riemannian distance is symmetric and inversion-invariant",
      over: NetworkCase.all
    ) { test, checks in
      for pair in try test.metricCases() {
        let same = try pair.with(approximation: pair.reference).spectralMetrics
        let unit = Double(pair.size) * .ulpOfOne * pair.conditions.reference
        // Each w − 1 is κ ε, and the divergence of order its square.
        checks.bounded(
          value(.stein, same), atMost: Double(pair.size) * (30 * unit) * (30 * unit),
          "Stein of equals, \(pair.name)")
        checks.equal(
          value(.affineInvariant, same), 0, size: pair.size,
          scale: pair.conditions.reference * Double(pair.size).squareRoot(),
          "distance of equals, \(pair.name)")
        let distance = value(.affineInvariant, try pair.spectralMetrics)
        let swapped = try MetricCase(
          pair.name, pair.approximation, pair.reference, pair.gradient)
        let κ = pair.conditions
        checks.equal(
          value(.affineInvariant, try swapped.spectralMetrics), distance, size: pair.size,
          scale: distance + κ.reference * κ.approximation, "swapped, \(pair.name)")
        let inverted = try MetricCase(
          pair.name, try LAPACK.dpotri(pair.reference), try LAPACK.dpotri(pair.approximation),
          pair.gradient)
        // An inverse errs by κ ε, and relative to the other matrix by both κ.
        let both = κ.reference + κ.approximation
        checks.equal(
          value(.affineInvariant, try inverted.spectralMetrics), distance, size: pair.size,
          scale: distance + both * both, "inverted, \(pair.name)")
      }
    }
  }

  @Test("P-137: Stein, distance, κ, F-cosine and η ignore a change of coordinates of everything")
  func congruenceInvariance() {
    property("P-137", .equal, oracle: "dgemm", over: NetworkCase.all) { test, checks in
      for pair in try test.metricCases() {
        let moved = try pair.moved(by: Self.transform(pair.size, seed: test.seed))
        let (before, after) = (try pair.spectralMetrics, try moved.spectralMetrics)
        let w = try LAPACK.dsygvd(pair.reference, pair.approximation).values.elements
        let δ =
          try pair.eigenvalueSensitivity(smallest: w[0])
          + moved.eigenvalueSensitivity(smallest: w[0])
        for metric in Self.spectral {
          checks.equal(
            value(metric, after), value(metric, before), size: pair.size,
            scale: Self.slack(metric, w, δ) + abs(value(metric, before)),
            "\(metric), \(pair.name)")
        }
        let (step, movedStep) = (try pair.stepMetrics, try moved.stepMetrics)
        let sensitivity = pair.stepSensitivity + moved.stepSensitivity
        for metric in [
          ErrorMetric.fisherCosine, .efficiency, .bestStepLength, .predictedDecreaseAtBest,
        ] {
          checks.equal(
            value(metric, movedStep), value(metric, step), size: pair.size,
            scale: sensitivity * abs(value(metric, step)), "\(metric), \(pair.name)")
        }
        let error = value(.relativeFisherNorm, step)
        checks.equal(
          value(.relativeFisherNorm, movedStep), error, size: pair.size,
          scale: sensitivity * (1 + error), "F-norm error, \(pair.name)")
      }
    }
  }

  @Test("P-138: the relative Frobenius error depends on the coordinates")
  func frobeniusIsNotInvariant() {
    func error(_ pair: MetricCase) throws -> Double {
      value(
        .relativeFrobenius,
        try MatrixReference(pair.reference).metrics(
          of: pair.approximation, includingSpectral: false))
    }
    property("P-138", .counterProperty, oracle: "dgemm", over: NetworkCase.generic) {
      test, checks in
      // The first layer; the approximation is never exact there.
      let pair = try test.metricCases()[0]
      let before = try error(pair)
      // One change of coordinates may leave the error as it is by chance, four do not.
      let changes = try (1...4 as ClosedRange<UInt64>).map { index in
        abs(
          try error(
            try pair.moved(by: Self.transform(pair.size, seed: 4 * test.seed + index))) - before)
      }
      checks.bounded((changes.max() ?? 0) / before, atLeast: 1e-3, "relative change, \(pair.name)")
    }
  }

  @Test("P-139: η = cos_F², and Kantorovich's 4κ/(1 + κ)² ≤ η ≤ 1")
  func efficiencyIsBounded() {
    property(
      "P-139", .equal, oracle: "dposv, dgemm",
      claim: "η is cos_F², and the share of the best decrease that the step keeps",
      over: NetworkCase.all
    ) { test, checks in
      for pair in try test.metricCases() {
        let found = try pair.stepMetrics
        let (f, h) = (pair.reference, pair.gradient)
        let (u, û) = (try LAPACK.dposv(f, h), try LAPACK.dposv(pair.approximation, h))
        let energy = inner(û, LAPACK.dgemm(f, û))
        let cosine =
          inner(û, LAPACK.dgemm(f, u)) / (energy * inner(u, LAPACK.dgemm(f, u))).squareRoot()
        let η = value(.efficiency, found)
        checks.equal(
          η, cosine * cosine, size: pair.size, scale: pair.stepSensitivity, "cos², \(pair.name)")
        // The model falls by ½ (hᵀû)²/(ûᵀFû) along û, and by ½ hᵀu at best.
        let share = inner(h, û) * inner(h, û) / (energy * inner(h, u))
        checks.equal(η, share, size: pair.size, scale: pair.stepSensitivity, "share, \(pair.name)")
      }
    }
    property(
      "P-139", .inequality, oracle: "dsygvd, Kantorovich's inequality",
      claim: "4κ/(1 + κ)² ≤ η ≤ 1", over: NetworkCase.all
    ) { test, checks in
      for pair in try test.metricCases() {
        let η = value(.efficiency, try pair.stepMetrics)
        checks.atMost(η, 1, size: pair.size, scale: pair.stepSensitivity, "η ≤ 1, \(pair.name)")
        let w = try LAPACK.dsygvd(pair.reference, pair.approximation).values.elements
        let κ = value(.spectralRatio, try pair.spectralMetrics)
        // κ errs by 2 δ, and so does the bound at most.
        let δ = try pair.eigenvalueSensitivity(smallest: w[0])
        checks.atMost(
          4 * κ / ((1 + κ) * (1 + κ)), η, size: pair.size, scale: pair.stepSensitivity + 2 * δ,
          "Kantorovich, \(pair.name)")
      }
    }
  }

  @Test("P-140: the F-norm error² is twice the model gap, and the error at most max |w − 1|")
  func fisherNormErrorIsTheModelGap() {
    property(
      "P-140", .equal, oracle: "dposv, dgemm",
      claim: "‖û − u‖² = 2 [q(û) − q(u)] in the norm of F_λ", over: NetworkCase.all
    ) { test, checks in
      for pair in try test.metricCases() {
        let (f, h) = (pair.reference, pair.gradient)
        let (u, û) = (try LAPACK.dposv(f, h), try LAPACK.dposv(pair.approximation, h))
        func q(_ x: Vector) -> Double { 0.5 * inner(x, LAPACK.dgemm(f, x)) - inner(h, x) }
        let error = value(.relativeFisherNorm, try pair.stepMetrics)
        checks.equal(
          error * error, 2 * (q(û) - q(u)) / inner(h, u), size: pair.size,
          scale: pair.stepSensitivity * (1 + error) * (1 + error), pair.name)
      }
    }
    property(
      "P-140", .inequality, oracle: "dsygvd", claim: "the F-norm error is at most max |w − 1|",
      over: NetworkCase.all
    ) { test, checks in
      for pair in try test.metricCases() {
        let w = try LAPACK.dsygvd(pair.reference, pair.approximation).values.elements
        let bound = w.map { abs($0 - 1) }.max() ?? 0
        checks.atMost(
          value(.relativeFisherNorm, try pair.stepMetrics), bound, size: pair.size,
          scale: pair.stepSensitivity * (1 + bound), pair.name)
      }
    }
  }

  @Test("P-142: a scaled approximation keeps κ, cosines and η; the least-squares scale is the best")
  func scaling() {
    property(
      "P-142", .equal, oracle: "the same code on c F̂",
      claim: "c F̂ has the κ, cosines and η of F̂, and 1/c of its length", over: NetworkCase.all
    ) { test, checks in
      for pair in try test.metricCases() {
        let c = test.pick([1e-3, 0.3, 7.5, 1e4])
        let scaled = try pair.with(approximation: c * pair.approximation)
        let κ = value(.spectralRatio, try pair.spectralMetrics)
        let w = try LAPACK.dsygvd(pair.reference, pair.approximation).values.elements
        let δ = try pair.eigenvalueSensitivity(smallest: w[0])
        checks.equal(
          value(.spectralRatio, try scaled.spectralMetrics), κ, size: pair.size,
          scale: (1 + 2 * δ) * κ, "κ, \(pair.name)")
        let (before, after) = (try pair.stepMetrics, try scaled.stepMetrics)
        for (metric, factor) in [
          (ErrorMetric.cosine, 1.0), (.fisherCosine, 1), (.efficiency, 1),
          (.predictedDecreaseAtBest, 1), (.bestStepLength, c), (.lengthRatio, 1 / c),
        ] {
          let expected = factor * value(metric, before)
          checks.equal(
            value(metric, after), expected, size: pair.size,
            scale: pair.stepSensitivity * max(abs(expected), metric == .cosine ? 1 : 0),
            "\(metric), \(pair.name)")
        }
      }
    }
    property(
      "P-142", .inequality, oracle: "dlange",
      claim: "the least-squares scale makes the Frobenius error smallest", over: NetworkCase.all
    ) { test, checks in
      for pair in try test.metricCases() {
        let (f, approximation) = (pair.reference, pair.approximation)
        let c = value(
          .leastSquaresScale,
          try MatrixReference(f).metrics(of: approximation, includingSpectral: false))
        func squaredError(_ scale: Double) -> Double {
          frobenius(scale * approximation - f) * frobenius(scale * approximation - f)
        }
        let best = squaredError(c)
        for factor in [0, 0.5, 0.99, 1.001, 3] {
          // By (f − 1)² ‖c F̂‖² in the square.
          let rise = (factor - 1) * frobenius(c * approximation)
          checks.atMost(
            best + rise * rise, squaredError(factor * c), size: pair.size,
            scale: squaredError(0) + squaredError(factor * c), "\(factor) c, \(pair.name)")
        }
      }
    }
  }
}
