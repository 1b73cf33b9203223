import Curvature
import DenseAlgebra
import Networks

// Mistakes where weights are shared by T positions, or examples and positions are padded.
extension Mistake {
  static let sharing: [Mistake] = [
    Mistake(
      53, "G of shared weights is not divided by the number of positions",
      wrong: "G' = (1/N) Σ_{n,t} g gᵀ = T G", right: "G = (1/NT) Σ_{n,t} g gᵀ (expand)",
      mark: "A ⊗ G' is T times right; layers without sharing are right",
      changes: [.g], caughtBy: [.property(78), .vector(.g)], needs: [.expandedPositions],
      home: .sequence
    ) { recipe in
      let right = recipe.g
      recipe.g = { Double($1.positions) * right($0, $1) }
    },
    Mistake(
      54, "A and G of shared weights are both divided by the number of positions",
      wrong: "A' = (1/NT) Σ_{n,t} ā āᵀ = A/T", right: "A = (1/N) Σ_{n,t} ā āᵀ (expand)",
      mark: "A' ⊗ G is 1/T times right, and A' ends in 1, not in T",
      changes: [.a], caughtBy: [.property(78), .vector(.a)], needs: [.expandedPositions],
      home: .sequence
    ) { recipe in
      let right = recipe.a
      recipe.a = { (1 / Double($1.positions)) * right($0, $1) }
    },
    Mistake(
      55, "Reduced factors are sums over positions on both sides",
      wrong: "A' = (1/N) Σ (Σ_t ā)(Σ_t ā)ᵀ = T² A", right: "mean of ā, sum of g (reduce)",
      mark: "A' ⊗ G is T² times right, and A' ends in T²",
      changes: [.a], caughtBy: [.property(78)], needs: [.reducedPositions],
      home: .sequenceReduced
    ) { recipe in
      let right = recipe.a
      recipe.a = { Double($1.positions * $1.positions) * right($0, $1) }
    },
    Mistake(
      56, "The entries of a patch are ordered by kernel position first, channel last",
      wrong: "A' = Π A Πᵀ", right: "channel, kernel row, kernel column, as in the weights",
      mark: "A' has the spectrum of A; the permutation between the two orders undoes it",
      changes: [.a], caughtBy: [.vector(.a)], needs: [.convolution], home: .convolution
    ) { recipe in
      recipe.records = { setting, _, layers in
        guard let order = setting.kernelMajorRows else { return layers }
        let patches = layers[0].inputs
        let reordered = Matrix(rowCount: patches.rowCount, columnCount: patches.columnCount) {
          patches[order[$0], $1]
        }
        return [layers[0].replacing(inputs: reordered)] + layers.dropFirst()
      }
    },
    Mistake(
      57, form: "a", "Examples that pad the batch are counted",
      wrong: "A' = N/(N + 2) A, G' = N/(N + 2) G", right: "sums divided by the N examples kept",
      mark: "A' and G' are both kept/total times right, V right",
      changes: [.a, .g], caughtBy: [.property(37), .property(57), .vector(.a), .vector(.g)]
    ) { recipe in
      recipe.records = { _, _, layers in layers.map { $0.paddingExamples(2) } }
    },
    Mistake(
      57, form: "b", "Masked positions are counted",
      wrong: "G' = T/(T + 4) G", right: "sums divided by the T positions kept",
      mark: "G' is kept/total times right where weights are shared, A and V right",
      changes: [.g], caughtBy: [.property(78), .vector(.g)], needs: [.expandedPositions],
      home: .sequence
    ) { recipe in
      recipe.records = { _, _, layers in
        layers.map { $0.positions > 1 ? $0.paddingPositions(4) : $0 }
      }
    },
  ]
}

extension CurvatureSetting {
  /// The rows of patches in the order kernel row, kernel column, channel, then the bias.
  fileprivate var kernelMajorRows: [Int]? {
    guard let (window, channels) = firstWindow else { return nil }
    let area = window.kernelHeight * window.kernelWidth
    return (0..<area).flatMap { place in (0..<channels).map { $0 * area + place } }
      + (network.parameters[0].hasBias ? [channels * area] : [])
  }
}

extension LayerSamples {
  /// The samples with examples of zeros at the end.
  fileprivate func paddingExamples(_ count: Int) -> LayerSamples {
    func padded(_ matrix: Matrix) -> Matrix {
      let zeros = [Double](repeating: 0, count: matrix.rowCount * count * positions)
      return Matrix(
        rowCount: matrix.rowCount, columnCount: matrix.columnCount + count * positions,
        storage: matrix.storage + zeros)
    }
    return replacing(
      inputs: padded(inputs), gradients: gradients.map(padded), exampleCount: exampleCount + count)
  }

  /// The samples with positions of zeros at the end of every example.
  fileprivate func paddingPositions(_ count: Int) -> LayerSamples {
    func padded(_ matrix: Matrix) -> Matrix {
      let wide = positions + count
      return Matrix(rowCount: matrix.rowCount, columnCount: exampleCount * wide) { i, column in
        let (n, t) = (column / wide, column % wide)
        return t < positions ? matrix[i, n * positions + t] : 0
      }
    }
    return replacing(
      inputs: padded(inputs), gradients: gradients.map(padded), positions: positions + count)
  }
}
