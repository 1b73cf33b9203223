// Kronecker products, and the partial traces and rearrangement that undo them. Spec 1.2 and 8.3.

extension Matrix {
  /// The Kronecker product A ⊗ B: block (j, j') is Aⱼⱼ'·B.
  ///
  /// Entry (j·p + i, j'·q + i') is Aⱼⱼ'·Bᵢᵢ' for B of p × q, so that
  /// (A ⊗ G)·cvec(V) = cvec(G·V·Aᵀ). Spec 1.2.
  public static func kronecker(_ a: Matrix, _ b: Matrix) -> Matrix {
    let (p, q) = (b.rowCount, b.columnCount)
    var product = Matrix(rowCount: a.rowCount * p, columnCount: a.columnCount * q)
    let stride = product.rowCount
    let source = b.storage.span
    var target = product.storage.mutableSpan
    for blockColumn in 0..<a.columnCount {
      for column in 0..<q {
        for blockRow in 0..<a.rowCount {
          axpy(
            a.storage[blockColumn * a.rowCount + blockRow],
            source.extracting(column * p..<(column + 1) * p), into: &target,
            at: (blockColumn * q + column) * stride + blockRow * p)
        }
      }
    }
    return product
  }

  /// The partial trace over the right factor: entry (j, j') is the trace of block (j, j').
  ///
  /// Tr_G(A ⊗ G) = tr(G)·A. The result has size leftSize. Spec 8.4.
  public func partialTraceOverRight(leftSize: Int, rightSize: Int) -> Matrix {
    requireKroneckerShape(leftSize, rightSize)
    return Matrix(rowCount: leftSize, columnCount: leftSize) { j, k in
      (0..<rightSize).reduce(0) { $0 + self[j * rightSize + $1, k * rightSize + $1] }
    }
  }

  /// The partial trace over the left factor: the sum of the diagonal blocks.
  ///
  /// Tr_A(A ⊗ G) = tr(A)·G. The result has size rightSize. Spec 8.4.
  public func partialTraceOverLeft(leftSize: Int, rightSize: Int) -> Matrix {
    requireKroneckerShape(leftSize, rightSize)
    return Matrix(rowCount: rightSize, columnCount: rightSize) { i, k in
      (0..<leftSize).reduce(0) { $0 + self[$1 * rightSize + i, $1 * rightSize + k] }
    }
  }

  /// Van Loan and Pitsianis' rearrangement, leftSize² × rightSize²: R(A ⊗ G) = cvec(A)·cvec(G)ᵀ.
  ///
  /// Row j'·leftSize + j holds cvec of block (j, j'). The Frobenius norm is kept, and the best
  /// single Kronecker product is the best rank-one matrix here. Spec 8.3.
  public func rearranged(leftSize: Int, rightSize: Int) -> Matrix {
    requireKroneckerShape(leftSize, rightSize)
    let n = rowCount
    let rows = leftSize * leftSize
    var result = Matrix(rowCount: rows, columnCount: rightSize * rightSize)
    let source = storage.span
    var target = result.storage.mutableSpan
    for blockColumn in 0..<leftSize {
      for column in 0..<rightSize {
        let start = (blockColumn * rightSize + column) * n
        for i in 0..<rightSize {
          let targetStart = (column * rightSize + i) * rows + blockColumn * leftSize
          for blockRow in 0..<leftSize {
            target[targetStart + blockRow] = source[start + blockRow * rightSize + i]
          }
        }
      }
    }
    return result
  }

  private func requireKroneckerShape(_ leftSize: Int, _ rightSize: Int) {
    let size = leftSize * rightSize
    precondition(
      rowCount == size && columnCount == size,
      "factors of sizes \(leftSize) and \(rightSize) need a \(size) × \(size) matrix, got \(rowCount) × \(columnCount)"
    )
  }
}
