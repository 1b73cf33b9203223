import DenseAlgebra
import Networks

/// A curvature block A ⊗ G: activations left, gradients right, acting on cvec of a d_G × d_A matrix.
///
/// The product with cvec(V) is cvec(G V A). KFAC, its split, the nearest Kronecker product and TKFAC
/// differ only in the factors they put here. Reference: the specification, sections 1.2, 4.3, 4.6.
public struct KroneckerBlock: MatrixStructure {
  public let kind: StructureKind
  public let layout: ParameterLayout
  /// A, d_A × d_A.
  public let a: KroneckerFactor
  /// G, d_G × d_G.
  public let g: KroneckerFactor

  public init(kind: StructureKind, layout: ParameterLayout, a: KroneckerFactor, g: KroneckerFactor)
  {
    let block = layout.blocks[0]
    precondition(
      layout.blocks.count == 1 && a.size == block.columnCount && g.size == block.rowCount,
      "factors \(a.size), \(g.size) for a \(block.rowCount) × \(block.columnCount) block")
    self.kind = kind
    self.layout = layout
    self.a = a
    self.g = g
  }

  public func apply(_ vector: ParameterVector) -> ParameterVector {
    // lesson: kronecker-apply
    // (A ⊗ G) cvec(V) = cvec(G V Aᵀ), and A is symmetric.
    let gv = g.times(vector.blocks[0])
    return ParameterVector(blocks: [a.times(gv.transposed).transposed])
    // end lesson
  }

  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try limit.require(
      rows: layout.count, columns: layout.count, for: "A ⊗ G of \(layout.blocks[0].name)",
      advice: "use metrics of the factors, or leave the layer out (--layers)")
    return Matrix.kronecker(a.dense, g.dense)
  }

  public func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    try requireDefined(rule, lambda)
    if let shifts = rule.shifts(a: a, g: g, lambda: lambda) {
      let name = layout.blocks[0].name
      return DampedKroneckerBlock(
        layout: layout, a: try DampedFactor(a, shift: shifts.a, name: "factor A of \(name)"),
        g: try DampedFactor(g, shift: shifts.g, name: "factor G of \(name)"))
    }
    let (qA, α) = try a.eigendecomposition()
    let (qG, γ) = try g.eigendecomposition()
    // The eigenvalue of A ⊗ G that belongs to entry (i, j) is γᵢ αⱼ.
    let eigenvalues = Matrix(rowCount: g.size, columnCount: a.size) { γ[$0] * α[$1] }
    return try DampedEigenbasisBlock(
      layout: layout, inputBasis: qA, outputBasis: qG, eigenvalues: eigenvalues, rule: rule,
      lambda: lambda)
  }
}

/// (A + δ_A I) ⊗ (G + δ_G I): two Cholesky factors, solved on each side.
public struct DampedKroneckerBlock: DampedBlock {
  public let layout: ParameterLayout
  let a: DampedFactor
  let g: DampedFactor

  public func apply(_ matrix: Matrix) -> Matrix {
    a.times(g.times(matrix).transposed).transposed
  }

  public func solve(_ matrix: Matrix) -> Matrix {
    // U = G⁻¹ V A⁻¹ (specification 4.3)
    a.solve(g.solve(matrix).transposed).transposed
  }

  /// d_G log det A + d_A log det G.
  public var logDeterminant: Double {
    Double(g.size) * a.logDeterminant + Double(a.size) * g.logDeterminant
  }

  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try limit.require(
      rows: layout.count, columns: layout.count,
      for: "the damped A ⊗ G of \(layout.blocks[0].name)",
      advice: "leave the layer out (--layers)")
    return Matrix.kronecker(a.dense, g.dense)
  }

  public func denseInverse(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try limit.require(
      rows: layout.count, columns: layout.count,
      for: "the damped inverse of \(layout.blocks[0].name)",
      advice: "leave the layer out (--layers)")
    return Matrix.kronecker(a.denseInverse, g.denseInverse)
  }
}
