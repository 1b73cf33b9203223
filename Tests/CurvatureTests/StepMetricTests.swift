import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The metrics of steps are their formulas (spec 9).
@Suite("Metrics of steps")
struct StepMetricTests {
  static let pairs = MatrixMetricTests.pairs.filter {
    $0.test.gradient.blocks[$0.index].storage.contains { $0 != 0 }
  }

  /// F_λ, F̂_λ and ∇h of one layer.
  func parts(_ pair: MatrixMetricTests.Pair) throws -> (
    f: Matrix, approximation: Matrix, gradient: Vector
  ) {
    let (f, approximation) = try pair.matrices()
    return (f, approximation, Vector(pair.test.gradient.blocks[pair.index].storage))
  }

  func metrics(_ f: Matrix, _ approximation: Matrix, _ gradient: Vector) throws -> [MetricValue] {
    let damped = try MatrixMetricTests.damped(f)
    let reference = DampedReference(
      damped, gradient: ParameterVector(gradient, layout: damped.layout))
    let step = try LAPACK.dposv(approximation, gradient)
    return reference.metrics(ofStep: ParameterVector(step, layout: damped.layout))
  }

  @Test("Every step metric is its dense formula", arguments: pairs)
  func stepMetricsAreTheirFormulas(pair: MatrixMetricTests.Pair) throws {
    let (f, approximation, h) = try parts(pair)
    let u = try LAPACK.dposv(f, h)
    let û = try LAPACK.dposv(approximation, h)
    let norm = { (x: Vector) in x.dot(LAPACK.dgemm(f, x)).squareRoot() }
    let α = h.dot(û) / û.dot(LAPACK.dgemm(f, û))
    let cosine = û.dot(LAPACK.dgemm(f, u)) / (norm(û) * norm(u))
    let expected: [(ErrorMetric, Double)] = [
      (.cosine, û.dot(u) / (û.norm * u.norm)), (.fisherCosine, cosine),
      (.efficiency, h.dot(û) * h.dot(û) / (û.dot(LAPACK.dgemm(f, û)) * h.dot(u))),
      (.lengthRatio, û.norm / u.norm), (.relativeFisherNorm, norm(û - u) / norm(u)),
      (.bestStepLength, α),
      // m(0) − m(−α û) = α ∇hᵀû − ½ α² ûᵀF_λû.
      (.predictedDecreaseAtBest, α * h.dot(û) - 0.5 * α * α * û.dot(LAPACK.dgemm(f, û))),
    ]
    let found = try metrics(f, approximation, h)
    #expect(found.count == expected.count)
    let slack = 30 * Double(f.rowCount) * .ulpOfOne * (try condition(f))
    for (metric, wanted) in expected {
      // A norm of a difference that vanishes knows only the root of the round-off.
      let absolute = metric == .relativeFisherNorm ? slack.squareRoot() * 1e-2 + slack : slack
      expectAtMost(
        abs(value(metric, found) - wanted), absolute * (1e-3 + abs(wanted)) + slack * abs(wanted),
        "\(metric), \(pair)")
    }
  }

  @Test("The exact step has no error and keeps everything")
  func exactStep() throws {
    for pair in Self.pairs {
      let (f, _, h) = try parts(pair)
      let found = try metrics(f, f, h)
      for metric in [
        ErrorMetric.cosine, .fisherCosine, .efficiency, .lengthRatio, .bestStepLength,
      ] {
        expectAtMost(abs(value(metric, found) - 1), 1e-10, "\(metric), \(pair)")
      }
      expectAtMost(value(.relativeFisherNorm, found), 1e-10, "\(pair)")
      let decrease = 0.5 * h.dot(try LAPACK.dposv(f, h))
      expectAtMost(
        abs(value(.predictedDecreaseAtBest, found) - decrease), 1e-10 * decrease, "\(pair)")
    }
  }

  @Test("No angle, no metric: a zero step or a zero gradient gives none")
  func zeroSteps() throws {
    let damped = try MatrixMetricTests.damped(.identity(2))
    let some = ParameterVector(Vector([1, 2]), layout: damped.layout)
    let none = ParameterVector.zero(damped.layout)
    #expect(DampedReference(damped, gradient: some).metrics(ofStep: none).isEmpty)
    #expect(DampedReference(damped, gradient: none).metrics(ofStep: some).isEmpty)
  }

  @Test(
    "Decrease and KL of a step are those of the moved network; only chosen blocks move",
    arguments: RandomNetwork.likelihoods)
  func outcomesAreMeasuredOnTheMovedNetwork(likelihood: Likelihood) throws {
    let source = RandomNetwork(.perceptron, .tanh, likelihood, seed: 44, exampleCount: 6)
    let (network, data) = (source.network, source.data)
    let outputs = network.forward(data.inputs).output
    let step = ParameterVector(blocks: [source.direction(seed: 2).blocks[1]])
    let before = LossGradient(network, data, likelihood).loss
    let outcome = StepOutcome(
      network, data, likelihood, outputs: outputs, loss: before, step: step, blocks: [1],
      length: 0.3)
    var whole = ParameterVector.zero(network.layout)
    whole.blocks[1] = step.blocks[0]
    let moved = network.adding(whole, scale: -0.3)
    let after = LossGradient(moved, data, likelihood).loss
    expectAtMost(abs(outcome.decrease - (before - after)), 1e-14 * (before + after))
    let divergences = likelihood.divergence(from: outputs, to: moved.forward(data.inputs).output)
    expectRatio(
      .difference(Vector([outcome.divergence]), Vector([divergences.reduce(0, +) / 6])))
  }
}
