import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// On linear regression every undamped natural-gradient method is Newton's (P-60).
@Suite("One undamped step of every method")
struct LinearRegressionTests {
  /// The methods whose curvature is exact for one linear layer with Gaussian targets.
  static func preconditioners() throws -> [any Preconditioner] {
    let zero = Schedule.constant(0)
    var kronecker = KroneckerPreconditioner.Options()
    kronecker.rule = .none
    kronecker.lambda = zero
    kronecker.averaging = .martensGrosse(most: 0.95)
    var ekfac = EKFACPreconditioner.Options()
    ekfac.lambda = zero
    var kfacMoments = ekfac
    kfacMoments.restart = .kfac
    func solver(_ layerOperator: MatrixFreeSolver.Operator) -> MatrixFreeSolver {
      MatrixFreeSolver(
        layerOperator,
        iteration: ConjugateGradient(
          stoppingRule: .rightHandSide(tolerance: 1e-14), maximumIterations: 200))
    }
    return [
      NaturalGradientPreconditioner(structure: .exact, rule: .none, lambda: zero),
      NaturalGradientPreconditioner(structure: .blockDiagonal, rule: .exact, lambda: zero),
      try KroneckerPreconditioner(kronecker, name: "kfac"),
      try EKFACPreconditioner(ekfac), try EKFACPreconditioner(kfacMoments),
      ConjugateGradientPreconditioner(solver(.kfac), lambda: zero),
      ConjugateGradientPreconditioner(solver(.exactBlock), lambda: zero),
      FrobeniusPreconditioner(try FrobeniusIntervalRule(), damping: .none, lambda: zero),
    ]
  }

  @Test("P-60: one undamped step of every exact method solves linear regression")
  func everyMethodTakesOneStep() {
    // A = XXᵀ/N with κ(X) ≤ 30, so that conjugate gradients converge to 1e-14 too.
    let cases = LeastSquaresTests.Regression.all.filter { test in
      guard let σ = try? LAPACK.dgesvd(test.design).values.elements else { return false }
      return σ[0] < 30 * σ[σ.count - 1] && test.distance < 100
    }
    property("P-60", .equal, oracle: "dgels", over: cases, share: 0.5) { test, checks in
      var generator = Generator(seed: test.seed + 60)
      let start = try Network.multilayerPerceptron(
        weights: [test.distance * generator.normal(test.outputs, test.inputs + 1)], activations: [])
      let likelihood = Likelihood.gaussian(variance: test.variance)
      let state = TrainingState(start, test.data, likelihood)
      let expected = try test.solution
      let σ = try LAPACK.dgesvd(test.design).values.elements
      let root = σ[0] / σ[σ.count - 1]
      let scale = root * root * (LAPACK.norm1(start.parameters[0].weights) + LAPACK.norm1(expected))
      for var method in try Self.preconditioners() {
        let direction = try method.direction(for: state.gradient, at: state.point())
        let end = start.adding(direction, scale: -1)
        // Conjugate gradients leave 1e-14 ‖V‖, about 45 ε.
        let limit: Double = method is ConjugateGradientPreconditioner ? 300 : 30
        checks.equal(
          end.parameters[0].weights, expected, scale: scale, atMost: limit,
          "\(method.name), over κ(X)²")
      }
    }
  }

  @Test("P-60: so does the 2015 algorithm, whose λ may be tiny but not zero")
  func adaptiveMethodTakesOneStep() {
    let cases = LeastSquaresTests.Regression.all.filter { test in
      guard let σ = try? LAPACK.dgesvd(test.design).values.elements else { return false }
      return σ[0] < 30 * σ[σ.count - 1] && test.distance < 100
    }
    property(
      "P-60", .limit, oracle: "dgels", claim: "the 2015 algorithm's first step tends to it with λ",
      over: cases, share: 0.5
    ) { test, checks in
      var generator = Generator(seed: test.seed + 60)
      let start = try Network.multilayerPerceptron(
        weights: [test.distance * generator.normal(test.outputs, test.inputs + 1)], activations: [])
      let expected = try test.solution
      var options = AdaptiveKFAC.Options()
      // γ = √λ enters the factors, so the error is of the order κ √λ.
      let λ = 1e-20
      options.lambda = λ
      var optimizer = try AdaptiveKFAC(options)
      let end = try optimizer.step(start, test.data, .gaussian(variance: test.variance))
      let σ = try LAPACK.dgesvd(test.design).values.elements
      let κ = (σ[0] / σ[σ.count - 1]) * (σ[0] / σ[σ.count - 1])
      let error = LAPACK.norm1(end.parameters[0].weights - expected)
      let size = LAPACK.norm1(expected) + LAPACK.norm1(start.parameters[0].weights)
      let relative = error / size
      checks.bounded(relative, atMost: 100 * κ * λ.squareRoot() * max(1, test.variance))
    }
  }
}
