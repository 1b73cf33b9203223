import Curvature
import DenseAlgebra
import Networks

// Mistakes of scale: a factor is right but for a number.
extension Mistake {
  static let scale: [Mistake] = [
    Mistake(
      1, "A is summed over the examples, not averaged",
      wrong: "A' = N A", right: "A = (1/N) Σ ā āᵀ",
      mark: "A' = N A in every layer; A' grows when the data are duplicated",
      changes: [.a], caughtBy: [.property(37), .property(57), .vector(.a)]
    ) { recipe in
      recipe.a = { setting, samples in
        Double(samples.exampleCount) * KFACFactors(samples, sharing: setting.sharing).a
      }
    },
    Mistake(
      2, "G is averaged over gradients of the mean loss, which carry 1/N already",
      wrong: "G' = G/N²", right: "G = (1/N) Σ g gᵀ, g of one example's own loss",
      mark: "G' = G/N² in every layer, V and A right",
      changes: [.g, .secondMoments], caughtBy: [.property(37), .property(57), .vector(.g)]
    ) { recipe in
      recipe.records = { _, _, layers in
        layers.map { $0.scalingGradients(1 / Double($0.exampleCount)) }
      }
    },
    Mistake(
      3, "G is summed over gradients of the mean loss",
      wrong: "G' = G/N", right: "G = (1/N) Σ g gᵀ, g of one example's own loss",
      mark: "G' = G/N in every layer, V and A right",
      changes: [.g], caughtBy: [.property(37), .property(57), .vector(.g)]
    ) { recipe in
      recipe.g = { setting, samples in
        let n = Double(samples.exampleCount)
        return n * KFACFactors(samples.scalingGradients(1 / n), sharing: setting.sharing).g
      }
    },
    Mistake(
      4, "G is summed over the examples, not averaged",
      wrong: "G' = N G", right: "G = (1/N) Σ g gᵀ",
      mark: "G' = N G in every layer; G' grows when the data are duplicated",
      changes: [.g], caughtBy: [.property(37), .property(57), .vector(.g)]
    ) { recipe in
      recipe.g = { setting, samples in
        Double(samples.exampleCount) * KFACFactors(samples, sharing: setting.sharing).g
      }
    },
    Mistake(
      5, form: "a", "The loss scale of mixed precision is left in the gradients",
      wrong: "V' = s V, G' = s² G", right: "g and V divided by s after the backward pass",
      mark: "V' = s V and G' = s² G with one s, a power of two",
      changes: [.gradient, .g], caughtBy: [.property(57), .vector(.gradient), .vector(.g)]
    ) { recipe in
      recipe.pullback = { setting, cotangent, tape in
        setting.network.pullback(setting.lossScale * cotangent, through: tape)
      }
    },
    Mistake(
      5, form: "b", "The loss scale of mixed precision is undone once where it enters squared",
      wrong: "G' = s² G/s = s G, V right", right: "G divided by s², V by s",
      mark: "G' = s G with s a power of two, V and A right",
      changes: [.g], caughtBy: [.property(57), .vector(.g)]
    ) { recipe in
      recipe.g = { setting, samples in
        let scaled = samples.scalingGradients(setting.lossScale)
        return (1 / setting.lossScale) * KFACFactors(scaled, sharing: setting.sharing).g
      }
    },
    Mistake(
      6, "A is divided by its own size, not by the number of examples",
      wrong: "A' = (1/d_A) Σ ā āᵀ = (N/d_A) A", right: "A = (1/N) Σ ā āᵀ",
      mark: "A' = (N/d_A) A: another number in every layer",
      changes: [.a], caughtBy: [.property(37), .property(57), .vector(.a)]
    ) { recipe in
      recipe.a = { setting, samples in
        Double(samples.exampleCount) / Double(samples.inputSize)
          * KFACFactors(samples, sharing: setting.sharing).a
      }
    },
    Mistake(
      16, "Second moments are divided by N − 1, as unbiased covariances are",
      wrong: "A' = N/(N−1) A, G' = N/(N−1) G", right: "A = (1/N) Σ ā āᵀ, G = (1/N) Σ g gᵀ",
      mark: "A' and G' are both N/(N−1) times right",
      changes: [.a, .g], caughtBy: [.property(37), .property(57), .vector(.a), .vector(.g)]
    ) { recipe in
      let (a, g) = (recipe.a, recipe.g)
      recipe.a = { $1.besselCorrection * a($0, $1) }
      recipe.g = { $1.besselCorrection * g($0, $1) }
    },
  ]
}

extension LayerSamples {
  /// N/(N − 1).
  fileprivate var besselCorrection: Double { Double(exampleCount) / Double(exampleCount - 1) }
}
