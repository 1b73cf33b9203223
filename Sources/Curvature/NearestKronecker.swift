import DenseAlgebra

extension KroneckerBlock {
  /// TKFAC: the Kronecker product that keeps the trace and both partial traces of the exact block.
  ///
  /// F ≈ δ Φ ⊗ Ψ with δ = tr F, Φ = Tr_G F/δ, Ψ = Tr_A F/δ; the factors here are √δ Φ and √δ Ψ. It is one
  /// step of power iteration on the rearrangement from the identity.
  /// Reference: the specification, section 8.4; Gao et al., arXiv 2011.10741.
  public static func tkfac(_ samples: LayerSamples) -> KroneckerBlock {
    let contraction = KroneckerContraction(samples)
    let inputTrace = contraction.inputSide(.identity(samples.outputSize))
    let outputTrace = contraction.outputSide(.identity(samples.inputSize))
    let root = inputTrace.trace.squareRoot()
    let scale = root > 0 ? 1 / root : 0
    return KroneckerBlock(
      kind: .tkfac, layout: samples.layout, a: KroneckerFactor(scale * inputTrace),
      g: KroneckerFactor(scale * outputTrace))
  }

  /// The Kronecker product nearest to the exact block in the Frobenius norm.
  ///
  /// The top singular triple (σ, u, v) of the rearrangement R gives A = √σ mat(u), G = √σ mat(v), both
  /// positive semi-definite, and error² = ‖F‖² − σ². Found by power iteration from the identity,
  /// N(K d_G² + d_A²) operations a step. Where σ₁ is nearly σ₂ that stands almost still: after 2,000 steps
  /// the dense eigenproblem of the smaller side decides, and where σ₁ = σ₂ one of several nearest
  /// products is taken. Where that problem has more than 2,000 unknowns, the iteration goes on to 20,000
  /// steps and then throws `iterationLimit`.
  /// Reference: the specification, section 8.3; Van Loan and Pitsianis 1993.
  public static func nearestKronecker(_ samples: LayerSamples) throws(CurvatureError)
    -> KroneckerBlock
  {
    let contraction = KroneckerContraction(samples)
    let size = samples.outputSize
    let smaller = min(size, samples.inputSize)
    let isDenseFeasible = smaller * (smaller + 1) / 2 <= 2_000
    let limit = isDenseFeasible ? 2_000 : 20_000
    var v = (1 / Double(size).squareRoot()) * Matrix.identity(size)
    for _ in 0..<limit {
      let u = contraction.inputSide(v)
      let uNorm = u.frobeniusNorm
      // A zero block (all gradients zero) is the product of zeros.
      guard uNorm > 0 else { return pair(samples, 0 * u, 0 * v) }
      // Divided, not multiplied by 1/‖u‖: of the size of g², it overflows for gradients of 1e-154.
      let next = contraction.outputSide(u.map { $0 / uNorm })
      let σ = next.frobeniusNorm
      guard σ > 0 else { return pair(samples, 0 * u, 0 * v) }
      let direction = next.map { $0 / σ }
      let change = (direction - v).frobeniusNorm
      v = direction
      // In a tie v moves by (1 − σ₂²/σ₁²) sin θ cos θ where error² may fall by σ₁² − σ₂² times sin² θ:
      // standing still to 1e-14 leaves at most tan θ ≤ √d_G times that, for R keeps matrices
      // semi-definite, so that the identity and v have cos θ ≥ 1/√d_G to the top one.
      if change <= 1e-14 {
        let root = σ.squareRoot()
        return pair(samples, (root / uNorm) * u, root * v)
      }
    }
    guard isDenseFeasible else {
      throw CurvatureError.iterationLimit(
        what: "the power iteration for the nearest Kronecker product of \(samples.name)",
        limit: limit)
    }
    v = try contraction.topOutputMatrix(samples)
    let u = contraction.inputSide(v)
    let σ = u.frobeniusNorm
    let root = σ.squareRoot()
    return pair(samples, u.map { $0 / σ * root }, root * v)
  }

  private static func pair(_ samples: LayerSamples, _ a: Matrix, _ g: Matrix) -> KroneckerBlock {
    KroneckerBlock(
      kind: .nearestKronecker, layout: samples.layout, a: KroneckerFactor(a),
      g: KroneckerFactor(g))
  }
}

extension KroneckerContraction {
  /// mat(v) of the top singular triple of R with ‖v‖ = 1, positive semi-definite, by the dense
  /// eigenproblem of RᵀR or RRᵀ on the symmetric matrices of the smaller side.
  fileprivate func topOutputMatrix(_ samples: LayerSamples) throws(CurvatureError) -> Matrix {
    let isOutputSmaller = samples.outputSize <= samples.inputSize
    let basis = SymmetricBasis(size: min(samples.inputSize, samples.outputSize))
    let images = (0..<basis.count).map {
      isOutputSmaller ? inputSide(basis[$0]) : outputSide(basis[$0])
    }
    // The square of the largest image would leave the range for gradients of 1e±80.
    let largest = images.reduce(0) { max($0, $1.frobeniusNorm) }
    let columns = images.flatMap { image in
      let scaled = image.map { $0 / largest }
      return basis.coordinates(isOutputSmaller ? outputSide(scaled) : inputSide(scaled))
    }
    let square = Matrix(rowCount: basis.count, columnCount: basis.count, storage: columns)
    do {
      let top = try SymmetricEigendecomposition(square).vectors.column(basis.count - 1)
      // |M|, with the eigenvalues' absolute values, has the same norm, and R keeps semi-definite matrices
      // so: for M = P − Q, ‖R(P + Q)‖² = ‖R(P − Q)‖² + 4⟨R(P), R(Q)⟩ is at least ‖R(M)‖². With M also |M|
      // is therefore a top one; M itself may be indefinite where σ₁ = σ₂.
      let matrix = try SymmetricEigendecomposition(basis.matrix(top)).reconstruct(abs)
      let v = isOutputSmaller ? matrix : outputSide(matrix)
      let norm = v.frobeniusNorm
      return v.map { $0 / norm }
    } catch {
      throw CurvatureError.iterationLimit(
        what: "the eigenproblem for the nearest Kronecker product", limit: error.limit)
    }
  }
}

/// An orthonormal basis of the symmetric matrices: eⱼeⱼᵀ and (eᵢeⱼᵀ + eⱼeᵢᵀ)/√2, i > j.
private struct SymmetricBasis {
  let size: Int
  private let places: [(row: Int, column: Int)]

  init(size: Int) {
    self.size = size
    places = (0..<size).flatMap { j in (j..<size).map { ($0, j) } }
  }

  var count: Int { places.count }

  subscript(index: Int) -> Matrix {
    var unit = Vector.zero(count)
    unit[index] = 1
    return matrix(unit)
  }

  func matrix(_ coordinates: Vector) -> Matrix {
    var result = Matrix(rowCount: size, columnCount: size)
    for (index, (i, j)) in places.enumerated() {
      let entry = i == j ? coordinates[index] : coordinates[index] * (0.5).squareRoot()
      result[i, j] = entry
      result[j, i] = entry
    }
    return result
  }

  func coordinates(_ matrix: Matrix) -> [Double] {
    places.map { $0 == $1 ? matrix[$0, $1] : matrix[$0, $1] * (2.0).squareRoot() }
  }
}
