import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// CG-FAC over the steps of a training run (spec 6.1, 6.3).
@Suite("CG-FAC over time")
struct ConjugateGradientPreconditionerTests {
  static func method(
    _ layerOperator: MatrixFreeSolver.Operator, tolerance: Double, most: Int = 400,
    λ: Double = 0.1, isWarm: Bool = false, fisher: FisherKind = .exact
  ) -> ConjugateGradientPreconditioner {
    ConjugateGradientPreconditioner(
      MatrixFreeSolver(
        layerOperator,
        iteration: ConjugateGradient(
          stoppingRule: .rightHandSide(tolerance: tolerance), maximumIterations: most)),
      lambda: .constant(λ), fisher: fisher, isWarm: isWarm)
  }

  private static func matrix(
    _ layer: ExplicitLayer, _ layerOperator: MatrixFreeSolver.Operator, _ λ: Double
  ) -> Matrix {
    switch layerOperator {
    case .kfac: layer.damped(.exact, λ)
    case .exactBlock: layer.fisher.addingToDiagonal(λ)
    }
  }

  @Test("P-104: converged, the step is the direct solve, warm or cold, at every step")
  func convergedIsDirect() {
    property(
      "P-104", .equal, oracle: "dposv", claim: "converged steps of training are direct solves",
      over: NetworkCase.ordinary, share: 0.3
    ) { test, checks in
      for layerOperator in MatrixFreeSolver.Operator.allCases {
        var cold = Self.method(layerOperator, tolerance: 1e-13, fisher: test.kind)
        var warm = Self.method(layerOperator, tolerance: 1e-13, isWarm: true, fisher: test.kind)
        var state = TrainingState(test)
        for step in 0..<2 {
          let gradient = state.gradient
          let point = state.point(step: step)
          let directions = try [
            cold.direction(for: gradient, at: point), warm.direction(for: gradient, at: point),
          ]
          for (index, layer) in state.layers(test.kind, step: step).enumerated() {
            let matrix = Self.matrix(layer, layerOperator, 0.1)
            let expected = try LAPACK.dposv(matrix, cvec(gradient.blocks[index]))
            let κ = try condition(matrix)
            for direction in directions {
              // ‖M⁻¹r‖ ≤ κ ‖r‖/‖V‖ ‖u‖ with ‖r‖ ≤ 1e-13 ‖V‖, and as much round-off.
              checks.bounded(
                (cvec(direction.blocks[index]) - expected).norm,
                atMost: 3e-13 * κ * expected.norm, "\(layerOperator), layer \(index)")
            }
          }
          state.network = state.network.adding(directions[0], scale: -0.1)
        }
      }
    }
  }

  @Test(
    "A warm start at the same batch takes no iteration, at the next one fewer than a cold start")
  func warmStartsAreShorter() throws {
    for layerOperator in MatrixFreeSolver.Operator.allCases {
      var state = TrainingState(
        NetworkCase(.perceptron, .tanh, .categorical, seed: 91, exampleCount: 20))
      var cold = Self.method(layerOperator, tolerance: 1e-6, λ: 1e-3)
      var warm = Self.method(layerOperator, tolerance: 1e-6, λ: 1e-3, isWarm: true)
      let first = try warm.direction(for: state.gradient, at: state.point())
      #expect(try cold.direction(for: state.gradient, at: state.point()) == first)
      #expect(warm.iterations == cold.iterations && cold.iterations.allSatisfy { $0 > 1 })
      let again = try warm.direction(for: state.gradient, at: state.point(step: 1))
      #expect(warm.iterations.allSatisfy { $0 == 0 } && again == first)
      state.network = state.network.adding(first, scale: -1e-4)
      _ = try warm.direction(for: state.gradient, at: state.point(step: 2))
      _ = try cold.direction(for: state.gradient, at: state.point(step: 2))
      let (few, many) = (warm.iterations.reduce(0, +), cold.iterations.reduce(0, +))
      #expect(few < many, "\(layerOperator): \(few) against \(many)")
    }
  }

  @Test("The cap is respected, and one iteration is the line search along the gradient")
  func capIsRespected() throws {
    let state = TrainingState(
      NetworkCase(.perceptron, .tanh, .bernoulli, seed: 92, exampleCount: 20))
    let gradient = state.gradient
    for layerOperator in MatrixFreeSolver.Operator.allCases {
      for most in [1, 2, 3] {
        var method = Self.method(layerOperator, tolerance: 1e-15, most: most, λ: 1e-3)
        let direction = try method.direction(for: gradient, at: state.point())
        #expect(method.iterations.allSatisfy { $0 <= most })
        #expect(method.iterations.contains(most))
        guard most == 1 else { continue }
        for (index, layer) in state.layers().enumerated() {
          let v = cvec(gradient.blocks[index])
          let α = v.dot(v) / v.dot(LAPACK.dgemm(Self.matrix(layer, layerOperator, 1e-3), v))
          expectRatio(.difference(cvec(direction.blocks[index]), α * v), "\(layerOperator)")
        }
      }
    }
  }

  @Test("A warm solution that does not descend is replaced by the one from zero")
  func safeguard() throws {
    let state = TrainingState(
      NetworkCase(.perceptron, .tanh, .categorical, seed: 93, exampleCount: 20))
    let gradient = state.gradient
    var exact = Self.method(.kfac, tolerance: 1e-13, λ: 0.01)
    let solution = try exact.direction(for: gradient, at: state.point())
    // From −c M⁻¹V one iteration ends at −c(M⁻¹V − αV), α = ‖V‖²/VᵀMV, and by Cauchy and Schwarz
    // ⟨M⁻¹V − αV, V⟩ > 0.
    let start = -1000 * solution
    let layers = state.point().samples(.exact, blocks: Array(gradient.blocks.indices))
    let solver = Self.method(.kfac, tolerance: 1e-13, most: 1, λ: 0.01).solver
    let unguarded = try solver.solve(
      layers.blocks.indices.map { LayerSamples(layers, block: $0) }, gradient, lambda: 0.01,
      start: start
    ).step
    for index in gradient.blocks.indices {
      #expect(unguarded.blocks[index].dot(gradient.blocks[index]) < 0, "the case is no case")
    }
    var warm = Self.method(.kfac, tolerance: 1e-13, most: 1, λ: 0.01, isWarm: true)
    var archive = Archive(savingFor: state.network.layout)
    var (last, operations): (ParameterVector?, Double) = (start, 0)
    try archive.vector("curvature.last-step", &last)
    try archive.number("curvature.operations", &operations)
    var loading = Archive(loading: archive.arrays, for: state.network.layout)
    try warm.exchange(&loading)
    let guarded = try warm.direction(for: gradient, at: state.point())
    var cold = Self.method(.kfac, tolerance: 1e-13, most: 1, λ: 0.01)
    #expect(try guarded == cold.direction(for: gradient, at: state.point()))
    #expect(guarded.dot(gradient) > 0)
    // Both iterations were paid for.
    #expect(warm.operations > cold.operations)
  }
}
