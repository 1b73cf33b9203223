import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The two matrix-free operators of CG-FAC and the solver on them (spec 6).
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

  /// The library's operator of a layer.
  static func operation(
    _ layer: LayerCase, _ operation: MatrixFreeSolver.Operator, _ λ: Double
  ) -> any LinearOperator {
    switch operation {
    case .kfac: ImplicitKroneckerOperator(layer.samples, lambda: λ)
    case .exactBlock: ExactBlockOperator(layer.samples, lambda: λ)
    }
  }

  /// A size of the operator without damping.
  static func scale(_ layer: LayerCase, _ operation: MatrixFreeSolver.Operator) -> Double {
    // The sums in Y M Xᵀ run over N² pairs: the same 1 + terms/n as in the layer's own scale.
    operation == .kfac ? layer.scale + layer.productScale() : layer.scale
  }

  @Test("P-100: FV is GVA + λV (reading 1) or F v + λ v (reading 2)")
  func operatorsAreTheirMatrices() {
    property("P-100", .equal, oracle: "dgemm", over: NetworkCase.all) { test, checks in
      for layer in test.layers {
        var generator = Generator(seed: test.seed)
        let v = generator.normal(layer.defined.outputSize, layer.defined.inputSize)
        let x = Vector(v.storage)
        let λ = layer.damping(test.pick([0, 1e-3, 1]))
        let (a, g) = layer.defined.factors()
        let one = LAPACK.dgemm(LAPACK.dgemm(g, v), a) + λ * v
        let two = LAPACK.dgemm(layer.fisher, x) + λ * x
        for (operation, expected) in [
          (MatrixFreeSolver.Operator.kfac, Vector(one.storage)), (.exactBlock, two),
        ] {
          checks.equal(
            Self.operation(layer, operation, λ).apply(x), expected,
            scale: (Self.scale(layer, operation) + λ) * LAPACK.norm1(Matrix(column: x)),
            "\(operation), \(layer.name)")
        }
      }
    }
  }

  @Test("P-101: FV is symmetric, and ⟨V, FV(V)⟩ ≥ λ‖V‖²")
  func operatorsAreSymmetricAndPositive() {
    property(
      "P-101", .equal, oracle: "definition", claim: "⟨V, FV(W)⟩ = ⟨W, FV(V)⟩",
      over: NetworkCase.all
    ) { test, checks in
      for layer in test.layers {
        var generator = Generator(seed: test.seed)
        let (v, w) = (generator.vector(layer.size), generator.vector(layer.size))
        let λ = layer.damping(test.pick([0, 1e-3, 1]))
        for operation in MatrixFreeSolver.Operator.allCases {
          let fv = Self.operation(layer, operation, λ)
          checks.equal(
            inner(v, fv.apply(w)), inner(w, fv.apply(v)), size: layer.size,
            scale: (Self.scale(layer, operation) + λ) * v.norm * w.norm,
            "\(operation), \(layer.name)")
        }
      }
    }
    property(
      "P-101", .inequality, oracle: "dsyev", claim: "the smallest eigenvalue of FV is at least λ",
      over: NetworkCase.all, share: 0.5
    ) { test, checks in
      for layer in test.layers {
        let λ = layer.damping(test.pick([0, 1e-3, 1]))
        for operation in MatrixFreeSolver.Operator.allCases {
          let matrix = Self.operation(layer, operation, λ).dense()
          checks.atMost(
            λ, try LAPACK.dsyev(matrix.symmetrized).values[0], size: layer.size,
            scale: Self.scale(layer, operation) + λ, "\(operation), \(layer.name)")
        }
      }
    }
  }

  @Test("P-102: the readings coincide for N = K = 1 and wherever F = A ⊗ G (T1 to T5)")
  func readingsCoincide() {
    property("P-102", .equal, oracle: "theorems T1 to T5", over: KroneckerTheorem.cases) {
      test, checks in
      for layer in test.layers {
        var generator = Generator(seed: test.network.seed)
        let x = generator.vector(layer.size)
        let λ = layer.damping(0.1)
        checks.equal(
          ImplicitKroneckerOperator(layer.samples, lambda: λ).apply(x),
          ExactBlockOperator(layer.samples, lambda: λ).apply(x),
          scale: (Self.scale(layer, .kfac) + λ) * LAPACK.norm1(Matrix(column: x)), layer.name)
      }
    }
  }

  @Test("P-103: the readings differ on a generic batch")
  func readingsDiffer() {
    property("P-103", .counterProperty, oracle: "definition", over: NetworkCase.generic) {
      test, checks in
      let layer = test.layers[0]
      checks.different(
        ImplicitKroneckerOperator(layer.samples, lambda: 0).dense(),
        ExactBlockOperator(layer.samples, lambda: 0).dense())
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

  @Test("A structure's inverse serves as an operator")
  func inverseOperator() throws {
    let test = CurvatureCase.dense[3]
    let damped = try StructureKind.kfac.build(test.samples).damped(.pi, 0.1)
    let inverse = InverseOperator(damped)
    #expect(inverse.rowCount == test.samples.layout.count)
    #expect(inverse.apply(test.gradient.flattened) == damped.solve(test.gradient).flattened)
  }
}
