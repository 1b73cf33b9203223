import DenseAlgebra
import Networks

/// A curvature block that is diagonal in a Kronecker basis: Q diag(s) Qᵀ with Q = Q_A ⊗ Q_G.
///
/// s is held as a d_G × d_A matrix S. EKFAC is the case of exact second moments in KFAC's eigenbasis.
/// Reference: the specification, section 5; George et al. 2018, arXiv 1806.03884.
public struct EigenbasisBlock: MatrixStructure {
  public let kind: StructureKind
  public let layout: ParameterLayout
  /// Q_A, columns are eigenvectors of A.
  public let inputBasis: Matrix
  /// Q_G, columns are eigenvectors of G.
  public let outputBasis: Matrix
  /// S, the second moments in the basis, d_G × d_A, all at least 0.
  public let secondMoments: Matrix

  /// Takes an orthogonal basis, fresh or stale, and second moments in it.
  public init(
    kind: StructureKind, layout: ParameterLayout, inputBasis: Matrix, outputBasis: Matrix,
    secondMoments: Matrix
  ) {
    let block = layout.blocks[0]
    precondition(
      layout.blocks.count == 1 && inputBasis.rowCount == block.columnCount
        && outputBasis.rowCount == block.rowCount && secondMoments.rowCount == block.rowCount
        && secondMoments.columnCount == block.columnCount,
      "bases \(inputBasis.rowCount), \(outputBasis.rowCount) and \(secondMoments.rowCount) × "
        + "\(secondMoments.columnCount) moments for a \(block.rowCount) × \(block.columnCount) block"
    )
    self.kind = kind
    self.layout = layout
    self.inputBasis = inputBasis
    self.outputBasis = outputBasis
    self.secondMoments = secondMoments
  }

  public func apply(_ vector: ParameterVector) -> ParameterVector {
    let rotated = (outputBasis.transposedTimes(vector.blocks[0]) * inputBasis).hadamard(
      secondMoments)
    return ParameterVector(blocks: [(outputBasis * rotated).timesTransposed(inputBasis)])
  }

  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try limit.require(
      rows: layout.count, columns: layout.count, for: "Q diag(s) Qᵀ of \(layout.blocks[0].name)",
      advice: "leave the layer out (--layers)")
    let roots = secondMoments.storage.map { $0.squareRoot() }
    var scaled = Matrix.kronecker(inputBasis, outputBasis)
    for column in 0..<scaled.columnCount {
      for row in 0..<scaled.rowCount {
        scaled.storage[column * scaled.rowCount + row] *= roots[column]
      }
    }
    return scaled.timesOwnTranspose
  }

  public func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    try requireDefined(rule, lambda)
    return try DampedEigenbasisBlock(
      layout: layout, inputBasis: inputBasis, outputBasis: outputBasis, eigenvalues: secondMoments,
      rule: rule, lambda: lambda)
  }
}

/// Q diag(s + λ) Qᵀ, or for rule `none` the pseudo-inverse of Q diag(s) Qᵀ.
///
/// U = Q_G [ (Q_Gᵀ V Q_A) ⊘ (S + λ) ] Q_Aᵀ. Reference: the specification, sections 4.6 (D4) and 5.
public struct DampedEigenbasisBlock: DampedBlock {
  public let layout: ParameterLayout
  let inputBasis: Matrix
  let outputBasis: Matrix
  /// The damped eigenvalues; those under the cut-off of rule `none` are 0.
  let eigenvalues: Matrix
  public let rank: Int

  init(
    layout: ParameterLayout, inputBasis: Matrix, outputBasis: Matrix, eigenvalues: Matrix,
    rule: DampingRule, lambda: Double
  ) throws(CurvatureError) {
    self.layout = layout
    self.inputBasis = inputBasis
    self.outputBasis = outputBasis
    self.eigenvalues = try dampedEigenvalues(
      eigenvalues, rule: rule, lambda: lambda, name: layout.blocks[0].name)
    self.rank = self.eigenvalues.storage.count { $0 > 0 }
  }

  public func apply(_ matrix: Matrix) -> Matrix { inBasis(matrix) { $0 * $1 } }

  public func solve(_ matrix: Matrix) -> Matrix { inBasis(matrix) { $1 == 0 ? 0 : $0 / $1 } }

  public var logDeterminant: Double { logSum(eigenvalues.storage) }

  private func inBasis(_ matrix: Matrix, _ combine: (Double, Double) -> Double) -> Matrix {
    // lesson: ekfac-in-basis
    var rotated = outputBasis.transposedTimes(matrix) * inputBasis
    for index in rotated.storage.indices {
      rotated.storage[index] = combine(rotated.storage[index], eigenvalues.storage[index])
    }
    return (outputBasis * rotated).timesTransposed(inputBasis)
    // end lesson
  }
}
