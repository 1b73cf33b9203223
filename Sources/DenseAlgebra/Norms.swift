// Matrix norms. Spec 4.3: each of them is multiplicative over Kronecker products.

extension Matrix {
  /// ‖M‖_F = (Σᵢⱼ Mᵢⱼ²)^½, free of overflow and underflow.
  public var frobeniusNorm: Double { euclideanNorm(storage.span) }

  /// maxᵢⱼ |Mᵢⱼ|, zero for an empty matrix; NaN if an entry is NaN.
  public var maximumMagnitude: Double {
    var largest = 0.0
    for entry in storage {
      if entry.isNaN { return .nan }
      largest = max(largest, entry.magnitude)
    }
    return largest
  }

  /// ‖M‖₂, the largest singular value; zero for an empty matrix.
  ///
  /// A symmetric matrix takes the eigenvalue route, any other the singular value decomposition.
  /// The entries must be finite; throws if the iteration does not converge.
  public func spectralNorm() throws(IterationLimitReached) -> Double {
    try singularValues().reduce(0) { max($0, $1) }
  }

  /// ‖M‖₊, the sum of the singular values; zero for an empty matrix.
  ///
  /// A symmetric matrix takes the eigenvalue route, any other the singular value decomposition.
  /// The entries must be finite; throws if the iteration does not converge.
  public func nuclearNorm() throws(IterationLimitReached) -> Double {
    try singularValues().reduce(0, +)
  }

  private func singularValues() throws(IterationLimitReached) -> [Double] {
    isSquare && self == transposed
      ? try SymmetricEigendecomposition.values(of: self).elements.map(\.magnitude)
      : try SingularValueDecomposition(self).values.elements
  }
}
