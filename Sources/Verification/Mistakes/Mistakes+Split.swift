import Curvature
import DenseAlgebra

// Mistakes in cutting A and G to diagonal blocks.
extension Mistake {
  static let split: [Mistake] = [
    Mistake(
      60, form: "a", "Only A is split",
      wrong: "Ĝ' = G", right: "Ĝ = G cut to blocks of size d",
      mark: "entries of Ĝ' outside the blocks are those of G",
      changes: [.split], caughtBy: [.vector(.splitStep)], needs: [.factoredRule]
    ) { recipe in
      recipe.splitG = { _, g in g }
    },
    Mistake(
      60, form: "b", "G is split with another block size than A",
      wrong: "Ĝ' = G cut to blocks of size d + 1", right: "Ĝ = G cut to blocks of size d",
      mark: "Ĝ' has blocks of size d + 1",
      changes: [.split], caughtBy: [.vector(.splitStep)], needs: [.factoredRule]
    ) { recipe in
      recipe.splitG = { setting, g in g.pinched(blockSize: setting.split + 1) }
    },
    Mistake(
      60, form: "c", "The rows that the block size leaves over are dropped",
      wrong: "the last n mod d rows and columns are 0", right: "a last block of size n mod d",
      mark: "trailing rows of Â' and Ĝ' are 0 where d does not divide the size",
      changes: [.split], caughtBy: [.property(10), .vector(.splitStep)], needs: [.factoredRule]
    ) { recipe in
      recipe.splitA = { setting, a in
        a.pinched(blockSize: setting.split).droppingRest(setting.split)
      }
      recipe.splitG = { setting, g in
        g.pinched(blockSize: setting.split).droppingRest(setting.split)
      }
    },
    Mistake(
      61, "The inverse is split, not the factor",
      wrong: "P((A + δI)⁻¹)", right: "(P(A) + δI)⁻¹",
      mark: "the wrong inverse ⪰ the right one, equal only for block-diagonal factors",
      changes: [.splitInverse], caughtBy: [.vector(.splitStep)], needs: [.factoredRule]
    ) { recipe in
      recipe.splitInverse = { recipe, setting, factor, _, shift in
        try recipe.inverse(factor.addingToDiagonal(shift)).pinched(blockSize: setting.split)
      }
    },
  ]
}

extension Matrix {
  /// The matrix with the rows and columns after the last whole block set to zero.
  fileprivate func droppingRest(_ blockSize: Int) -> Matrix {
    let kept = rowCount - rowCount % blockSize
    return Matrix(rowCount: rowCount, columnCount: columnCount) {
      $0 < kept && $1 < kept ? self[$0, $1] : 0
    }
  }
}
