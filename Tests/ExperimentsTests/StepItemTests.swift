import Curvature
import DenseAlgebra
import Experiments
import Networks
import Testing

@Suite("Damping laboratory, staleness and fidelity")
struct StepItemTests {
  let network: Network
  let data: Dataset
  let samples: GradientSamples
  let gradient: ParameterVector
  let fisher: DenseStructure

  init() throws {
    network = try Network.multilayerPerceptron(
      widths: [6, 5, 4, 3], activation: .tanh, initialization: .he, seed: 3)
    data = try ComparisonSample.data.get()
    (samples, gradient, fisher) = try StepItemTests.curvature(network, data)
  }

  private static func curvature(_ network: Network, _ data: Dataset) throws -> (
    GradientSamples, ParameterVector, DenseStructure
  ) {
    let samples = GradientSamples(network, data, likelihood: .categorical, kind: .exact)
    return (
      samples, LossGradient(network, data, .categorical).gradient,
      DenseStructure(
        kind: .exact, layout: samples.layout,
        matrix: try ExactFisher(samples).dense(within: .standard))
    )
  }

  /// (A + √λ² I) ⊗ (G + √λ² I) is (A + λI) ⊗ (G + λI).
  @Test func sqrtAtTheSquareIsFactor() throws {
    let measurement = try DampingMeasurement(
      samples, gradient: gradient, fisher: fisher, lambdas: [0.25, 0.0625], fixed: [0.01])
    func efficiency(_ rule: DampingRule, _ λ: Double) throws -> Double {
      try #require(
        measurement.points.first {
          $0.rule == rule && $0.lambda == λ && $0.reference == .full && $0.damping == .fixed(0.01)
        }
      ).efficiency
    }
    #expect(try efficiency(.sqrt, 0.0625) == efficiency(.factor, 0.25))
    #expect(try efficiency(.sqrt, 0.25) != efficiency(.factor, 0.25))
  }

  /// One example's block is Kronecker: A = āāᵀ and G = Σ ggᵀ, so A ⊗ G + λI is the damped block.
  @Test func ofOneExampleTheExactRuleLosesNothingAndPiDoes() throws {
    let one = data.subset([5])
    let (samples, gradient, fisher) = try StepItemTests.curvature(network, one)
    let measurement = try DampingMeasurement(
      samples, gradient: gradient, fisher: fisher, lambdas: [0.02], fixed: [])
    func point(_ rule: DampingRule) throws -> DampingMeasurement.Point {
      try #require(
        measurement.points.first {
          $0.rule == rule && $0.reference == .blocks && $0.damping == .same
        })
    }
    #expect(try abs(point(.exact).efficiency - 1) < 1e-12)
    #expect(try abs(point(.exact).lengthRatio - 1) < 1e-12)
    // D3⁻¹ ≼ D4⁻¹ makes ∇hᵀû smaller; with one example the direction is an eigenvector of both.
    #expect(try point(.pi).lengthRatio < 0.9)
  }

  @Test func theBestLambdaOfATieIsTheSmaller() {
    let best = DampingMeasurement.best([(0.1, 0.4), (1, 0.7), (0.01, 0.7)])
    #expect(best?.lambda == 0.01 && best?.value == 0.7)
    #expect(DampingMeasurement.best([]) == nil)
  }

  @Test func factorsOfTheSameMomentLoseNothing() throws {
    let exact = DampedReference(try fisher.damped(.exact, 0.05), gradient: gradient)
    let same = try StalenessMeasurement(
      fresh: samples, stale: samples, gradient: gradient, references: [(0.05, exact)],
      splitSize: 2)
    #expect(same.points.map(\.method) == StalenessMeasurement.Method.allCases)
    for point in same.points {
      #expect(point.error < 1e-12 && abs(point.kept - 1) < 1e-12, "\(point.method)")
    }
    let moved = network.adding(gradient, scale: -3)
    let other = GradientSamples(moved, data, likelihood: .categorical, kind: .exact)
    let stale = try StalenessMeasurement(
      fresh: samples, stale: other, gradient: gradient, references: [(0.05, exact)], splitSize: 2)
    for point in stale.points { #expect(point.error > 0.01, "\(point.method)") }
    // The basis is as old, but the moments are of the batch.
    #expect(stale.points[2].error < stale.points[3].error)
  }

  /// ‖cF − F‖ / ‖F‖ = |c − 1|.
  @Test func driftIsRelativeToTheNewerMatrix() {
    func blocks(_ scale: Double) -> LayerwiseStructure<DenseStructure> {
      LayerwiseStructure(
        [2.0, 5].map {
          DenseStructure(
            kind: .blockDiagonal,
            layout: ParameterLayout(
              blocks: [.init(name: "b", rowCount: 2, columnCount: 1, hasBias: false)]),
            matrix: .diagonal([scale * $0, scale]))
        })
    }
    let drift = StalenessMeasurement.drift(from: blocks(1.5), to: blocks(1))
    #expect(abs(drift - 0.5) < 1e-15)
    #expect(abs(StalenessMeasurement.drift(from: blocks(1), to: blocks(1.5)) - 1.0 / 3) < 1e-15)
  }

  @Test func theAssumptionIsJudgedByItsCriterion() {
    #expect(StalenessMeasurement.verdict(early: 0.5, late: 0.05) == .reproduced)
    #expect(StalenessMeasurement.verdict(early: 0.5, late: 0.2) == .inFormOnly)
    #expect(StalenessMeasurement.verdict(early: 0.5, late: 0.3) == .notFound)
    #expect(StalenessMeasurement.verdict(early: 0.05, late: 0.05) == .notFound)
  }

  /// Where the loss is the quadratic model itself, the decrease at the best length is η times the best
  /// decrease, so the ranks agree; at length 1 they need not.
  @Test func onTheModelItselfEtaRanksTheDecrease() throws {
    let λ = 0.05
    let damped = try fisher.damped(.exact, λ)
    let gradient = gradient
    let model = { @Sendable (step: ParameterVector, α: Double) in
      α * gradient.dot(step) - 0.5 * α * α * step.dot(damped.apply(step))
    }
    let measurement = try FidelityMeasurement(
      samples, gradient: gradient, fisher: fisher, lambdas: [λ], decrease: (model, model))
    let count = FidelityMeasurement.Approximation.all.count
    #expect(measurement.points.count == count)
    let exact = measurement.points[0]
    #expect(abs((exact.fidelities[.efficiency] ?? 0) - 1) < 1e-12)
    #expect(exact.fidelities[.matrix] == 0)
    #expect(abs(exact.length - 1) < 0.01)
    let ρ = FidelityMeasurement.correlation(measurement.points, .efficiency, .batchAtBest)
    #expect((ρ ?? 0) > 0.99)
    let atOne = FidelityMeasurement.correlation(measurement.points, .efficiency, .batchAtOne)
    #expect((atOne ?? 1) < 0.9)
    // m(1) = q(u*) − ½‖û − u*‖²: at length 1 the F-norm error ranks it.
    let byError = FidelityMeasurement.correlation(measurement.points, .fisherNorm, .batchAtOne)
    #expect(byError == 1)
  }
}
