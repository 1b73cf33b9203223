import DenseAlgebra
import Networks

/// The diagonal of a layer's exact block, as a d_G × d_A matrix D.
///
/// D = (1/N) Σ₍n,c₎ u₍n,c₎ ∘ u₍n,c₎; without weight sharing (1/N) Σ_c (Y_c∘Y_c)(X∘X)ᵀ. It is the best
/// diagonal in the Frobenius norm. Reference: the specification, section 8.1.
public struct DiagonalBlock: MatrixStructure {
  public var kind: StructureKind { .diagonal }
  public let layout: ParameterLayout
  /// D, the diagonal in the shape of the layer's weights.
  public let diagonal: Matrix

  public init(_ samples: LayerSamples) {
    self.layout = samples.layout
    self.diagonal = samples.secondMoments(inputBasis: nil, outputBasis: nil)
  }

  public func apply(_ vector: ParameterVector) -> ParameterVector {
    ParameterVector(blocks: [diagonal.hadamard(vector.blocks[0])])
  }

  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try limit.require(
      rows: layout.count, columns: layout.count, for: "the dense diagonal",
      advice: "leave the layer out (--layers)")
    return Matrix.diagonal(diagonal.storage)
  }

  public func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    try requireDefined(rule, lambda)
    return DampedDiagonalBlock(
      layout: layout,
      diagonal: try dampedEigenvalues(
        diagonal, rule: rule, lambda: lambda, name: "the diagonal of \(layout.blocks[0].name)"))
  }
}

/// D + λ, or D with its (near-)zero entries left out of the inverse.
public struct DampedDiagonalBlock: DampedBlock {
  public let layout: ParameterLayout
  let diagonal: Matrix

  public func apply(_ matrix: Matrix) -> Matrix { diagonal.hadamard(matrix) }

  public func solve(_ matrix: Matrix) -> Matrix {
    diagonal.map { $0 == 0 ? 0 : 1 / $0 }.hadamard(matrix)
  }

  public var logDeterminant: Double { logSum(diagonal.storage) }
  public var rank: Int { diagonal.storage.count { $0 > 0 } }
}

extension LayerSamples {
  /// The second moments (1/N) Σ₍n,c₎ [(Q_Gᵀ u₍n,c₎ Q_A)ᵢⱼ]² of the gradients in a Kronecker basis.
  ///
  /// Nil for a basis means the identity. With weight sharing the square is taken after the sum over
  /// positions. Two rotations and one product without sharing. Reference: the specification, 5.2.
  public func secondMoments(inputBasis: Matrix?, outputBasis: Matrix?) -> Matrix {
    let x = inputBasis.map { $0.transposedTimes(inputs) } ?? inputs
    var sum = Matrix(rowCount: outputSize, columnCount: inputSize)
    if positions == 1 {
      // lesson: ekfac-second-moments
      var squares = Matrix(rowCount: outputSize, columnCount: exampleCount)
      for gradient in gradients {
        let y = outputBasis.map { $0.transposedTimes(gradient) } ?? gradient
        squares.add(1, times: y.hadamard(y))
      }
      sum = squares.timesTransposed(x.hadamard(x))
      // end lesson
    } else {
      for gradient in gradients {
        let y = outputBasis.map { $0.transposedTimes(gradient) } ?? gradient
        for n in 0..<exampleCount {
          let range = n * positions..<(n + 1) * positions
          let u = y.block(rows: 0..<outputSize, columns: range)
            .timesTransposed(x.block(rows: 0..<inputSize, columns: range))
          sum.add(1, times: u.hadamard(u))
        }
      }
    }
    return (1 / Double(exampleCount)) * sum
  }
}
