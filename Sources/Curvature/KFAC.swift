import DenseAlgebra

/// How KFAC treats the positions of a layer whose weights are shared.
///
/// Reference: the specification, section 4.9; Eschenhagen et al. 2023, arXiv 2311.00636.
public enum WeightSharing: String, CaseIterable, Codable, Sendable {
  /// A = (1/N) Σ₍n,t₎ ā āᵀ, G = (1/NT) Σ₍n,t,c₎ g gᵀ: exact for deep linear nets with a loss per position.
  case expand
  /// A = (1/N) Σₙ (mean ā)(mean ā)ᵀ, G = (1/N) Σ₍n,c₎ (Σ g)(Σ g)ᵀ: exact for deep linear nets with pooling.
  case reduce
}

/// The Kronecker factors of KFAC for one layer.
///
/// Without weight sharing A = (1/N) X Xᵀ (d_A × d_A) and G = (1/N) Σ_c Y_c Y_cᵀ (d_G × d_G), means over
/// the examples. Reference: the specification, sections 4.1 and 4.9; THOR paper, Eq. 4.
public struct KFACFactors: Equatable, Sendable {
  public let a: Matrix
  public let g: Matrix

  /// Takes two factors as they are.
  public init(a: Matrix, g: Matrix) {
    self.a = a
    self.g = g
  }

  public init(_ samples: LayerSamples, sharing: WeightSharing = .expand) {
    let n = Double(samples.exampleCount)
    let t = Double(samples.positions)
    var inputs = samples.inputs
    var gradients = samples.gradients
    var gradientScale = 1 / (n * t)
    if sharing == .reduce && samples.positions > 1 {
      inputs = samples.summedOverPositions(inputs, scale: 1 / t)
      gradients = gradients.map { samples.summedOverPositions($0, scale: 1) }
      gradientScale = 1 / n
    }
    // lesson: kfac-factors
    self.a = (1 / n) * inputs.timesOwnTranspose
    var sum = Matrix(rowCount: samples.outputSize, columnCount: samples.outputSize)
    for gradient in gradients { sum.add(1, times: gradient.timesOwnTranspose) }
    self.g = gradientScale * sum
    // end lesson
  }
}

extension LayerSamples {
  /// Sums the columns of each example's positions, times `scale`: d × (N·R) becomes d × N.
  func summedOverPositions(_ matrix: Matrix, scale: Double) -> Matrix {
    var result = Matrix(rowCount: matrix.rowCount, columnCount: exampleCount)
    for n in 0..<exampleCount {
      for r in 0..<positions {
        for i in 0..<matrix.rowCount { result[i, n] += scale * matrix[i, n * positions + r] }
      }
    }
    return result
  }
}

extension KroneckerBlock {
  /// KFAC: the block A ⊗ G of a layer's second moments.
  public static func kfac(_ samples: LayerSamples, sharing: WeightSharing = .expand)
    -> KroneckerBlock
  {
    let factors = KFACFactors(samples, sharing: sharing)
    return KroneckerBlock(
      kind: .kfac, layout: samples.layout, a: KroneckerFactor(factors.a),
      g: KroneckerFactor(factors.g))
  }

  /// THOR's split: both factors of KFAC pinched to diagonal blocks of size `split` (Eq. 10).
  public static func kfacSplit(
    _ samples: LayerSamples, split: Int, sharing: WeightSharing = .expand
  ) -> KroneckerBlock {
    precondition(split > 0, "the split size must be at least 1, got \(split)")
    let factors = KFACFactors(samples, sharing: sharing)
    return KroneckerBlock(
      kind: .kfacSplit, layout: samples.layout,
      a: KroneckerFactor(factors.a, blockSize: split),
      g: KroneckerFactor(factors.g, blockSize: split))
  }
}

extension EigenbasisBlock {
  /// EKFAC: the exact second moments of the gradients in the eigenbasis of KFAC's A ⊗ G.
  ///
  /// S = diag(Qᵀ F Q), the diagonal that is nearest to F in the Frobenius norm for this basis.
  /// Reference: the specification, section 5; George et al. 2018, arXiv 1806.03884.
  public static func ekfac(_ samples: LayerSamples, sharing: WeightSharing = .expand)
    throws(CurvatureError) -> EigenbasisBlock
  {
    let factors = KFACFactors(samples, sharing: sharing)
    return try ekfac(samples, basisOf: (KroneckerFactor(factors.a), KroneckerFactor(factors.g)))
  }

  /// Exact second moments in the eigenbasis of any two factors, a stale or a nearest-Kronecker one too.
  public static func ekfac(
    _ samples: LayerSamples, basisOf factors: (a: KroneckerFactor, g: KroneckerFactor)
  ) throws(CurvatureError) -> EigenbasisBlock {
    let (qA, _) = try factors.a.eigendecomposition()
    let (qG, _) = try factors.g.eigendecomposition()
    return EigenbasisBlock(
      kind: .ekfac, layout: samples.layout, inputBasis: qA, outputBasis: qG,
      secondMoments: samples.secondMoments(inputBasis: qA, outputBasis: qG))
  }
}

extension KFACFactors {
  /// ε·self + (1 − ε)·fresh on both factors, ε = `keeping`. Reference: the specification, section 4.5.
  public func averaged(with fresh: KFACFactors, keeping: Double) -> KFACFactors {
    precondition(keeping >= 0 && keeping <= 1, "the weight kept must be in 0…1, got \(keeping)")
    return KFACFactors(
      a: keeping * a + (1 - keeping) * fresh.a, g: keeping * g + (1 - keeping) * fresh.g)
  }
}
