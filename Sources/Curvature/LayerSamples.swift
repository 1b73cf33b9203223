import DenseAlgebra
import Networks

/// The samples of one parameter block with all its uses and positions on one axis.
///
/// X is d_A × (N·R) and each of the K matrices Y₍c₎ is d_G × (N·R); column n·R + r belongs to example
/// n at position r, where the R positions run over all uses of the block. The per-example gradient
/// is u₍n,c₎ = Σᵣ g₍n,r,c₎ ā₍n,r₎ᵀ, and the block of the Fisher is (1/N) Σ cvec(u) cvec(u)ᵀ.
/// Reference: the specification, sections 1.1 and 4.9.
public struct LayerSamples: Equatable, Sendable {
  /// The block's name, for messages.
  public let name: String
  /// X, the layer inputs with their homogeneous coordinate.
  public let inputs: Matrix
  /// Y₍1₎ … Y₍K₎, the back-propagated vectors of one example each, not divided by N.
  public let gradients: [Matrix]
  /// R, the number of positions of one example.
  public let positions: Int
  /// N, the number of examples.
  public let exampleCount: Int
  /// The layout of this one block.
  public let layout: ParameterLayout

  /// Joins the uses of block `index`.
  public init(_ samples: GradientSamples, block index: Int) {
    let block = samples.blocks[index]
    let n = samples.exampleCount
    self.name = block.name
    self.exampleCount = n
    self.positions = block.uses.reduce(0) { $0 + $1.positions }
    self.layout = ParameterLayout(blocks: [samples.layout.blocks[index]])
    if block.uses.count == 1 {
      self.inputs = block.uses[0].inputs
      self.gradients = block.uses[0].gradients
    } else {
      func joined(_ parts: [(matrix: Matrix, positions: Int)], rowCount: Int) -> Matrix {
        var storage: [Double] = []
        for example in 0..<n {
          for part in parts {
            let width = part.positions * rowCount
            storage.append(contentsOf: part.matrix.storage[example * width..<(example + 1) * width])
          }
        }
        return Matrix(
          rowCount: rowCount, columnCount: storage.count / max(rowCount, 1), storage: storage)
      }
      self.inputs = joined(
        block.uses.map { ($0.inputs, $0.positions) }, rowCount: block.columnCount)
      self.gradients = (0..<samples.columnCount).map { c in
        joined(block.uses.map { ($0.gradients[c], $0.positions) }, rowCount: block.rowCount)
      }
    }
  }

  /// d_A, the number of inputs with the homogeneous coordinate.
  public var inputSize: Int { inputs.rowCount }
  /// d_G, the number of outputs.
  public var outputSize: Int { layout.blocks[0].rowCount }
  /// K, the number of back-propagated vectors of one example.
  public var columnCount: Int { gradients.count }

  /// u₍n,c₎ = Σᵣ g₍n,r,c₎ ā₍n,r₎ᵀ, d_G × d_A.
  public func exampleGradient(_ example: Int, _ column: Int) -> Matrix {
    let range = example * positions..<(example + 1) * positions
    return gradients[column].block(rows: 0..<outputSize, columns: range)
      .timesTransposed(inputs.block(rows: 0..<inputSize, columns: range))
  }

  /// The matrix U of one block, d_A·d_G × N·K: column c·N + n is cvec(u₍n,c₎)/√N.
  ///
  /// Then F = U Uᵀ. Reference: the specification, section 3.1.
  public var scaledGradients: Matrix {
    let scale = 1 / Double(exampleCount).squareRoot()
    var storage: [Double] = []
    storage.reserveCapacity(inputSize * outputSize * exampleCount * columnCount)
    for c in 0..<columnCount {
      for n in 0..<exampleCount {
        storage.append(contentsOf: exampleGradient(n, c).storage.map { scale * $0 })
      }
    }
    return Matrix(
      rowCount: inputSize * outputSize, columnCount: exampleCount * columnCount, storage: storage)
  }

  /// Uᵀ cvec(V): entry c·N + n is ⟨u₍n,c₎, V⟩/√N = Σᵣ gᵀ V ā / √N.
  public func project(_ matrix: Matrix) -> Vector {
    let scale = 1 / Double(exampleCount).squareRoot()
    let z = matrix * inputs  // V X: one column per example and position
    let zSpan = z.storage.span
    var result = Vector.zero(exampleCount * columnCount)
    let width = positions * outputSize
    for c in 0..<columnCount {
      let entries = gradients[c].storage
      let y = entries.span
      for n in 0..<exampleCount {
        var sum = 0.0
        for index in n * width..<(n + 1) * width { sum += y[index] * zSpan[index] }
        result[c * exampleCount + n] = scale * sum
      }
    }
    return result
  }

  /// U w as a d_G × d_A matrix: (1/√N) Σ₍n,c₎ w₍n,c₎ u₍n,c₎.
  public func combine(_ weights: Vector) -> Matrix {
    precondition(
      weights.count == exampleCount * columnCount,
      "combine: \(weights.count) weights for \(exampleCount * columnCount) samples")
    let scale = 1 / Double(exampleCount).squareRoot()
    let width = positions * outputSize
    // Σ_c Y_c diag(w): weights go onto the columns of Y before the one product with Xᵀ.
    var weighted = Matrix(rowCount: outputSize, columnCount: exampleCount * positions)
    var target = weighted.storage.mutableSpan
    for c in 0..<columnCount {
      let entries = gradients[c].storage
      let y = entries.span
      for n in 0..<exampleCount {
        let w = scale * weights[c * exampleCount + n]
        for index in n * width..<(n + 1) * width { target[index] += w * y[index] }
      }
    }
    return weighted.timesTransposed(inputs)
  }
}
