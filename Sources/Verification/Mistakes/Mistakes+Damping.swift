import Curvature
import DenseAlgebra
import Networks

// Mistakes of damping: the shifts of A and G are not those of the rule.
extension Mistake {
  static let damping: [Mistake] = [
    Mistake(
      29, form: "a", "The factors are damped by λ where √λ is meant",
      wrong: "δ' = λ (with π: πλ and λ/π)", right: "δ = √λ (with π: π√λ and √λ/π)",
      mark: "read back from the inverses, δ' = λ on both factors",
      changes: [.inverse], caughtBy: [.property(59), .vector(.step)], needs: [.rootRule],
      home: .denseSqrt
    ) { recipe in
      let right = recipe.shifts
      recipe.shifts = { right($0.with(lambda: $0.lambda * $0.lambda), $1) }
    },
    Mistake(
      29, form: "b", "The factors are damped by √λ where λ is meant",
      wrong: "δ' = √λ", right: "δ = λ",
      mark: "read back from the inverses, δ' = √λ on both factors",
      changes: [.inverse], caughtBy: [.property(59), .vector(.step)], needs: [.factorRule],
      home: .denseFactor
    ) { recipe in
      let right = recipe.shifts
      recipe.shifts = { right($0.with(lambda: $0.lambda.squareRoot()), $1) }
    },
    Mistake(
      30, "π is inverted",
      wrong: "δ_A' = √λ/π, δ_G' = π√λ", right: "δ_A = π√λ, δ_G = √λ/π",
      mark: "δ_A'/δ_G' = π⁻² and not π², with δ_A' δ_G' = λ",
      changes: [.inverse], caughtBy: [.property(59), .property(64), .vector(.step)],
      needs: [.piRule]
    ) { recipe in
      let right = recipe.shifts
      recipe.shifts = { setting, factors in
        right(setting, factors).map { (a: $0.g, g: $0.a) }
      }
    },
    Mistake(
      31, "π is taken from the traces without dividing by the sizes",
      wrong: "π'² = tr A/tr G", right: "π² = (tr A/d_A)/(tr G/d_G)",
      mark: "δ_A'/δ_G' is d_A/d_G times right, with δ_A' δ_G' = λ",
      changes: [.inverse], caughtBy: [.property(59), .property(64), .vector(.step)],
      needs: [.piRule]
    ) { recipe in
      recipe.shifts = { setting, factors in
        let (root, π) = (
          setting.lambda.squareRoot(), (factors.a.trace / factors.g.trace).squareRoot()
        )
        return (π * root, root / π)
      }
    },
    Mistake(
      32, "π² is used for π: its root is not taken",
      wrong: "δ_A' = π²√λ, δ_G' = √λ/π²", right: "δ_A = π√λ, δ_G = √λ/π",
      mark: "δ_A'/δ_G' = π⁴, with δ_A' δ_G' = λ",
      changes: [.inverse], caughtBy: [.property(59), .property(64), .vector(.step)],
      needs: [.piRule]
    ) { recipe in
      let right = recipe.shifts
      recipe.shifts = { setting, factors in
        guard let (a, g) = right(setting, factors) else { return nil }
        let π = (a / g).squareRoot()
        return (π * a, g / π)
      }
    },
    Mistake(
      33, form: "a", "Only A is damped",
      wrong: "δ_G' = 0", right: "δ_G > 0",
      mark: "read back from the inverses, δ_G' = 0; a singular G has no inverse",
      changes: [.inverse], caughtBy: [.property(59), .vector(.step)],
      needs: [.factoredRule, .gaussian],
      home: .gaussian
    ) { recipe in
      let right = recipe.shifts
      recipe.shifts = { setting, factors in right(setting, factors).map { ($0.a, 0) } }
    },
    Mistake(
      33, form: "b", "The damping is added to A and G twice",
      wrong: "δ_A' = 2δ_A, δ_G' = 2δ_G", right: "δ_A, δ_G",
      mark: "read back from the inverses, both shifts are doubled",
      changes: [.inverse], caughtBy: [.property(59), .vector(.step)], needs: [.factoredRule]
    ) { recipe in
      let right = recipe.shifts
      recipe.shifts = { setting, factors in right(setting, factors).map { (2 * $0.a, 2 * $0.g) } }
    },
    Mistake(
      34, "G is damped while it still carries the scale s²/N² of its gradients, and rescaled after",
      wrong: "δ_G' = (N²/s²) δ_G", right: "G rescaled first, then damped by δ_G",
      mark: "read back from the inverses, δ_G' is N²/s² times right and δ_A' right",
      changes: [.inverse], caughtBy: [.property(59), .vector(.step)], needs: [.factoredRule]
    ) { recipe in
      let right = recipe.shifts
      recipe.shifts = { setting, factors in
        let scale = Double(setting.data.count) / setting.lossScale
        return right(setting, factors).map { ($0.a, scale * scale * $0.g) }
      }
    },
  ]
}

extension CurvatureSetting {
  /// The same setting with another λ for one computation.
  fileprivate func with(lambda: Double) -> CurvatureSetting {
    var other = self
    other.lambda = lambda
    return other
  }
}
