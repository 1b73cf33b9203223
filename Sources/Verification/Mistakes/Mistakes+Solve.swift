import Curvature
import DenseAlgebra

// Mistakes in how the damped system is solved.
extension Mistake {
  static let solve: [Mistake] = [
    Mistake(
      27, form: "a", "The inverse of A is not applied",
      wrong: "U' = G_δ⁻¹ V = U A_δ", right: "U = G_δ⁻¹ V A_δ⁻¹",
      mark: "G_δ U' = V with nothing on the right",
      changes: [.step], caughtBy: [.property(59), .vector(.step)], needs: [.factoredRule]
    ) { recipe in
      recipe.step = { v, factors in v.fits(factors) ? factors.inverseG * v : nil }
    },
    Mistake(
      27, form: "b", "The inverse of G is not applied",
      wrong: "U' = V A_δ⁻¹ = G_δ U", right: "U = G_δ⁻¹ V A_δ⁻¹",
      mark: "U' A_δ = V with nothing on the left",
      changes: [.step], caughtBy: [.property(59), .vector(.step)], needs: [.factoredRule]
    ) { recipe in
      recipe.step = { v, factors in v.fits(factors) ? v * factors.inverseA : nil }
    },
    Mistake(
      28, "The gradient is multiplied by the damped factors, not solved with them",
      wrong: "U' = G_δ V A_δ", right: "U = G_δ⁻¹ V A_δ⁻¹",
      mark: "U' = G_δ V A_δ to round-off",
      changes: [.step], caughtBy: [.property(59), .vector(.step)], needs: [.factoredRule]
    ) { recipe in
      recipe.step = { v, factors in v.fits(factors) ? factors.dampedG * v * factors.dampedA : nil }
    },
    Mistake(
      35, "The exact rule divides by products of eigenvalues that are each damped",
      wrong: "eigenvalue (α + λ)(γ + λ)", right: "eigenvalue αγ + λ",
      mark: "in the eigenbasis V ∘ 1/U' = (α + λ)(γ + λ)",
      changes: [.step], caughtBy: [.property(62), .vector(.step)], needs: [.exactRule],
      home: .denseExact
    ) { recipe in
      recipe.dampedEigenvalue = { α, γ, λ in (α + λ) * (γ + λ) }
    },
  ]
}

extension Matrix {
  /// Whether a d_G × d_A matrix has the sizes of the factors.
  fileprivate func fits(_ factors: DampedFactors) -> Bool {
    rowCount == factors.g.rowCount && columnCount == factors.a.rowCount
  }
}
