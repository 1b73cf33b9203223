import DenseAlgebra

/// The Van Loan–Pitsianis rearrangement R of a layer's exact block, as two products from the samples.
///
/// R maps a d_G × d_G matrix to a d_A × d_A one: R(M) = Tr_G[(I ⊗ M) F] = (1/N) Σ₍n,c₎ uᵀ M u, and its
/// transpose maps back: Rᵀ(M) = Tr_A[(M ⊗ I) F] = (1/N) Σ₍n,c₎ u M uᵀ. So R(I) and Rᵀ(I) are the partial
/// traces, power iteration on R gives the nearest Kronecker product, one step of it TKFAC, and the
/// flip-flop of the KL-optimal product calls the same two. Neither F nor R is formed.
/// Reference: the specification, sections 8.3 to 8.5.
struct KroneckerContraction: Sendable {
  private let samples: LayerSamples
  /// Without sharing: column n is cvec of Γₙ = Σ_c g₍n,c₎ g₍n,c₎ᵀ.
  private let outputMoments: Matrix?
  /// With sharing: the gradients u₍n,c₎.
  private let exampleGradients: [Matrix]

  init(_ samples: LayerSamples) {
    self.samples = samples
    guard samples.positions == 1 else {
      self.outputMoments = nil
      self.exampleGradients = (0..<samples.columnCount).flatMap { c in
        (0..<samples.exampleCount).map { samples.exampleGradient($0, c) }
      }
      return
    }
    let size = samples.outputSize
    var moments = Matrix(rowCount: size * size, columnCount: samples.exampleCount)
    var target = moments.storage.mutableSpan
    for gradient in samples.gradients {
      let g = gradient.storage.span
      for n in 0..<samples.exampleCount {
        for j in 0..<size {
          let offset = (n * size + j) * size
          let scale = g[n * size + j]
          for i in 0..<size { target[offset + i] += scale * g[n * size + i] }
        }
      }
    }
    self.outputMoments = moments
    self.exampleGradients = []
  }

  /// R(M) = (1/N) Σ₍n,c₎ uᵀ M u, d_A × d_A, for a symmetric d_G × d_G matrix M.
  func inputSide(_ matrix: Matrix) -> Matrix {
    guard let outputMoments else { return mean { $0.transposedTimes(matrix * $0) } }
    // ⟨Γₙ, M⟩ weights the outer product of example n.
    let weights = outputMoments.transposedTimes(Vector(matrix.storage))
    return weightedMoments(weights)
  }

  /// Rᵀ(M) = (1/N) Σ₍n,c₎ u M uᵀ, d_G × d_G, for a symmetric d_A × d_A matrix M.
  func outputSide(_ matrix: Matrix) -> Matrix {
    guard let outputMoments else { return mean { ($0 * matrix).timesTransposed($0) } }
    let size = samples.outputSize
    let image = matrix * samples.inputs
    let weights = Vector(
      (0..<samples.exampleCount).map { samples.inputs.column($0).dot(image.column($0)) })
    let sum = outputMoments * weights
    return Matrix(
      rowCount: size, columnCount: size,
      storage: ((1 / Double(samples.exampleCount)) * sum).elements
    ).symmetrized
  }

  private func weightedMoments(_ weights: Vector) -> Matrix {
    var scaled = samples.inputs
    let rows = scaled.rowCount
    for n in 0..<samples.exampleCount {
      for i in 0..<rows { scaled.storage[n * rows + i] *= weights[n] }
    }
    let sum = scaled.timesTransposed(samples.inputs)
    return (1 / Double(samples.exampleCount)) * sum.symmetrized
  }

  private func mean(_ term: (Matrix) -> Matrix) -> Matrix {
    var sum = term(exampleGradients[0])
    for gradient in exampleGradients.dropFirst() { sum.add(1, times: term(gradient)) }
    return (1 / Double(samples.exampleCount)) * sum.symmetrized
  }
}
