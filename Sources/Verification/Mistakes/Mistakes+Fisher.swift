import Curvature
import DenseAlgebra
import Networks

// Mistakes about which Fisher matrix: the wrong vectors are pulled back.
extension Mistake {
  static let fisher: [Mistake] = [
    Mistake(
      7, form: "a", "A Monte-Carlo Fisher is summed over its M draws, not averaged",
      wrong: "G' = Σ_m G_m ≈ M G", right: "G ≈ (1/M) Σ_m G_m",
      mark: "G' = M times the estimate from the same draws; the quotient with the exact G is noisy",
      changes: [.g, .secondMoments], caughtBy: [.property(29)]
    ) { recipe in
      recipe.columns = { setting, likelihood, outputs in
        let root = Double(setting.sampleCount).squareRoot()
        return setting.monteCarlo(likelihood, outputs).map { root * $0 }
      }
    },
    Mistake(
      7, form: "b", "A Monte-Carlo Fisher is multiplied by the number of outputs",
      wrong: "G' = C · (1/M) Σ_m G_m ≈ C G", right: "G ≈ (1/M) Σ_m G_m",
      mark: "G' = C times the estimate from the same draws; the quotient with the exact G is noisy",
      changes: [.g, .secondMoments], caughtBy: [.property(29)]
    ) { recipe in
      recipe.columns = { setting, likelihood, outputs in
        let root = Double(outputs.rowCount).squareRoot()
        return setting.monteCarlo(likelihood, outputs).map { root * $0 }
      }
    },
    Mistake(
      7, form: "c", "Each of the M draws carries 1/M, not 1/√M",
      wrong: "G' = (1/M²) Σ_m G_m ≈ G/M", right: "G ≈ (1/M) Σ_m G_m",
      mark: "G' = 1/M of the estimate from the same draws; the quotient with the exact G is noisy",
      changes: [.g, .secondMoments], caughtBy: [.property(29)]
    ) { recipe in
      recipe.columns = { setting, likelihood, outputs in
        let root = Double(setting.sampleCount).squareRoot()
        return setting.monteCarlo(likelihood, outputs).map { (1 / root) * $0 }
      }
    },
    Mistake(
      8, form: "a", "The squared error without ½ is taken for the Gaussian loss of variance 1",
      wrong: "loss ‖y − z‖², V' = 2V, G' = 2G", right: "loss ½‖y − z‖², H = I",
      mark: "V' = 2V and G' = 2G in every layer and at every step",
      changes: [.gradient, .g], caughtBy: [.property(52), .vector(.gradient), .vector(.g)],
      needs: [.gaussian], home: .gaussian
    ) { recipe in
      recipe.likelihood = { $0.likelihood.dividingVariance(by: 2) }
    },
    Mistake(
      8, form: "b", "The squared error averaged over outputs is taken for the Gaussian loss",
      wrong: "loss ‖y − z‖²/C, V' = (2/C) V, G' = (2/C) G", right: "loss ½‖y − z‖², H = I",
      mark: "V' = (2/C) V and G' = (2/C) G in every layer and at every step",
      changes: [.gradient, .g], caughtBy: [.property(52), .vector(.gradient), .vector(.g)],
      needs: [.gaussian], home: .gaussian
    ) { recipe in
      recipe.likelihood = {
        $0.likelihood.dividingVariance(by: 2 / Double($0.network.outputCount))
      }
    },
    Mistake(
      8, form: "c", "A second ½ is applied to the squared error",
      wrong: "loss ¼‖y − z‖², V' = ½V, G' = ½G", right: "loss ½‖y − z‖², H = I",
      mark: "V' = ½V and G' = ½G in every layer and at every step",
      changes: [.gradient, .g], caughtBy: [.property(52), .vector(.gradient), .vector(.g)],
      needs: [.gaussian], home: .gaussian
    ) { recipe in
      recipe.likelihood = { $0.likelihood.dividingVariance(by: 0.5) }
    },
    Mistake(
      9, "The curvature is that of a Gaussian of variance ½, the loss that of variance 1",
      wrong: "H' = 2I, G' = 2G", right: "H = I/σ² with the loss's own σ²",
      mark: "G' = 2G in every layer and at every step, V right",
      changes: [.g, .secondMoments], caughtBy: [.property(52), .vector(.g)],
      needs: [.gaussian], home: .gaussian
    ) { recipe in
      recipe.columns = { _, _, outputs in
        Likelihood.gaussian(variance: 0.5).hessianRoots(outputs)
      }
    },
    Mistake(
      17, "The gradients at the training labels stand for those at the model's own",
      wrong: "G' from v = p − e_y at the targets y", right: "v over all labels, weighted by p",
      mark: "G' changes when the labels are shuffled; its rank is at most N",
      changes: [.g, .secondMoments], caughtBy: [.property(24), .property(57), .vector(.g)]
    ) { recipe in
      recipe.columns = { setting, likelihood, outputs in
        [likelihood.gradient(outputs, setting.data.targets)]
      }
    },
    Mistake(
      18, "The most probable label stands for a drawn one",
      wrong: "v' = p − e_ŷ, ŷ = argmax p", right: "ŷ drawn from p, or all labels weighted by p",
      mark: "G' is the empirical one at the labels argmax p, and does not change with the seed",
      changes: [.g, .secondMoments], caughtBy: [.property(29), .property(57), .vector(.g)],
      needs: [.categorical]
    ) { recipe in
      recipe.columns = { _, likelihood, outputs in
        [likelihood.gradient(outputs, .labels(outputs.largestRows))]
      }
    },
    Mistake(
      19, "Labels are drawn once and used again at every refresh",
      wrong: "v'^(k) = p^(k) − e_ŷ, ŷ drawn at refresh 0", right: "ŷ drawn anew at refresh k",
      mark: "the same G' when the refresh is repeated; G' is that of the labels of refresh 0",
      changes: [.g, .secondMoments], caughtBy: [.property(29)], home: .denseMoved
    ) { recipe in
      recipe.columns = { setting, likelihood, outputs in
        var generator = SplitMix64(seed: setting.seed)
        let first = setting.start.forward(setting.data.inputs).output
        return [
          likelihood.gradient(outputs, likelihood.sampledTargets(first, using: &generator))
        ]
      }
    },
    Mistake(
      20, "The Hessian of the softmax is diag(p), without −ppᵀ",
      wrong: "H' = diag(p), G' = G + E[(Jᵀp)(Jᵀp)ᵀ]", right: "H = diag(p) − ppᵀ",
      mark: "G'_L 1 = mean p in the last layer, where right code has 0",
      changes: [.g, .secondMoments], caughtBy: [.property(39), .property(57), .vector(.g)],
      needs: [.categorical]
    ) { recipe in
      recipe.columns = { _, _, outputs in
        // Column c of diag(√p).
        outputs.softmaxColumns { p, c, i in i == c ? p[c].squareRoot() : 0 }
      }
    },
    Mistake(
      21, "The columns of the softmax's square root are taken from its transpose",
      wrong: "v'_c = √p_c e_c − p_c √p", right: "v_c = √p_c (e_c − p)",
      mark: "Σ v'v'ᵀ = SᵀS, not SSᵀ: G'_L 1 is not 0",
      changes: [.g, .secondMoments],
      caughtBy: [.property(18), .property(39), .property(57), .vector(.g)],
      needs: [.categorical]
    ) { recipe in
      recipe.columns = { _, _, outputs in
        // Row c of S = diag(√p) − p√pᵀ instead of its column c.
        outputs.softmaxColumns { p, c, i in
          (i == c ? p[c].squareRoot() : 0) - p[c] * p[i].squareRoot()
        }
      }
    },
    Mistake(
      22, "The loss is differentiated by probabilities, not by logits",
      wrong: "v'_c = −√p_c e_c/p_c, H' = diag(1/p)", right: "v_c = √p_c (p − e_c)",
      mark: "G'_L is the diagonal matrix of mean 1/p",
      changes: [.g, .secondMoments], caughtBy: [.property(39), .property(57), .vector(.g)],
      needs: [.categorical]
    ) { recipe in
      recipe.columns = { _, _, outputs in
        // ∂(−log p_c)/∂p = −e_c/p_c, weighted by √p_c as a label of probability p_c is.
        outputs.softmaxColumns { p, c, i in i == c ? -p[c].squareRoot() / p[c] : 0 }
      }
    },
  ]
}

extension CurvatureSetting {
  /// The columns of a Monte-Carlo Fisher with fresh draws at this refresh, which carry 1/√M.
  func monteCarlo(_ likelihood: Likelihood, _ outputs: Matrix) -> [Matrix] {
    FisherKind.monteCarlo(samples: sampleCount, seed: seed + refresh)
      .columns(outputs, data.targets, likelihood)
  }
}

extension Likelihood {
  /// A Gaussian of smaller variance; any other likelihood as it is.
  fileprivate func dividingVariance(by factor: Double) -> Likelihood {
    if case .gaussian(let variance) = self { .gaussian(variance: variance / factor) } else { self }
  }
}

extension Matrix {
  /// The row of the largest entry of each column.
  fileprivate var largestRows: [Int] {
    (0..<columnCount).map { n in
      (0..<rowCount).reduce(0) { self[$1, n] > self[$0, n] ? $1 : $0 }
    }
  }

  /// C matrices C × N from the probabilities p of each column of logits: entry (i, n) of matrix c.
  fileprivate func softmaxColumns(
    _ entry: (_ p: [Double], _ c: Int, _ i: Int) -> Double
  ) -> [Matrix] {
    // p − e_y of label 0, with the 1 put back: the probabilities by the public road.
    var probabilities = Likelihood.categorical.gradient(
      self, .labels(Array(repeating: 0, count: columnCount)))
    for n in 0..<columnCount { probabilities[0, n] += 1 }
    return (0..<rowCount).map { c in
      Matrix(rowCount: rowCount, columnCount: columnCount) { i, n in
        entry(probabilities.column(n).elements, c, i)
      }
    }
  }
}
