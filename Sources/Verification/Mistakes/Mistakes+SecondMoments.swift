import Curvature
import DenseAlgebra

// Mistakes in second moments entry by entry: the diagonal of the Fisher matrix, EKFAC's scales.
extension Mistake {
  static let secondMoments: [Mistake] = [
    Mistake(
      44, form: "b",
      "EKFAC's scales are taken with the eigenvectors as rows, the step with columns",
      wrong: "S' = diag(Q F Qᵀ)", right: "S = diag(Qᵀ F Q)",
      mark: "Σ S' = tr F is right, S' is that of the transposed basis",
      changes: [.secondMoments], caughtBy: [.vector(.secondMoments)]
    ) { recipe in
      recipe.secondMoments = { samples, _, qA, qG in
        samples.secondMoments(inputBasis: qA.transposed, outputBasis: qG.transposed)
      }
    },
    Mistake(
      44, form: "c", "Into and out of the eigenbasis the same rotation is used",
      wrong: "U' = Q_G [(Q_G V Q_A) ⊘ s] Q_A", right: "U = Q_G [(Q_Gᵀ V Q_A) ⊘ s] Q_Aᵀ",
      mark: "A, G and S right; Q_Gᵀ U' Q_Aᵀ ∘ (S + λ) = Q_G V Q_A",
      changes: [.ekfacStep], caughtBy: [.vector(.ekfacStep)]
    ) { recipe in
      recipe.basisSolve = { v, qA, qG, eigenvalues in
        qG * (qG * v * qA).hadamard(eigenvalues.map { 1 / $0 }) * qA
      }
    },
    Mistake(
      49, form: "a", "The diagonal is the square of the batch gradient",
      wrong: "D' = V ∘ V", right: "D = mean of squares of single gradients",
      mark: "D' = V ∘ V; with labels of the model its mean is D/N",
      changes: [.diagonal], caughtBy: [.property(81)]
    ) { recipe in
      recipe.diagonal = { _, v in v.hadamard(v) }
    },
    Mistake(
      49, form: "b",
      "The diagonal is the square of the batch gradient over N, where times N is meant",
      wrong: "D' = V ∘ V/N", right: "D = mean of squares of single gradients",
      mark: "D' = V ∘ V/N; with labels of the model its mean is D/N²",
      changes: [.diagonal], caughtBy: [.property(81)]
    ) { recipe in
      recipe.diagonal = { samples, v in (1 / Double(samples.exampleCount)) * v.hadamard(v) }
    },
    Mistake(
      50, "EKFAC's scales are squares of the batch gradient",
      wrong: "S' = (Q_Gᵀ V Q_A) ∘ (Q_Gᵀ V Q_A)", right: "S = diag(Qᵀ F Q)",
      mark: "Σ S' = ‖V‖², about tr F/N with labels of the model",
      changes: [.secondMoments], caughtBy: [.property(85), .vector(.secondMoments)]
    ) { recipe in
      recipe.secondMoments = { _, v, qA, qG in
        guard v.rowCount == qG.rowCount, v.columnCount == qA.rowCount else { return nil }
        let rotated = qG.transposedTimes(v) * qA
        return rotated.hadamard(rotated)
      }
    },
    Mistake(
      51, "EKFAC squares before it sums over positions",
      wrong: "S' = mean Σ_t [(Q_Gᵀ g_t)(Q_Aᵀ ā_t)ᵀ]²", right: "the square of the sum over t",
      mark: "Σ S' is the trace of a Fisher matrix of single positions; right for T = 1",
      changes: [.secondMoments], caughtBy: [.property(85), .vector(.secondMoments)],
      needs: [.positions], home: .sequence
    ) { recipe in
      recipe.secondMoments = { samples, _, qA, qG in
        // Every position as an example of its own; their mean times T is the sum over t.
        let apart = samples.replacing(
          exampleCount: samples.exampleCount * samples.positions, positions: 1)
        return Double(samples.positions) * apart.secondMoments(inputBasis: qA, outputBasis: qG)
      }
    },
  ]
}
