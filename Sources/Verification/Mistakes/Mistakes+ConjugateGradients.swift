import Curvature
import DenseAlgebra
import Networks

// Mistakes in CG-FAC: its operator, and when it stops.
extension Mistake {
  static let conjugateGradients: [Mistake] = [
    Mistake(
      64, "Conjugate gradients stop relative to the first residual, though they start warm",
      wrong: "stop at ‖r_k‖ ≤ τ‖r₀‖", right: "stop at ‖r_k‖ ≤ τ‖V‖",
      mark: "a better start does not shorten the iteration",
      changes: [.iterations], caughtBy: [.property(112)], needs: [.warmStart], home: .denseMoved
    ) { recipe in
      recipe.stoppingRule = .firstResidual(tolerance: 1e-2)
    },
    Mistake(
      65, "The two back-propagated matrices in the product are not the same",
      wrong: "(1/N²) Y (Y'ᵀ V X) Xᵀ + λV, Y' the columns of Y moved on by one",
      right: "(1/N²) Y (Yᵀ V X) Xᵀ + λV",
      mark: "⟨V, F'(W)⟩ ≠ ⟨W, F'(V)⟩: the product is not symmetric",
      changes: [.product], caughtBy: [.property(100), .property(101)]
    ) { recipe in
      recipe.product = { MismatchedOperator(samples: $1, lambda: $0.lambda) }
    },
    Mistake(
      66, "The exact layer block is multiplied where A ⊗ G is meant",
      wrong: "F_ℓ v + λv: pairs of different examples dropped", right: "G V A + λV: all pairs kept",
      mark: "the product is that of reading 2; the two agree for one example",
      changes: [.product], caughtBy: [.property(100)]
    ) { recipe in
      recipe.product = { ExactBlockOperator($1, lambda: $0.lambda) }
    },
  ]
}

/// V ↦ (1/(N² R)) Σ_c Y_c (Y_{c+1}ᵀ V X) Xᵀ + λV: the columns of the two Y are one apart.
private struct MismatchedOperator: LinearOperator {
  let samples: LayerSamples
  let lambda: Double

  var rowCount: Int { samples.layout.count }
  var columnCount: Int { samples.layout.count }

  func apply(_ x: Vector) -> Vector {
    let v = Matrix(
      rowCount: samples.outputSize, columnCount: samples.inputSize, storage: x.elements)
    let n = Double(samples.exampleCount)
    let vx = v * samples.inputs
    var result = lambda * v
    for (c, y) in samples.gradients.enumerated() {
      let other = samples.gradients[(c + 1) % samples.columnCount]
      result.add(
        1 / (n * n * Double(samples.positions)),
        times: (y * other.transposedTimes(vx)).timesTransposed(samples.inputs))
    }
    return Vector(result.storage)
  }
}
