import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The two matrix-free operators of CG-FAC and the solver on them (spec 6, P-100 to P-114).
@Suite("CG-FAC: operators and solver")
struct MatrixFreeTests {
  static let exact = ConjugateGradient(
    stoppingRule: .rightHandSide(tolerance: 1e-14), maximumIterations: 5000)

  /// The dense damped matrix of an operator by definition.
  static func dense(
    _ layer: DefinedLayer, _ operation: MatrixFreeSolver.Operator, _ λ: Double
  ) -> Matrix {
    let (a, g) = layer.factors()
    let matrix = operation == .kfac ? kronecker(a, g) : layer.fisher
    return matrix.addingToDiagonal(λ)
  }

  @Test(
    "P-100, P-101: FV is GVA + λV (reading 1) or F v + λv (reading 2), symmetric and positive",
    arguments: CurvatureCase.varied)
  func operatorsAreTheirMatrices(test: CurvatureCase) throws {
    let λ = 0.07
    for (layer, defined) in zip(test.layers, test.defined) {
      let one = ImplicitKroneckerOperator(layer, lambda: λ).dense()
      let two = ExactBlockOperator(layer, lambda: λ).dense()
      for (operation, matrix) in [(MatrixFreeSolver.Operator.kfac, one), (.exactBlock, two)] {
        let name = "\(operation), \(test)"
        expectRatio(
          .difference(matrix, Self.dense(defined, operation, λ)), name, seed: test.seed)
        expectRatio(.symmetry(matrix), name, seed: test.seed)
        let smallest = try LAPACK.dsyevd(matrix).values[0]
        expectAtMost(
          λ, smallest, slack: 1e-14 * Double(matrix.rowCount) * frobenius(matrix), name,
          seed: test.seed)
      }
    }
  }

  @Test("The Jacobi preconditioners are the reciprocal diagonals", arguments: CurvatureCase.varied)
  func jacobiIsTheReciprocalDiagonal(test: CurvatureCase) {
    let λ = 0.07
    for (layer, defined) in zip(test.layers, test.defined) {
      let ones = Vector(repeating: 1, count: defined.size)
      for (operation, jacobi) in [
        (MatrixFreeSolver.Operator.kfac, ImplicitKroneckerOperator(layer, lambda: λ).jacobi),
        (.exactBlock, ExactBlockOperator(layer, lambda: λ).jacobi),
      ] {
        let expected = Self.dense(defined, operation, λ).diagonal.map { 1 / $0 }
        expectRatio(.difference(jacobi.apply(ones), Vector(expected)), "\(operation), \(test)")
      }
    }
    #expect(DiagonalOperator(reciprocalsOf: [2, 0]).apply(Vector([3, 5])) == Vector([1.5, 5]))
  }

  @Test(
    "P-104: converged, every operator and preconditioner is dposv",
    arguments: MatrixFreeSolver.Operator.allCases, MatrixFreeSolver.Preconditioner.allCases)
  func convergedSolvesAreDirect(
    operation: MatrixFreeSolver.Operator, preconditioner: MatrixFreeSolver.Preconditioner
  ) throws {
    let solver = MatrixFreeSolver(operation, preconditioner: preconditioner, iteration: Self.exact)
    for test in CurvatureCase.varied {
      let λ = 0.05
      let (step, iterations) = try solver.solve(test.layers, test.gradient, lambda: λ)
      #expect(iterations.count == test.layers.count)
      for (index, defined) in test.defined.enumerated() {
        let right = Vector(test.gradient.blocks[index].storage)
        if right.norm == 0 {
          #expect(iterations[index].status == .zeroRightHandSide)
          continue
        }
        let matrix = Self.dense(defined, operation, λ)
        let κ = try condition(matrix)
        // The residual stops at 1e-14‖b‖, so the error is at most 1e-14 κ = 45 ε κ: under 30 n ε κ
        // from n = 2 on, and n = 1 takes one exact step.
        expectRatio(
          solutionRatio(
            Vector(step.blocks[index].storage), try LAPACK.dposv(matrix, right), condition: κ),
          "\(operation), \(preconditioner), \(test), layer \(index)", seed: test.seed)
      }
    }
  }

  @Test("P-102: the readings coincide for N = K = 1 and where the block is a Kronecker product")
  func readingsCoincide() throws {
    let linear = CurvatureCase(
      RandomNetwork(.perceptron, .identity, .gaussian(variance: 0.7), seed: 3, exampleCount: 8))
    let single = CurvatureCase(
      RandomNetwork(.perceptron, .tanh, .categorical, seed: 3, exampleCount: 1), .empirical)
    for test in [linear, single] {
      for layer in test.layers {
        expectRatio(
          .difference(
            ImplicitKroneckerOperator(layer, lambda: 0.1).dense(),
            ExactBlockOperator(layer, lambda: 0.1).dense()))
      }
    }
  }

  @Test("P-103: they differ on a generic batch")
  func readingsDiffer() throws {
    let test = CurvatureCase(
      RandomNetwork(.perceptron, .tanh, .categorical, seed: 21, exampleCount: 12))
    expectDifferent(
      ImplicitKroneckerOperator(test.layers[0], lambda: 0).dense(),
      ExactBlockOperator(test.layers[0], lambda: 0).dense(), relative: 0.02)
  }

  @Test("P-106: a rank-one block takes one step along its vector, two otherwise; closed form")
  func rankOneTakesTwoSteps() throws {
    let test = CurvatureCase(
      RandomNetwork(.perceptron, .tanh, .categorical, seed: 3, exampleCount: 1), .empirical)
    let λ = 0.1
    let solver = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-12), maximumIterations: 50)
    for (layer, defined) in zip(test.layers, test.defined) {
      let v = defined.gradients.column(0)
      let operation = ImplicitKroneckerOperator(layer, lambda: λ)
      #expect(solver.solve(operation, v).iterations == 1)
      var generator = Generator(seed: 3)
      let b = generator.vector(v.count)
      let solution = solver.solve(operation, b)
      #expect(solution.iterations == 2)
      let closed = (1 / λ) * (b - (v.dot(b) / (λ + v.dot(v))) * v)
      expectAtMost((solution.value - closed).norm, 1e-11 * closed.norm)
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

  @Test("P-111: the first step is the line search along the gradient")
  func firstStepIsALineSearch() throws {
    let test = CurvatureCase.dense[3]
    for operation in MatrixFreeSolver.Operator.allCases {
      let solver = MatrixFreeSolver(
        operation,
        iteration: ConjugateGradient(
          stoppingRule: .rightHandSide(tolerance: 0), maximumIterations: 1))
      let (step, iterations) = try solver.solve(test.layers, test.gradient, lambda: 0.01)
      for (index, defined) in test.defined.enumerated() {
        let b = Vector(test.gradient.blocks[index].storage)
        let matrix = Self.dense(defined, operation, 0.01)
        let length = b.dot(b) / b.dot(LAPACK.dgemm(matrix, b))
        expectRatio(.difference(Vector(step.blocks[index].storage), length * b))
        #expect(iterations[index].iterations == 1)
        #expect(iterations[index].status == .iterationLimit)
        #expect(iterations[index].residualNorms.count == 2)
      }
    }
  }

  @Test("P-112: a warm start at the solution takes no step under the ‖b‖ rule, some under ‖r₀‖")
  func warmStarts() throws {
    let test = CurvatureCase.dense[3]
    for operation in MatrixFreeSolver.Operator.allCases {
      func solve(_ rule: ConjugateGradient.StoppingRule, _ start: ParameterVector?) throws -> (
        step: ParameterVector, iterations: [IterativeSolution]
      ) {
        try MatrixFreeSolver(
          operation, iteration: ConjugateGradient(stoppingRule: rule, maximumIterations: 500)
        ).solve(test.layers, test.gradient, lambda: 0.05, start: start)
      }
      let (solution, cold) = try solve(.rightHandSide(tolerance: 1e-10), nil)
      #expect(cold.allSatisfy { $0.status == .converged && $0.iterations > 0 })
      var start = solution
      start.add(1e-6, times: test.gradient)
      let (same, warm) = try solve(.rightHandSide(tolerance: 1e-4), start)
      #expect(warm.allSatisfy { $0.status == .converged && $0.iterations == 0 })
      #expect(same == start)
      let (_, strict) = try solve(.firstResidual(tolerance: 1e-4), start)
      #expect(strict.allSatisfy { $0.status == .converged && $0.iterations > 0 })
    }
  }

  @Test("P-113: the directly solved A ⊗ G + λI preconditions reading 1 into one step")
  func perfectPreconditioner() throws {
    let solver = MatrixFreeSolver(
      .kfac, preconditioner: .kfac,
      iteration: ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 1e-9), maximumIterations: 50))
    for test in CurvatureCase.dense {
      let (_, iterations) = try solver.solve(test.layers, test.gradient, lambda: 0.05)
      #expect(iterations.allSatisfy { $0.iterations <= 1 }, "\(test)")
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

  @Test("P-114: joint CG equals layer-wise CG at convergence, not when cut short")
  func jointEqualsLayerwiseAtConvergence() throws {
    let test = CurvatureCase.dense[3]
    #expect(test.layers.count > 1)
    let joint = Joint(layers: test.layers.map { ExactBlockOperator($0, lambda: 0.05) })
    for (limit, isEqual) in [(5000, true), (2, false)] {
      let iteration = ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 1e-13), maximumIterations: limit)
      let (step, _) = try MatrixFreeSolver(.exactBlock, iteration: iteration)
        .solve(test.layers, test.gradient, lambda: 0.05)
      let together = iteration.solve(joint, test.gradient.flattened).value
      if isEqual {
        expectAtMost((together - step.flattened).norm, 1e-9 * together.norm)
      } else {
        expectDifferent(together, step.flattened)
      }
    }
  }

  @Test("A structure's inverse serves as an operator")
  func inverseOperator() throws {
    let test = CurvatureCase.dense[3]
    let damped = try StructureKind.kfac.build(test.samples).damped(.pi, 0.1)
    let inverse = InverseOperator(damped)
    #expect(inverse.rowCount == test.samples.layout.count)
    #expect(inverse.apply(test.gradient.flattened) == damped.solve(test.gradient).flattened)
  }
}
