import DenseAlgebra
import Networks
import TestSupport
import Testing

/// P-29: Monte-Carlo Fisher matrices F_M against the exact F.
///
/// Compared are quadratic forms xᵀF_Mx along eight random directions, whose variance is xᵀCov(F_M)x,
/// and their sum. The bound is `limit` standard errors, estimated from the sample itself. With 60 seeds
/// Student's t exceeds 7.5 with probability 3.8e-10; the means are over more than 6000 draws, whose
/// skewness raises that by less than a factor 2. A run of 3000 cases tries share · 3000 = 60 of them
/// with nine comparisons each: a false alarm has a probability below 5e-7.
@Suite("Monte-Carlo Fisher matrices")
struct MonteCarloFisherTests {
  private static let limit = 7.5
  private static let share = 0.02

  /// Outputs that are not saturated: a label that is never drawn would leave no trace in the sample's
  /// variance. No shrinking: a case takes half a second.
  private static func cases(examples: ClosedRange<Int>) -> Cases<NetworkCase> {
    Cases { random in
      while true {
        let architectures = RandomNetwork.Architecture.allCases.filter { $0 != .biasFree }
        let value = NetworkCase(
          architectures[random.below(architectures.count)],
          Activation.allCases[random.below(Activation.allCases.count)],
          RandomNetwork.likelihoods[random.below(3)], seed: random.next() % 100_000,
          exampleCount: examples.lowerBound + random.below(examples.count))
        if value.problem.largestOutput < 2.5 { return value }
      }
    }
  }

  /// xᵀFx = (1/N) Σ (uᵀx)² for each direction, and last their sum.
  private static func quadraticForms(
    _ problem: RandomNetwork, _ kind: FisherKind, _ directions: [ParameterVector]
  ) -> [Double] {
    let samples = GradientSamples(
      problem.network, problem.data, likelihood: problem.likelihood, kind: kind)
    let forms = directions.map { direction -> Double in
      var slopes = [Double](repeating: 0, count: samples.columnCount * samples.exampleCount)
      for (block, x) in zip(samples.blocks, direction.blocks) {
        for use in block.uses {
          // uᵀx = Σ_t gᵀXā, ⟨·, ·⟩ taken column by column.
          let images = LAPACK.dgemm(x, use.inputs).storage
          for (c, gradient) in use.gradients.enumerated() {
            for index in images.indices {
              let n = index / (block.rowCount * use.positions)
              slopes[c * samples.exampleCount + n] += images[index] * gradient.storage[index]
            }
          }
        }
      }
      return slopes.reduce(0) { $0 + $1 * $1 } / Double(samples.exampleCount)
    }
    return forms + [forms.reduce(0, +)]
  }

  private static func directions(_ value: NetworkCase, _ problem: RandomNetwork)
    -> [ParameterVector]
  {
    (0..<8).map { problem.direction(seed: 10 * value.seed + $0) }
  }

  private static func moments(_ values: [Double]) -> (mean: Double, squaredError: Double) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    return (mean, variance / count)
  }

  /// |mean − scale·exact| in standard errors, for each quadratic form.
  private static func deviations(_ value: NetworkCase, scale: Double = 1) -> [Double] {
    let problem = value.problem
    let directions = directions(value, problem)
    let exact = quadraticForms(problem, .exact, directions)
    let draws = (0..<60 as Range<UInt64>).map { seed in
      quadraticForms(
        problem, .monteCarlo(samples: 60, seed: value.seed &* 1000 &+ seed), directions)
    }
    return exact.indices.map { index in
      let sample = moments(draws.map { $0[index] })
      // A coin at q = ½ has no variance: then only rounding is left.
      let error = sample.squaredError.squareRoot() + 1e-13 * exact[index]
      return (sample.mean - scale * exact[index]).magnitude / error
    }
  }

  @Test("P-29: the mean of Monte-Carlo Fishers over seeds is the exact one")
  func theMeanOverSeedsIsTheExactFisher() {
    property(
      "P-29", .statistical, oracle: "the sample's own covariance",
      over: Self.cases(examples: 100...200),
      share: Self.share
    ) { value, checks in
      for deviation in Self.deviations(value) {
        checks.bounded(deviation, atMost: Self.limit, "standard errors")
      }
    }
  }

  @Test("P-29: the same check catches a scale error of 5 %")
  func aScaleErrorOfFivePercentIsCaught() {
    property(
      "P-29", .counterProperty, oracle: "the sample's own covariance",
      over: Self.cases(examples: 100...200),
      share: Self.share
    ) { value, checks in
      for scale in [1.05, 1 / 1.05] {
        checks.bounded(
          Self.deviations(value, scale: scale).max() ?? 0, atLeast: Self.limit, "standard errors")
      }
    }
  }

  /// M·(xᵀF_Mx − xᵀFx)² has the same mean for every M. The bound, checked to be below half of that
  /// mean, would not let an error pass that stays or falls by another power of two.
  @Test("P-29: four times the samples halve the error")
  func fourTimesTheSamplesHalveTheError() {
    property(
      "P-29", .statistical, oracle: "the sample's own covariance",
      over: Self.cases(examples: 10...20),
      share: Self.share
    ) { value, checks in
      let problem = value.problem
      let directions = Self.directions(value, problem)
      let exact = Self.quadraticForms(problem, .exact, directions).dropLast()
      func squares(_ samples: Int) -> (mean: Double, squaredError: Double) {
        let values = (0..<2400 as Range<UInt64>).map { (draw: UInt64) -> Double in
          // Another seed for every draw and every M.
          let seed: UInt64 = value.seed &* 100_000 &+ draw &* 100 &+ UInt64(samples)
          let forms = Self.quadraticForms(
            problem, .monteCarlo(samples: samples, seed: seed), directions)
          let errors = zip(forms, exact).map { $0 / $1 - 1 }
          return Double(samples) * errors.reduce(0) { $0 + $1 * $1 }
        }
        return Self.moments(values)
      }
      let (few, many) = (squares(4), squares(16))
      let error = (few.squaredError + many.squaredError).squareRoot()
      let difference = (few.mean - many.mean).magnitude
      checks.bounded(difference / error, atMost: Self.limit, "standard errors")
      checks.bounded(
        Self.limit * error / few.mean, atMost: 0.5, "the bound over the mean")
    }
  }
}
