import Curvature
import DenseAlgebra
import Networks

/// The factors of one layer as `nn.thor` makes them from what its layers see.
///
/// A layer sees its inputs x and the gradients ẏ = (S/N) g of the mean loss, which was scaled by S. With
/// M = N·T rows: A = (1/M) Σ x xᵀ and G = (B²/s²) (1/M) Σ ẏ ẏᵀ, which is (1/M) Σ g gᵀ when S = s and
/// B = N. A dense layer at T positions has no T elsewhere; a convolution has ρ (see
/// `MindSporeDifferences.Convolution`). A block used at several nodes counts them as positions, where
/// MindSpore keeps the last one.
/// Reference: the specification, section 7.8.
public struct MindSporeFactors: Equatable, Sendable {
  /// A, without the homogeneous coordinate unless it is switched on.
  public let a: Matrix
  /// G, d_G × d_G.
  public let g: Matrix
  /// ρ: 1 for a dense layer; the damping amounts are multiplied by √ρ and the result by ρ.
  public let ratio: Double

  public init(_ samples: LayerSamples, isConvolution: Bool, _ options: MindSporeOptions) {
    let source = options.source
    let (n, t) = (Double(samples.exampleCount), Double(samples.positions))
    let (b, s) = (Double(options.batchSize), options.lossScale)
    let hasBias = samples.layout.blocks[0].hasBias
    let inputCount = samples.inputSize - (hasBias && !source.biasInA ? 1 : 0)
    var x = samples.inputs.block(
      rows: 0..<inputCount, columns: 0..<samples.inputs.columnCount)
    // ẏ = (S/N) g
    var y = samples.gradients.map { ((options.trainingLossScale ?? s) / n) * $0 }
    var rows = n * t
    ratio =
      switch (isConvolution, source.convolution) {
      case (false, _): 1
      case (true, .patches): b / rows
      case (true, .batchMeans): 1 / t
      }
    if isConvolution && source.convolution == .batchMeans {
      x = samples.meanOverExamples(x)
      y = y.map(samples.meanOverExamples)
      rows = t
    }
    let normalizer =
      !isConvolution && source.inputNormalizer == .inputs ? Double(inputCount) : rows
    a = (1 / normalizer) * x.timesOwnTranspose
    var sum = Matrix(rowCount: samples.outputSize, columnCount: samples.outputSize)
    for y in y { sum.add(1, times: y.timesOwnTranspose) }
    // G = B² (1/s²) (1/M) Σ ẏ ẏᵀ
    g = (b * b) * ((1 / (s * s)) * ((1 / rows) * sum))
  }
}

extension LayerSamples {
  /// The mean over the examples of each position's columns: d × (N·T) becomes d × T.
  func meanOverExamples(_ matrix: Matrix) -> Matrix {
    var sum = Matrix(rowCount: matrix.rowCount, columnCount: positions)
    for n in 0..<exampleCount {
      sum.add(
        1,
        times: matrix.block(
          rows: 0..<matrix.rowCount, columns: n * positions..<(n + 1) * positions))
    }
    return (1 / Double(exampleCount)) * sum
  }
}

/// The cached inverses of one layer: U = ρ G⁻¹ V A⁻¹ on the weights, and the raw gradient on a bias
/// that A leaves out.
///
/// They are matrices and not Cholesky factors because workers average them.
public struct MindSporeInverse: Equatable, Sendable {
  /// The inverse of the damped A, block by block.
  public let a: KroneckerFactor
  /// The inverse of the damped G, block by block.
  public let g: KroneckerFactor
  /// ρ.
  public let scale: Double

  public init(a: KroneckerFactor, g: KroneckerFactor, scale: Double) {
    self.a = a
    self.g = g
    self.scale = scale
  }

  /// U for the gradient V of [W b], d_G × d_A.
  public func applied(to gradient: Matrix) -> Matrix {
    precondition(
      gradient.rowCount == g.size && gradient.columnCount >= a.size,
      "inverses of sizes \(a.size), \(g.size) on a \(gradient.rowCount) × \(gradient.columnCount) gradient"
    )
    let weights = gradient.block(rows: 0..<g.size, columns: 0..<a.size)
    var result = gradient
    // U = ρ G⁻¹ V A⁻¹
    result.setBlock(
      row: 0, column: 0, to: scale * a.times(g.times(weights).transposed).transposed)
    return result
  }
}
