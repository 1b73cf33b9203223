import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Each bound is 5.5 standard errors, estimated from the sample: a correct sampler fails one check
/// with probability 4e-8, all of this file with less than 1e-6. Each test also demands that 5.5
/// standard errors are less than half of 5 %, so that a scale wrong by 5 % cannot pass.
@Suite("Sampled targets and gradients")
struct MonteCarloTests {
  /// The second moment of the sampled gradient along a direction is the Hessian's quadratic form.
  @Test(arguments: RandomNetwork.likelihoods)
  func sampledGradientsHaveMeanZeroAndTheHessianAsSecondMoment(_ likelihood: Likelihood) {
    let count = 200_000
    let z = [0.4, -0.3, 0.6]
    let outputs = Matrix(
      rowCount: 3, columnCount: count, storage: (0..<3 * count).map { z[$0 % 3] })
    var random = SplitMix64(seed: 1234)
    let gradients = likelihood.sampledGradient(outputs, using: &random)
    let hessian = likelihood.hessian(Vector(z))
    for w in [Vector([1, 0, 0]), Vector([0, 1, 0]), Vector([1, -2, 0.5])] {
      let projections = gradients.transposedTimes(w).elements
      let exact = w.dot(hessian * w)
      expectMean(of: projections, is: 0, scale: exact.squareRoot(), "mean along \(w.elements)")
      expectMean(
        of: projections.map { $0 * $0 }, is: exact, scale: exact, "square along \(w.elements)")
    }
  }

  /// Sampled targets have the model's mean: p, z, q.
  @Test func sampledTargetsHaveTheModelsMeans() {
    let count = 100_000
    let z = [0.4, 0.2]
    let outputs = Matrix(
      rowCount: 2, columnCount: count, storage: (0..<2 * count).map { z[$0 % 2] })
    var random = SplitMix64(seed: 8)
    guard case .labels(let labels) = Likelihood.categorical.sampledTargets(outputs, using: &random),
      case .values(let coins) = Likelihood.bernoulli.sampledTargets(outputs, using: &random),
      case .values(let normals) = Likelihood.gaussian(variance: 0.3)
        .sampledTargets(outputs, using: &random)
    else {
      Issue.record("targets of the wrong kind")
      return
    }
    // p of class 1 is σ(z₁ − z₀) = σ(−0.2), the coin's is σ(0.4); numbers from mpmath 1.3.0.
    expectMean(of: labels.map(Double.init), is: 0.4501660026875221, scale: 0.45, "label")
    expectMean(of: coins.row(0).elements, is: 0.598687660112452, scale: 0.6, "coin")
    expectMean(of: normals.row(1).elements, is: 0.2, scale: 0.55, "normal")
    expectMean(
      of: normals.row(1).elements.map { ($0 - 0.2) * ($0 - 0.2) }, is: 0.3, scale: 0.3, "variance")
  }

  /// The stream follows the seed; M samples carry 1/√M and begin with the sample that one has.
  @Test(arguments: RandomNetwork.likelihoods)
  func columnsFollowTheSeedAndCarryTheRootOfTheSampleCount(_ likelihood: Likelihood) {
    var generator = Generator(seed: 2)
    let outputs = generator.normal(3, 20)
    let targets = likelihood.sampledTargets(outputs, using: &generator.random)
    func columns(_ samples: Int, _ seed: UInt64) -> [Matrix] {
      FisherKind.monteCarlo(samples: samples, seed: seed).columns(outputs, targets, likelihood)
    }
    #expect(columns(4, 5) == columns(4, 5))
    #expect(columns(4, 5) != columns(4, 6))
    #expect(columns(4, 5).count == 4)
    #expect(columns(4, 5)[0] == 0.5 * columns(1, 5)[0])
    #expect(columns(4, 5)[0] != columns(4, 5)[1])
  }

  private func expectMean(
    of values: [Double], is expected: Double, scale: Double, _ name: String
  ) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    let bound = 5.5 * (variance / count).squareRoot()
    #expect(
      (mean - expected).magnitude <= bound, "\(name): \(mean), expected \(expected) ± \(bound)")
    #expect(bound <= 0.025 * scale, "\(name): the bound \(bound) would miss 5 % of \(scale)")
  }
}
