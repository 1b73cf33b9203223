import DenseAlgebra
import Networks

/// The implicit Kronecker-factored operator of CG-FAC, reading 1: v ↦ cvec(G V A) + λ v.
///
/// FV(V) = (1/(N² R)) Σ_c Y_c (Y_cᵀ V X) Xᵀ + λV with all entries of Y_cᵀ V X kept; neither A, G nor F is
/// formed. 4nN + 4 d_G N² K operations for n = d_A d_G parameters (R = 1).
/// Reference: the specification, section 6.1; arXiv 2101.00218.
public struct ImplicitKroneckerOperator: LinearOperator {
  public let samples: LayerSamples
  public let lambda: Double
  private let stacked: Matrix

  public init(_ samples: LayerSamples, lambda: Double) {
    precondition(lambda >= 0, "λ must be at least 0, got \(lambda)")
    self.samples = samples
    self.lambda = lambda
    // Y = [Y₁ … Y_K], d_G × N·R·K: column c outer, position inner.
    self.stacked = Matrix(
      rowCount: samples.outputSize,
      columnCount: samples.gradients.reduce(0) { $0 + $1.columnCount },
      storage: samples.gradients.flatMap(\.storage))
  }

  public var rowCount: Int { samples.layout.count }
  public var columnCount: Int { samples.layout.count }

  public func apply(_ x: Vector) -> Vector {
    let v = Matrix(
      rowCount: samples.outputSize, columnCount: samples.inputSize, storage: x.elements)
    let n = Double(samples.exampleCount)
    // lesson: implicit-kronecker-apply
    // M = Yᵀ V X keeps the pairs of different examples: that is the whole of KFAC's approximation.
    let m = stacked.transposedTimes(v * samples.inputs)
    let product = (stacked * m).timesTransposed(samples.inputs)
    var result = (1 / (n * n * Double(samples.positions))) * product
    result.add(lambda, times: v)
    // end lesson
    return Vector(result.storage)
  }

  /// The Jacobi preconditioner: 1/(diag(G) diag(A)ᵀ + λ), entry by entry.
  public var jacobi: DiagonalOperator {
    let n = Double(samples.exampleCount)
    let diagonalA = samples.inputs.hadamard(samples.inputs).rowSums
    let diagonalG = stacked.hadamard(stacked).rowSums
    let scale = 1 / (n * n * Double(samples.positions))
    return DiagonalOperator(
      reciprocalsOf: Matrix(rowCount: samples.outputSize, columnCount: samples.inputSize) {
        scale * diagonalG[$0] * diagonalA[$1] + lambda
      }.storage)
  }
}

/// The exact layer block as an operator, CG-FAC's reading 2: v ↦ F_ℓ v + λ v.
///
/// FV(V) = (1/N) Σ₍n,c₎ u₍n,c₎ ⟨u₍n,c₎, V⟩ + λV: only the matching examples of Y_cᵀ V X are kept.
/// 4nN + 4 d_G N K operations (R = 1). Reference: the specification, section 6.1.
public struct ExactBlockOperator: LinearOperator {
  public let samples: LayerSamples
  public let lambda: Double

  public init(_ samples: LayerSamples, lambda: Double) {
    precondition(lambda >= 0, "λ must be at least 0, got \(lambda)")
    self.samples = samples
    self.lambda = lambda
  }

  public var rowCount: Int { samples.layout.count }
  public var columnCount: Int { samples.layout.count }

  public func apply(_ x: Vector) -> Vector {
    // lesson: exact-block-apply
    let v = Matrix(
      rowCount: samples.outputSize, columnCount: samples.inputSize, storage: x.elements)
    var result = samples.combine(samples.project(v))
    result.add(lambda, times: v)
    // end lesson
    return Vector(result.storage)
  }

  /// The Jacobi preconditioner: the reciprocals of the exact diagonal plus λ.
  public var jacobi: DiagonalOperator {
    DiagonalOperator(
      reciprocalsOf: samples.secondMoments(inputBasis: nil, outputBasis: nil)
        .storage.map { $0 + lambda })
  }
}

/// Multiplication by a fixed number for each entry.
public struct DiagonalOperator: LinearOperator {
  private let factors: [Double]

  /// Takes 1/value for each value; a zero value (nothing to precondition) leaves its entry as it is.
  public init(reciprocalsOf values: [Double]) {
    self.factors = values.map { $0 == 0 ? 1 : 1 / $0 }
  }

  public var rowCount: Int { factors.count }
  public var columnCount: Int { factors.count }

  public func apply(_ x: Vector) -> Vector { Vector(zip(factors, x.elements).map { $0 * $1 }) }
}

/// The inverse of a damped structure as an operator: a preconditioner for conjugate gradients.
public struct InverseOperator: LinearOperator {
  private let damped: any DampedStructure

  public init(_ damped: any DampedStructure) { self.damped = damped }

  public var rowCount: Int { damped.layout.count }
  public var columnCount: Int { damped.layout.count }

  public func apply(_ x: Vector) -> Vector {
    damped.solve(ParameterVector(x, layout: damped.layout)).flattened
  }
}

extension Matrix {
  /// The sum of each row.
  fileprivate var rowSums: [Double] {
    var sums = [Double](repeating: 0, count: rowCount)
    for j in 0..<columnCount { for i in 0..<rowCount { sums[i] += self[i, j] } }
    return sums
  }
}
