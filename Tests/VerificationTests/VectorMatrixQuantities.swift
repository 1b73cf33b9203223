import Curvature
import DenseAlgebra
import Networks
import TestSupport

/// Our numbers for the named arrays of a case that gives matrices instead of a network.
struct VectorMatrixQuantities {
  /// A and G, or one matrix over cvec of a gradient.
  enum Given {
    case factors(a: Matrix, g: Matrix)
    case matrix(Matrix)
  }

  let given: Given
  /// V, dG × dA.
  let gradient: Matrix

  /// The routes to an array, each in C order; nil for a name that is not known.
  func routes(to name: String) throws -> [[Double]]? {
    guard name.hasPrefix("layer1.") else { return nil }
    let parts = name.split(separator: ".").dropFirst().map(String.init)
    func λ(after count: Int) -> Double? { Double(parts.dropFirst(count).joined(separator: ".")) }
    switch given {
    case .factors(let a, let g):
      switch (parts[0], parts.dropFirst().first) {
      case ("A", "eigenvalues"): return try eigenvalues(a)
      case ("G", "eigenvalues"): return try eigenvalues(g)
      case ("A", "log-determinant"): return try logDeterminants(a)
      case ("G", "log-determinant"): return try logDeterminants(g)
      case ("A", "inverse"), ("G", "inverse"):
        guard parts.count > 3, let rule = DampingRule(rawValue: parts[2]), let λ = λ(after: 3),
          let shifts = rule.shifts(a: KroneckerFactor(a), g: KroneckerFactor(g), lambda: λ)
        else { return nil }
        return parts[0] == "A"
          ? try Self.damped(a, shifts.a, "inverse") : try Self.damped(g, shifts.g, "inverse")
      case ("step", "kfac"):
        guard parts.count > 3, let rule = DampingRule(rawValue: parts[2]), let λ = λ(after: 3)
        else { return nil }
        let block = KroneckerBlock(
          kind: .kfac, layout: layout, a: KroneckerFactor(a), g: KroneckerFactor(g))
        let step = try block.damped(rule, λ).solve(ParameterVector(blocks: [gradient]))
        return [rows(step.blocks[0])]
      default: return nil
      }
    case .matrix(let matrix):
      switch (parts[0], parts.dropFirst().first) {
      case ("eigenvalues", nil): return try eigenvalues(matrix)
      case ("nearest-kronecker", let factor?):
        let product = try KroneckerBlock.nearestKronecker(samples(of: matrix))
        return try [product.dense(within: .standard), nearestByRearrangement(matrix)].map {
          try Self.factor(
            factor, of: $0, inputSize: gradient.columnCount, outputSize: gradient.rowCount)
        }
      case ("step", "block-diagonal"):
        guard parts.count > 3, let rule = DampingRule(rawValue: parts[2]), let λ = λ(after: 3)
        else { return nil }
        let right = ParameterVector(blocks: [gradient])
        let damped = try DampedDenseMatrix(
          matrix, layout: layout, rule: rule, lambda: λ, name: "the matrix")
        return [rows(damped.solve(right).blocks[0])]
      default: return nil
      }
    }
  }

  /// The dense damped matrix that a step's name speaks of; nil for other names.
  func dampedMatrix(of name: String) -> Matrix? {
    let parts = name.split(separator: ".").dropFirst().map(String.init)
    guard parts.count > 3, parts[0] == "step", let rule = DampingRule(rawValue: parts[2]),
      let λ = Double(parts.dropFirst(3).joined(separator: "."))
    else { return nil }
    switch given {
    case .matrix(let matrix): return matrix.addingToDiagonal(λ)
    case .factors(let a, let g):
      guard let shifts = rule.shifts(a: KroneckerFactor(a), g: KroneckerFactor(g), lambda: λ) else {
        return Matrix.kronecker(a, g).addingToDiagonal(λ)
      }
      return Matrix.kronecker(a.addingToDiagonal(shifts.a), g.addingToDiagonal(shifts.g))
    }
  }

  private var layout: ParameterLayout {
    ParameterLayout(
      blocks: [
        ParameterLayout.Block(
          name: "layer1", rowCount: gradient.rowCount, columnCount: gradient.columnCount,
          hasBias: true)
      ])
  }

  private func eigenvalues(_ matrix: Matrix) throws -> [[Double]] {
    [
      try SymmetricEigendecomposition.values(of: matrix).elements,
      try SymmetricEigendecomposition(matrix).values.elements,
    ]
  }

  private func logDeterminants(_ matrix: Matrix) throws -> [[Double]] {
    [
      [try CholeskyFactorization(matrix).logDeterminant],
      [try DampedFactor(KroneckerFactor(matrix), shift: 0, name: "the factor").logDeterminant],
    ]
  }

  /// A damped factor, or its inverse by the inverse of Cholesky's factor and by solving.
  static func damped(_ matrix: Matrix, _ shift: Double, _ what: String) throws -> [[Double]]? {
    let factor = try DampedFactor(KroneckerFactor(matrix), shift: shift, name: "the factor")
    switch what {
    case "damped": return [rows(factor.dense)]
    case "inverse":
      return [rows(factor.denseInverse), rows(factor.solve(.identity(matrix.rowCount)))]
    default: return nil
    }
  }

  /// One layer's samples whose exact block is the matrix: N = 1, and column c of the Cholesky factor
  /// is the gradient of column c, as Σᵣ gᵣ eᵣᵀ over dA positions.
  private func samples(of matrix: Matrix) throws -> LayerSamples {
    let lower = try CholeskyFactorization(matrix).lower
    let (rows, columns) = (gradient.rowCount, gradient.columnCount)
    let use = GradientSamples.Use(
      inputs: .identity(columns),
      gradients: (0..<lower.columnCount).map {
        Matrix(rowCount: rows, columnCount: columns, storage: lower.column($0).elements)
      },
      positions: columns)
    return LayerSamples(
      GradientSamples(
        exampleCount: 1, columnCount: lower.columnCount,
        blocks: [
          GradientSamples.Block(
            name: "layer1", rowCount: rows, columnCount: columns, hasBias: true, uses: [use])
        ], chain: []), block: 0)
  }

  /// The nearest Kronecker product by the singular vectors of Van Loan and Pitsianis' rearrangement.
  private func nearestByRearrangement(_ matrix: Matrix) throws -> Matrix {
    let (dA, dG) = (gradient.columnCount, gradient.rowCount)
    let svd = try SingularValueDecomposition(matrix.rearranged(leftSize: dA, rightSize: dG))
    let a = Matrix(rowCount: dA, columnCount: dA, storage: svd.left.column(0).elements)
    let g = Matrix(rowCount: dG, columnCount: dG, storage: svd.right.column(0).elements)
    return svd.values[0] * Matrix.kronecker(a, g)
  }

  /// One factor of A ⊗ G in the files' gauge, tr A/dA = tr G/dG > 0, in C order.
  ///
  /// Tr_G(A ⊗ G) = tr(G) A, Tr_A(A ⊗ G) = tr(A) G and tr(A ⊗ G) = tr A · tr G.
  static func factor(
    _ name: String, of product: Matrix, inputSize: Int, outputSize: Int
  ) throws -> [Double] {
    let mean = (product.trace / Double(inputSize * outputSize)).squareRoot()
    let factor =
      name == "A"
      ? product.partialTraceOverRight(leftSize: inputSize, rightSize: outputSize)
      : product.partialTraceOverLeft(leftSize: inputSize, rightSize: outputSize)
    return rows((mean * Double(factor.rowCount) / factor.trace) * factor)
  }
}
