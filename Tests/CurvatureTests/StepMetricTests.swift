import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The metrics of steps (spec 9, P-137, P-139 to P-142).
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

  @Test("P-139: η = cos_F² lies between Kantorovich's 4κ/(1 + κ)² and 1", arguments: pairs)
  func efficiencyIsBounded(pair: MatrixMetricTests.Pair) throws {
    let (f, approximation, h) = try parts(pair)
    let found = try metrics(f, approximation, h)
    let η = value(.efficiency, found)
    let cosine = value(.fisherCosine, found)
    expectAtMost(abs(η - cosine * cosine), 0, slack: 1e-15)
    expectAtMost(η, 1, slack: 1e-12)
    let w = try LAPACK.dsygvd(f, approximation).values
    let κ = w[w.count - 1] / w[0]
    expectAtMost(4 * κ / ((1 + κ) * (1 + κ)), η, slack: 1e-12, "\(pair)")
  }

  @Test(
    "P-140: the F-norm error² is twice the model gap, and at most max |w − 1|", arguments: pairs)
  func fisherNormErrorIsTheModelGap(pair: MatrixMetricTests.Pair) throws {
    let (f, approximation, h) = try parts(pair)
    let error = value(.relativeFisherNorm, try metrics(f, approximation, h))
    let u = try LAPACK.dposv(f, h)
    let û = try LAPACK.dposv(approximation, h)
    let q = { (x: Vector) in 0.5 * x.dot(LAPACK.dgemm(f, x)) - h.dot(x) }
    let unit = h.dot(u)
    expectAtMost(
      abs(error * error - 2 * (q(û) - q(u)) / unit),
      1e-12 * (1 + error * error) * (try condition(f)).squareRoot(), "\(pair)")
    let w = try LAPACK.dsygvd(f, approximation).values.elements
    let bound = w.map { abs($0 - 1) }.max() ?? 0
    expectAtMost(error, bound, slack: 1e-7 * (1 + bound), "\(pair)")
  }

  @Test("P-137, P-142: F-cosine, η, F-norm error and decrease ignore coordinates", arguments: pairs)
  func stepsAreInvariant(pair: MatrixMetricTests.Pair) throws {
    let (f, approximation, h) = try parts(pair)
    var generator = Generator(seed: pair.test.seed)
    let t = generator.matrix(
      f.rowCount, f.rowCount, singularValues: geometric(f.rowCount, from: 3, to: 0.3))
    func moved(_ m: Matrix) -> Matrix {
      LAPACK.dgemm(LAPACK.dgemm(t, m), t, transposeB: true).symmetrized
    }
    let before = try metrics(f, approximation, h)
    let after = try metrics(moved(f), moved(approximation), LAPACK.dgemm(t, h))
    let scaled = try metrics(f, 5 * approximation, h)
    for metric in [
      ErrorMetric.fisherCosine, .efficiency, .bestStepLength, .predictedDecreaseAtBest,
    ] {
      let x = value(metric, before)
      expectAtMost(abs(value(metric, after) - x), 1e-10 * (1e-6 + abs(x)), "\(metric), \(pair)")
      let factor = metric == .bestStepLength ? 5.0 : 1
      expectAtMost(
        abs(value(metric, scaled) - factor * x), 1e-10 * factor * abs(x), "\(metric), \(pair)")
    }
    let (x, y) = (value(.relativeFisherNorm, before), value(.relativeFisherNorm, after))
    expectAtMost(abs(x - y), 1e-6 * (1 + x), "\(pair)")
    expectAtMost(
      abs(value(.cosine, scaled) - value(.cosine, before)), 1e-10, "\(pair)")
    expectAtMost(
      abs(5 * value(.lengthRatio, scaled) - value(.lengthRatio, before)),
      1e-10 * value(.lengthRatio, before), "\(pair)")
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

  @Test(
    "P-141, P-28: as the step shrinks, decrease → ε∇hᵀu and KL → ½ε²uᵀFu",
    arguments: RandomNetwork.likelihoods)
  func smallStepsFollowTheModel(likelihood: Likelihood) throws {
    let test = CurvatureCase(
      RandomNetwork(.perceptron, .tanh, likelihood, seed: 44, exampleCount: 6))
    let source = test.source
    let step = try ExactFisher(test.samples).damped(.exact, 0.1).solve(test.gradient)
    let outputs = source.network.forward(source.data.inputs).output
    let loss = LossGradient(source.network, source.data, likelihood).loss
    let slope = test.gradient.dot(step)
    let curvature = step.flattened.dot(LAPACK.dgemm(test.fisher, step.flattened))
    func errors(_ ε: Double) -> (decrease: Double, divergence: Double) {
      let outcome = StepOutcome(
        source.network, source.data, likelihood, outputs: outputs, loss: loss, step: step,
        blocks: Array(step.blocks.indices), length: ε)
      return (
        abs(outcome.decrease / (ε * slope) - 1),
        abs(outcome.divergence / (0.5 * ε * ε * curvature) - 1)
      )
    }
    let (large, small) = (errors(1e-2), errors(1e-3))
    // First-order convergence: a tenth of the step, a tenth of the error, with room for order two.
    #expect(small.decrease < 0.2 * large.decrease && small.decrease < 1e-2)
    #expect(small.divergence < 0.2 * large.divergence && small.divergence < 1e-2)
  }
}
