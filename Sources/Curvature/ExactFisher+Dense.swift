import DenseAlgebra
import Networks

extension ExactFisher {
  /// F as a P × P matrix, block pair by block pair.
  ///
  /// Without weight sharing F_ℓm = (1/N) Σₙ āₙāₙ′ᵀ ⊗ Σ_c g_c g_c′ᵀ: the classes are summed first and
  /// the examples in one product of the rearranged outer products, K times fewer operations than
  /// U Uᵀ. With sharing, U Uᵀ as it stands. 8P² bytes; throws `exceedsMemory` over the limit.
  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    let size = layout.count
    try limit.require(
      rows: size, columns: size, for: "the dense Fisher",
      advice: "compare fewer layers (--layers), or steps only (--no-dense)")
    var fisher = Matrix(rowCount: size, columnCount: size)
    for (m, second) in layers.enumerated() {
      for (l, first) in layers.enumerated() where l <= m {
        let block: Matrix
        if first.positions > 1 || second.positions > 1 {
          block = first.scaledGradients.timesTransposed(second.scaledGradients)
        } else {
          block =
            l == m ? ExactFisher.diagonalBlock(first) : ExactFisher.pairBlock(first, second)
        }
        fisher.setBlock(row: layout.offsets[l], column: layout.offsets[m], to: block)
        if l != m {
          fisher.setBlock(row: layout.offsets[m], column: layout.offsets[l], to: block.transposed)
        }
      }
    }
    return fisher
  }

  /// F_ℓm for layers without sharing, by one product over the examples.
  ///
  /// Row (j, j′) of the left operand holds āⱼ ā′ⱼ′ per example, row (i, i′) of the right one
  /// Σ_c gᵢ g′ᵢ′; their product over examples is the Van Loan–Pitsianis rearrangement of F_ℓm.
  static func pairBlock(_ first: LayerSamples, _ second: LayerSamples) -> Matrix {
    let n = first.exampleCount
    let (dA, dB) = (first.inputSize, second.inputSize)
    let (dG, dH) = (first.outputSize, second.outputSize)
    // Left operand, one row per pair of outputs: (d_G·d_H) × N, summed over the columns c.
    var outputProducts = Matrix(rowCount: dG * dH, columnCount: n)
    for c in 0..<first.columnCount {
      accumulateProducts(first.gradients[c], second.gradients[c], into: &outputProducts)
    }
    var inputProducts = Matrix(rowCount: dA * dB, columnCount: n)
    accumulateProducts(first.inputs, second.inputs, into: &inputProducts)
    let rearranged = (1 / Double(n)) * outputProducts.timesTransposed(inputProducts)
    // Entry ((j,i),(j′,i′)) of the block is entry ((i′,i),(j′,j)) of the rearrangement.
    var block = Matrix(rowCount: dA * dG, columnCount: dB * dH)
    let source = rearranged.storage.span
    var target = block.storage.mutableSpan
    for jB in 0..<dB {
      for iH in 0..<dH {
        let column = (jB * dH + iH) * dA * dG
        for jA in 0..<dA {
          let from = (jB * dA + jA) * dG * dH + iH * dG
          let to = column + jA * dG
          for iG in 0..<dG { target[to + iG] = source[from + iG] }
        }
      }
    }
    return block
  }

  /// F_ℓℓ for a layer without sharing: only the pairs j ≥ j′ and i ≥ i′ go through the product.
  static func diagonalBlock(_ layer: LayerSamples) -> Matrix {
    let (dA, dG) = (layer.inputSize, layer.outputSize)
    var outputProducts = Matrix(
      rowCount: dG * (dG + 1) / 2, columnCount: layer.exampleCount)
    for gradient in layer.gradients { accumulateSquares(gradient, into: &outputProducts) }
    var inputProducts = Matrix(
      rowCount: dA * (dA + 1) / 2, columnCount: layer.exampleCount)
    accumulateSquares(layer.inputs, into: &inputProducts)
    let halves =
      (1 / Double(layer.exampleCount)) * outputProducts.timesTransposed(inputProducts)
    var block = Matrix(rowCount: dA * dG, columnCount: dA * dG)
    let source = halves.storage.span
    var target = block.storage.mutableSpan
    let size = dA * dG
    var pair = 0
    for j in 0..<dA {
      for k in j..<dA {
        var offset = pair * halves.rowCount
        for i in 0..<dG {
          for h in i..<dG {
            let value = source[offset]
            target[(j * dG + i) * size + k * dG + h] = value
            target[(j * dG + h) * size + k * dG + i] = value
            target[(k * dG + i) * size + j * dG + h] = value
            target[(k * dG + h) * size + j * dG + i] = value
            offset += 1
          }
        }
        pair += 1
      }
    }
    return block
  }

  /// Adds to column n of the target the products xᵢ x_h, i ≤ h, of column n of a matrix.
  private static func accumulateSquares(_ x: Matrix, into target: inout Matrix) {
    let rows = x.rowCount
    let height = target.rowCount
    let xSpan = x.storage.span
    var span = target.storage.mutableSpan
    for n in 0..<x.columnCount {
      var offset = n * height
      for i in 0..<rows {
        let scale = xSpan[n * rows + i]
        for h in i..<rows {
          span[offset] += scale * xSpan[n * rows + h]
          offset += 1
        }
      }
    }
  }

  /// Adds to column n of the target cvec(xₙ yₙᵀ), for the columns xₙ, yₙ of two matrices.
  private static func accumulateProducts(_ x: Matrix, _ y: Matrix, into target: inout Matrix) {
    let (rows, columns) = (x.rowCount, y.rowCount)
    let xSpan = x.storage.span
    let ySpan = y.storage.span
    var span = target.storage.mutableSpan
    for n in 0..<x.columnCount {
      for j in 0..<columns {
        let scale = ySpan[n * columns + j]
        let offset = (n * columns + j) * rows
        for i in 0..<rows { span[offset + i] += scale * xSpan[n * rows + i] }
      }
    }
  }
}
