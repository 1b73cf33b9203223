import Curvature
import DenseAlgebra
import Networks

// Mistakes of averaging: over refreshes, over workers, over the batch before the outer product.
extension Mistake {
  static let averages: [Mistake] = [
    Mistake(
      38, "The average over refreshes starts at the identity and is not corrected",
      wrong: "A' = ρᵏ I + (1 − ρᵏ) A", right: "the first batch is taken whole",
      mark: "A' = xA + yI with x + y = 1, and the same x and y for G'",
      changes: [.a, .g], caughtBy: [.property(77)], needs: [.averaging], home: .denseAveraged
    ) { recipe in
      recipe.average = { setting, factor in
        setting.average(of: factor, startingAt: .identity(factor.rowCount))
      }
    },
    Mistake(
      39, "The average over refreshes starts at zero and is not corrected",
      wrong: "A' = (1 − ρᵏ) A", right: "the first batch is taken whole",
      mark: "A' = cA and G' = cG with c < 1 that tends to 1 with the refreshes",
      changes: [.a, .g], caughtBy: [.property(77)], needs: [.averaging], home: .denseAveraged
    ) { recipe in
      recipe.average = { setting, factor in
        setting.average(
          of: factor, startingAt: Matrix(rowCount: factor.rowCount, columnCount: factor.columnCount)
        )
      }
    },
    Mistake(
      47, "The inverses of the workers are averaged, not their factors",
      wrong: "A'⁻¹ = Σ_w (N_w/N) (A_w + δI)⁻¹", right: "(Σ_w (N_w/N) A_w + δI)⁻¹",
      mark: "A'⁻¹ ⪰ (A + δI)⁻¹; equal for one worker",
      changes: [.inverse],
      caughtBy: [.property(6), .property(59), .vector(.inverse), .vector(.step)],
      needs: [.factoredRule]
    ) { recipe in
      recipe.inverses = { recipe, setting, samples, factors, shifts in
        var a = Matrix(rowCount: factors.a.rowCount, columnCount: factors.a.rowCount)
        var g = Matrix(rowCount: factors.g.rowCount, columnCount: factors.g.rowCount)
        for worker in samples.shared(by: setting.workerCount) {
          let weight = Double(worker.exampleCount) / Double(samples.exampleCount)
          a.add(
            weight, times: try recipe.inverse(recipe.a(setting, worker).addingToDiagonal(shifts.a)))
          g.add(
            weight, times: try recipe.inverse(recipe.g(setting, worker).addingToDiagonal(shifts.g)))
        }
        return (a, g)
      }
    },
    Mistake(
      48, "Statistics are outer products of batch means",
      wrong: "A' = μμᵀ with μ = mean ā, G' = Σ_c ḡ_c ḡ_cᵀ with ḡ_c = mean g_c",
      right: "A = mean ā āᵀ, G = Σ_c mean g_c g_cᵀ",
      mark: "A' has rank one, G' rank at most K; A − A' and G − G' are covariances, ⪰ 0",
      changes: [.a, .g], caughtBy: [.property(57), .vector(.a), .vector(.g)]
    ) { recipe in
      recipe.records = { _, _, layers in
        layers.map { layer in
          layer.replacing(
            inputs: layer.inputs.meanOverExamples(positions: layer.positions),
            gradients: layer.gradients.map { $0.meanOverExamples(positions: layer.positions) },
            exampleCount: 1)
        }
      }
    },
  ]
}

extension CurvatureSetting {
  /// k times x ← ρ x + (1 − ρ) factor.
  fileprivate func average(of factor: Matrix, startingAt start: Matrix) -> Matrix {
    (0..<averagedRefreshes).reduce(start) { old, _ in decay * old + (1 - decay) * factor }
  }
}

extension LayerSamples {
  /// Consecutive parts of the batch, as even as possible.
  fileprivate func shared(by workers: Int) -> [LayerSamples] {
    (0..<workers).map {
      examples($0 * exampleCount / workers..<($0 + 1) * exampleCount / workers)
    }
  }
}

extension Matrix {
  /// d × (N·T) to d × T: the mean over the examples at each position.
  fileprivate func meanOverExamples(positions: Int) -> Matrix {
    var mean = Matrix(rowCount: rowCount, columnCount: positions)
    let examples = columnCount / positions
    for column in 0..<columnCount {
      for i in 0..<rowCount { mean[i, column % positions] += self[i, column] / Double(examples) }
    }
    return mean
  }
}
