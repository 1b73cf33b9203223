import Curvature
import DenseAlgebra

// Mistakes in forming a damped inverse from its factorisation, and in putting two of them together.
extension Mistake {
  static let inverses: [Mistake] = [
    Mistake(
      42, "The inverse is formed as L⁻¹L⁻¹",
      wrong: "A'⁻¹ = L⁻¹ L⁻¹", right: "A⁻¹ = L⁻ᵀ L⁻¹ for A = L Lᵀ",
      mark: "A'⁻¹ is not symmetric and has the right determinant",
      changes: [.inverse],
      caughtBy: [.property(6), .property(59), .vector(.inverse), .vector(.step)],
      needs: [.factoredRule]
    ) { recipe in
      recipe.inverse = { damped in
        let root = try CholeskyFactorization(damped).inverseRoot
        return root * root
      }
    },
    Mistake(
      43, "The inverse is formed as L⁻¹L⁻ᵀ",
      wrong: "A'⁻¹ = L⁻¹ L⁻ᵀ", right: "A⁻¹ = L⁻ᵀ L⁻¹ for A = L Lᵀ",
      mark: "A'⁻¹ is symmetric with the right spectrum, but another matrix",
      changes: [.inverse],
      caughtBy: [.property(6), .property(59), .vector(.inverse), .vector(.step)],
      needs: [.factoredRule]
    ) { recipe in
      recipe.inverse = { damped in try CholeskyFactorization(damped).inverseRoot.timesOwnTranspose }
    },
    Mistake(
      44, form: "a", "The eigenvectors are used as rows",
      wrong: "A'⁻¹ = Qᵀ Λ⁻¹ Q", right: "A⁻¹ = Q Λ⁻¹ Qᵀ for A = Q Λ Qᵀ",
      mark: "A'⁻¹ has the right spectrum and trace, but is another matrix; Q A'⁻¹ Qᵀ = Λ⁻¹",
      changes: [.inverse],
      caughtBy: [.property(6), .property(59), .vector(.inverse), .vector(.step)],
      needs: [.factoredRule]
    ) { recipe in
      recipe.inverse = { damped in
        let decomposition = try SymmetricEigendecomposition(damped)
        let q = decomposition.vectors.withPositiveColumns
        return q.transposedTimes(
          Matrix.diagonal(decomposition.values.elements.map { 1 / $0 }) * q)
      }
    },
    Mistake(
      45, form: "a", "Only the lower triangle of A and G is filled",
      wrong: "A'_ij = 0 for i < j", right: "A symmetric",
      mark:
        "the strict upper triangle of A' is 0, the rest right; so is the inverse where it reads "
        + "the lower triangle only",
      changes: [.a, .g], caughtBy: [.property(30), .vector(.a), .vector(.g)]
    ) { recipe in
      let (a, g) = (recipe.a, recipe.g)
      recipe.a = { a($0, $1).lowerTriangle }
      recipe.g = { g($0, $1).lowerTriangle }
    },
    Mistake(
      45, form: "b", "Only the lower triangle of the inverses is filled",
      wrong: "(A'⁻¹)_ij = 0 for i < j", right: "A⁻¹ symmetric",
      mark: "the strict upper triangle of A'⁻¹ is 0, the rest right",
      changes: [.inverse],
      caughtBy: [.property(6), .property(59), .vector(.inverse), .vector(.step)],
      needs: [.factoredRule]
    ) { recipe in
      let right = recipe.inverse
      recipe.inverse = { try right($0).lowerTriangle }
    },
    Mistake(
      46, "Both inverses are scaled by their largest entries, and scaled back by one of them twice",
      wrong: "U' = (g_max/a_max) U", right: "scaled back by a_max g_max",
      mark: "U' = cU with one c for each layer, the ratio of the largest entries of the inverses",
      changes: [.step], caughtBy: [.property(59), .vector(.step)], needs: [.factoredRule]
    ) { recipe in
      let right = recipe.step
      recipe.step = { v, factors in
        let largest = (a: factors.inverseA.maximumMagnitude, g: factors.inverseG.maximumMagnitude)
        let scaled = DampedFactors(
          a: factors.a, g: factors.g, shifts: factors.shifts,
          inverseA: (1 / largest.a) * factors.inverseA, inverseG: (1 / largest.g) * factors.inverseG
        )
        return right(v, scaled).map { (largest.g * largest.g) * $0 }
      }
    },
    Mistake(
      67, "The factorisation is kept in single precision",
      wrong: "A'⁻¹ = L'⁻ᵀ L'⁻¹, L' = L rounded to 24 bits", right: "L in double precision",
      mark: "‖A'⁻¹ A_δ − I‖ is about κ · 6e-8 and grows with κ",
      changes: [.inverse], caughtBy: [.property(6), .vector(.inverse)], needs: [.factoredRule],
      home: .denseIllConditioned
    ) { recipe in
      recipe.inverse = { damped in
        let rounded = try CholeskyFactorization(damped).lower.map { Double(Float($0)) }
        return rounded.solvingLowerTransposed(
          rounded.solvingLower(.identity(damped.rowCount)))
      }
    },
  ]
}

extension CholeskyFactorization {
  /// L⁻¹.
  fileprivate var inverseRoot: Matrix { lower.solvingLower(.identity(lower.rowCount)) }
}

extension Matrix {
  /// The lower triangle with zeros above the diagonal.
  fileprivate var lowerTriangle: Matrix {
    Matrix(rowCount: rowCount, columnCount: columnCount) { $0 >= $1 ? self[$0, $1] : 0 }
  }
}
