import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The iteration of CG-FAC on its own operators (spec 6.3, 6.4).
@Suite("CG-FAC: the iteration")
struct MatrixFreeSolverTests {
  /// A network with a damping of its own size, so that κ stays near 1/relative.
  struct System {
    let curvature: CurvatureCase
    let λ: Double
    var layers: [LayerSamples] { curvature.layers }
    var gradient: ParameterVector { curvature.gradient }

    init(_ test: NetworkCase, _ relative: Double) {
      let curvature = test.curvature
      let largest = curvature.samples.blocks.indices.reduce(0) {
        max($0, LayerCase(curvature.samples, block: $1).scale)
      }
      self.curvature = curvature
      λ = largest < 1e-100 ? relative : relative * largest
    }

    func matrix(_ index: Int, _ operation: MatrixFreeSolver.Operator) -> Matrix {
      MatrixFreeTests.dense(
        DefinedLayer(curvature.samples, block: index), operation, λ)
    }

    func solve(
      _ operation: MatrixFreeSolver.Operator, _ iteration: ConjugateGradient,
      preconditioner: MatrixFreeSolver.Preconditioner = .none, start: ParameterVector? = nil
    ) throws -> (step: ParameterVector, iterations: [IterativeSolution]) {
      try MatrixFreeSolver(operation, preconditioner: preconditioner, iteration: iteration)
        .solve(layers, gradient, lambda: λ, start: start)
    }
  }

  /// Small networks whose gradient is not zero in any layer, nor so small that products underflow.
  static let alive = NetworkCase.all.filter { test in
    let problem = test.problem
    guard problem.network.layout.blocks.allSatisfy({ $0.count <= 80 }) else { return false }
    return LossGradient(problem.network, problem.data, test.likelihood).gradient.blocks
      .allSatisfy { frobenius($0) > 1e-100 }
  }

  @Test("P-104: converged, every operator with every preconditioner is dposv")
  func convergedSolvesAreDirect() {
    let cases = NetworkCase.all.filter {
      $0.problem.network.layout.blocks.allSatisfy { $0.count <= 80 }
    }
    property("P-104", .equal, oracle: "dposv", over: cases, share: 0.5) { test, checks in
      let system = System(test, test.pick([1, 0.1, 1e-2]))
      let preconditioner = test.pick(MatrixFreeSolver.Preconditioner.allCases, salt: 1)
      for operation in MatrixFreeSolver.Operator.allCases {
        let (step, iterations) = try system.solve(
          operation, MatrixFreeTests.exact, preconditioner: preconditioner)
        for (index, iteration) in iterations.enumerated() {
          let right = Vector(system.gradient.blocks[index].storage)
          let name = "\(operation), \(preconditioner), layer \(index)"
          if right.norm == 0 {
            checks.holds(iteration.status == .zeroRightHandSide, name)
            continue
          }
          let matrix = system.matrix(index, operation)
          // The residual stops at 1e-14‖b‖, so the error is at most 1e-14 κ = 45 ε κ: under 30 n ε κ
          // from n = 2 on, and n = 1 takes one exact step.
          checks.ratio(
            solutionRatio(
              Vector(step.blocks[index].storage), try LAPACK.dposv(matrix, right),
              condition: try condition(matrix)), name)
        }
      }
    }
  }

  @Test("P-105: reading 2 ends within NK steps for the gradient, NK + 1 for any right side")
  func fewStepsForLowRank() throws {
    let test = CurvatureCase(
      RandomNetwork(.perceptron, .tanh, .categorical, seed: 12, exampleCount: 2, outputCount: 2))
    let solver = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-8), maximumIterations: 100)
    var generator = Generator(seed: 12)
    for (index, layer) in test.layers.enumerated() {
      let operation = ExactBlockOperator(layer, lambda: 0.1)
      // Two classes give rank one per example: the rank is N (C − 1) = 2.
      let gradient = Vector(test.gradient.blocks[index].storage)
      #expect(solver.solve(operation, gradient).iterations <= 2)
      let other = generator.vector(gradient.count)
      #expect(solver.solve(operation, other).iterations <= 3)
    }
  }

  @Test("P-106: a rank-one block takes one step along its vector, two otherwise; closed form")
  func rankOneTakesTwoSteps() {
    let cases = NetworkCase.all.unshared.with {
      $0.exampleCount = 1
      $0.kind = .empirical
    }
    let solver = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-12), maximumIterations: 50)
    property("P-106", .equal, oracle: "Sherman and Morrison's formula", over: cases) {
      test, checks in
      for layer in test.layers {
        let v = layer.defined.gradients.column(0)
        let λ = layer.damping(0.1)
        let operation = ImplicitKroneckerOperator(layer.samples, lambda: λ)
        if v.norm > 1e-100 {
          checks.holds(solver.solve(operation, v).iterations == 1, "b ∝ v, \(layer.name)")
        }
        var generator = Generator(seed: test.seed)
        let b = generator.vector(v.count)
        let solution = solver.solve(operation, b)
        checks.holds(solution.iterations <= 2, "any b, \(layer.name)")
        let share = inner(v, b) / (λ + inner(v, v))
        // The residual stops at 1e-12‖b‖ = 4504 ε‖b‖, an error of κ = 1 + ‖v‖²/λ times that.
        let κ = 1 + inner(v, v) / λ
        checks.ratio(
          solutionRatio(solution.value, (1 / λ) * (b - share * v), condition: 4504 * κ),
          "closed form, \(layer.name)")
      }
    }
  }

  @Test("P-111: the first step is the line search along the gradient")
  func firstStepIsALineSearch() {
    let one = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 0), maximumIterations: 1)
    property("P-111", .equal, oracle: "closed form", over: Self.alive) { test, checks in
      let system = System(test, test.pick([1, 1e-2, 1e-4]))
      for operation in MatrixFreeSolver.Operator.allCases {
        let (step, iterations) = try system.solve(operation, one)
        for (index, iteration) in iterations.enumerated() {
          let gradient = system.gradient.blocks[index]
          let b = Vector(((1 / frobenius(gradient)) * gradient).storage)
          let matrix = system.matrix(index, operation)
          let curvature = inner(b, LAPACK.dgemm(matrix, b))
          // bᵀMb may be small against ‖M‖‖b‖².
          checks.equal(
            Vector(step.blocks[index].storage), (1 / curvature) * Vector(gradient.storage),
            scale: LAPACK.norm1(matrix) / curvature
              * LAPACK.norm1(Matrix(column: Vector(gradient.storage))) / curvature,
            "\(operation), layer \(index)")
          checks.holds(
            iteration.iterations == 1 && iteration.residualNorms.count == 2, "one step")
        }
      }
    }
  }

  /// A solution with 1e-6 of its right side left over, and how it was found.
  static func nearSolution(
    _ system: System, _ operation: MatrixFreeSolver.Operator, _ checks: inout Checks
  ) throws -> ParameterVector {
    let (solution, cold) = try system.solve(
      operation,
      ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 1e-10), maximumIterations: 2000))
    checks.holds(
      cold.allSatisfy { $0.status == .converged && $0.iterations > 0 }, "cold, \(operation)")
    var start = solution
    for index in start.blocks.indices {
      let size = LAPACK.norm1(system.matrix(index, operation))
      start.blocks[index].add(1e-6 / size, times: system.gradient.blocks[index])
    }
    return start
  }

  @Test("P-112: a start at the solution takes no step under the ‖b‖ rule, some under ‖r₀‖")
  func warmStarts() {
    property(
      "P-112", .equal, oracle: "theorem",
      claim: "a start near the solution takes no step under the ‖b‖ rule", over: Self.alive,
      share: 0.5
    ) { test, checks in
      let system = System(test, 0.05)
      for operation in MatrixFreeSolver.Operator.allCases {
        let start = try Self.nearSolution(system, operation, &checks)
        let (same, warm) = try system.solve(
          operation,
          ConjugateGradient(
            stoppingRule: .rightHandSide(tolerance: 1e-4), maximumIterations: 2000), start: start)
        checks.holds(
          warm.allSatisfy { $0.status == .converged && $0.iterations == 0 }, "\(operation)")
        checks.holds(same == start, "unchanged, \(operation)")
      }
    }
    property(
      "P-112", .counterProperty, oracle: "theorem",
      claim: "the same start takes steps under the ‖r₀‖ rule", over: Self.alive, share: 0.5
    ) { test, checks in
      let system = System(test, 0.05)
      for operation in MatrixFreeSolver.Operator.allCases {
        let start = try Self.nearSolution(system, operation, &checks)
        let (_, strict) = try system.solve(
          operation,
          ConjugateGradient(
            stoppingRule: .firstResidual(tolerance: 1e-4), maximumIterations: 2000), start: start)
        for solution in strict {
          checks.bounded(Double(solution.iterations), atLeast: 1, "steps, \(operation)")
          checks.holds(solution.status == .converged, "converged, \(operation)")
        }
      }
    }
  }

  @Test("P-113: the directly solved A ⊗ G + λI preconditions reading 1 into one step")
  func perfectPreconditioner() {
    let once = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-9), maximumIterations: 50)
    property("P-113", .equal, oracle: "theorem", over: Self.alive, share: 0.5) { test, checks in
      let system = System(test, test.pick([1, 0.05, 1e-3]))
      let (_, iterations) = try system.solve(.kfac, once, preconditioner: .kfac)
      for iteration in iterations {
        checks.holds(iteration.iterations == 1 && iteration.status == .converged, "one step")
      }
    }
  }

  /// All layers' exact blocks as one operator.
  struct Joint: LinearOperator {
    let layers: [ExactBlockOperator]
    var rowCount: Int { layers.reduce(0) { $0 + $1.rowCount } }
    var columnCount: Int { rowCount }
    func apply(_ x: Vector) -> Vector {
      var offset = 0
      return Vector(
        layers.flatMap { layer -> [Double] in
          defer { offset += layer.rowCount }
          return layer.apply(Vector(Array(x.elements[offset..<offset + layer.rowCount]))).elements
        })
    }
  }

  /// The step of all layers at once, and that of each layer by itself.
  static func steps(_ system: System, _ iteration: ConjugateGradient) throws -> (
    joint: Vector, layerwise: Vector
  ) {
    let joint = Joint(
      layers: system.layers.map { ExactBlockOperator($0, lambda: system.λ) })
    return (
      iteration.solve(joint, system.gradient.flattened).value,
      try system.solve(.exactBlock, iteration).step.flattened
    )
  }

  @Test("P-114: joint CG equals layer-wise CG at convergence, not when cut short")
  func jointEqualsLayerwiseAtConvergence() {
    property(
      "P-114", .equal, oracle: "the same system, layer by layer",
      claim: "joint CG equals layer-wise CG at convergence", over: Self.alive, share: 0.5
    ) { test, checks in
      let system = System(test, test.pick([1, 0.1, 1e-2]))
      let (joint, layerwise) = try Self.steps(system, MatrixFreeTests.exact)
      // Either residual stops at 1e-14 of its right side: 45 ε, and κ ≤ 1 + ‖F‖/λ.
      let norms = system.curvature.defined.map { LAPACK.norm1($0.fisher) }
      let κ = 1 + (norms.max() ?? 0) / system.λ
      checks.ratio(solutionRatio(joint, layerwise, condition: 2 * κ))
    }
    property(
      "P-114", .counterProperty, oracle: "the same system, layer by layer",
      claim: "joint CG differs from layer-wise CG when cut short", over: NetworkCase.generic
    ) { test, checks in
      let (joint, layerwise) = try Self.steps(
        System(test, 1e-2),
        ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-13), maximumIterations: 2))
      checks.different(joint, layerwise)
    }
  }
}
