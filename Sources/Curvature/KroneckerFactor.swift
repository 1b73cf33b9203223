import DenseAlgebra

/// A symmetric positive semi-definite Kronecker factor, kept as its diagonal blocks.
///
/// One block is the ordinary factor; several are THOR's split, P_d(A), whose last block is smaller
/// where d does not divide the size. Reference: the specification, section 7.4; THOR paper, Eq. 10.
public struct KroneckerFactor: Equatable, Sendable {
  /// The index ranges of the diagonal blocks.
  public let ranges: [Range<Int>]
  /// The diagonal blocks.
  public let blocks: [Matrix]

  /// A factor of one block.
  public init(_ matrix: Matrix) {
    precondition(
      matrix.isSquare, "a factor is square, got \(matrix.rowCount) × \(matrix.columnCount)")
    self.ranges = [0..<matrix.rowCount]
    self.blocks = [matrix]
  }

  /// The pinching of a factor to diagonal blocks of `blockSize`, the last one smaller if need be.
  public init(_ matrix: Matrix, blockSize: Int) {
    precondition(
      matrix.isSquare, "a factor is square, got \(matrix.rowCount) × \(matrix.columnCount)")
    self.ranges = Matrix.pinchingRanges(size: matrix.rowCount, blockSize: blockSize)
    self.blocks = ranges.map { matrix.block(rows: $0, columns: $0) }
  }

  /// The number of rows.
  public var size: Int { ranges.last?.upperBound ?? 0 }

  /// The sum of the diagonal; pinching keeps it.
  public var trace: Double { blocks.reduce(0) { $0 + $1.trace } }

  /// The factor as one matrix with zeros between its blocks.
  public var dense: Matrix { KroneckerFactor.assemble(blocks, ranges) }

  /// The product of the factor with the rows of a matrix, block by block.
  public func times(_ matrix: Matrix) -> Matrix {
    KroneckerFactor.mapRows(of: matrix, ranges) { blocks[$0] * $1 }
  }

  /// The eigendecomposition, block by block: the eigenvectors (dense) and the eigenvalues clamped at 0.
  ///
  /// The values are in the order of the blocks, ascending inside each.
  public func eigendecomposition() throws(CurvatureError) -> (vectors: Matrix, values: [Double]) {
    var vectors: [Matrix] = []
    var values: [Double] = []
    for block in blocks {
      do {
        let decomposition = try SymmetricEigendecomposition(block)
        vectors.append(decomposition.vectors)
        values.append(contentsOf: decomposition.values.elements.map { max($0, 0) })
      } catch {
        throw CurvatureError.iterationLimit(
          what: "the eigendecomposition of a \(error.size) × \(error.size) factor",
          limit: error.limit)
      }
    }
    return (KroneckerFactor.assemble(vectors, ranges), values)
  }

  static func assemble(_ blocks: [Matrix], _ ranges: [Range<Int>]) -> Matrix {
    if blocks.count == 1 { return blocks[0] }
    let size = ranges.last?.upperBound ?? 0
    var matrix = Matrix(rowCount: size, columnCount: size)
    for (range, block) in zip(ranges, blocks) {
      matrix.setBlock(row: range.lowerBound, column: range.lowerBound, to: block)
    }
    return matrix
  }

  static func mapRows(
    of matrix: Matrix, _ ranges: [Range<Int>], _ transform: (Int, Matrix) -> Matrix
  ) -> Matrix {
    if ranges.count == 1 { return transform(0, matrix) }
    var result = Matrix(rowCount: matrix.rowCount, columnCount: matrix.columnCount)
    for (index, range) in ranges.enumerated() {
      let rows = matrix.block(rows: range, columns: 0..<matrix.columnCount)
      result.setBlock(row: range.lowerBound, column: 0, to: transform(index, rows))
    }
    return result
  }
}

/// A factor plus δ I with the Cholesky factor of each diagonal block.
public struct DampedFactor: Sendable {
  private let ranges: [Range<Int>]
  private let shifted: [Matrix]
  private let factorizations: [CholeskyFactorization]

  /// Factorises each block of `factor` + `shift`·I; throws with the name and the pivot that failed.
  public init(_ factor: KroneckerFactor, shift: Double, name: String) throws(CurvatureError) {
    self.ranges = factor.ranges
    self.shifted = factor.blocks.map { $0.addingToDiagonal(shift) }
    var factorizations: [CholeskyFactorization] = []
    for (range, block) in zip(ranges, shifted) {
      do {
        factorizations.append(try CholeskyFactorization(block))
      } catch {
        throw CurvatureError.notPositiveDefinite(
          block: name, size: factor.size, pivot: range.lowerBound + error.pivot, value: error.value)
      }
    }
    self.factorizations = factorizations
  }

  /// The number of rows.
  public var size: Int { ranges.last?.upperBound ?? 0 }

  /// (A + δI) M.
  public func times(_ matrix: Matrix) -> Matrix {
    KroneckerFactor.mapRows(of: matrix, ranges) { shifted[$0] * $1 }
  }

  /// (A + δI)⁻¹ M.
  public func solve(_ matrix: Matrix) -> Matrix {
    KroneckerFactor.mapRows(of: matrix, ranges) { factorizations[$0].solve($1) }
  }

  /// log det(A + δI).
  public var logDeterminant: Double { factorizations.reduce(0) { $0 + $1.logDeterminant } }

  /// A + δI as one matrix.
  public var dense: Matrix { KroneckerFactor.assemble(shifted, ranges) }

  /// (A + δI)⁻¹ as one matrix.
  public var denseInverse: Matrix {
    KroneckerFactor.assemble(factorizations.map(\.inverse), ranges)
  }
}
