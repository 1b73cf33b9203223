import Curvature
import DenseAlgebra
import Networks

// Mistakes of order and shape: numbers in the wrong place, the bias in another place or missing.
extension Mistake {
  static let order: [Mistake] = [
    Mistake(
      10, "A ⊗ G is used on the rows of V stacked, where G ⊗ A belongs",
      wrong: "rvec U' = (A_δ ⊗ G_δ)⁻¹ rvec V", right: "cvec U = (A_δ ⊗ G_δ)⁻¹ cvec V",
      mark: "in square layers A_δ U' G_δ = V: the roles of A and G are exchanged",
      changes: [.step], caughtBy: [.property(59), .vector(.step)], needs: [.factoredRule],
      home: .square
    ) { recipe in
      recipe.step = { v, factors in
        guard v.storage.count == factors.a.rowCount * factors.g.rowCount else { return nil }
        let rows = Vector(v.transposed.storage)
        let u = Matrix.kronecker(factors.inverseA, factors.inverseG) * rows
        return Matrix(rowCount: v.columnCount, columnCount: v.rowCount, storage: u.elements)
          .transposed
      }
    },
    Mistake(
      11, form: "a", "The gradient is stored by rows and read by columns, in its own shape",
      wrong: "cvec V' = rvec V, d_G × d_A", right: "V",
      mark: "V' has the entries of V in the order of Vᵀ; A and G are right, being symmetric",
      changes: [.gradient], caughtBy: [.vector(.gradient)]
    ) { recipe in
      let right = recipe.gradient
      recipe.gradient = { setting, samples in
        let v = right(setting, samples)
        return Matrix(
          rowCount: v.rowCount, columnCount: v.columnCount, storage: v.transposed.storage)
      }
    },
    Mistake(
      11, form: "b",
      "The gradient is stored by rows and read by columns, with the shape turned too",
      wrong: "V' = Vᵀ, d_A × d_G; U' = Uᵀ", right: "V, d_G × d_A",
      mark: "V' = Vᵀ: the shape is turned",
      changes: [.gradient], caughtBy: [.vector(.gradient)]
    ) { recipe in
      let (gradient, step) = (recipe.gradient, recipe.step)
      recipe.gradient = { gradient($0, $1).transposed }
      recipe.step = { v, factors in step(v.transposed, factors)?.transposed }
    },
    Mistake(
      12, "The layer input has no homogeneous coordinate; the bias keeps its raw gradient",
      wrong: "A' = A without its last row and column, U' = [G_δ⁻¹ V_W A'_δ⁻¹, V_b]",
      right: "ā = [a; 1]",
      mark: "A' is one smaller than d_A; the last column of U' is that of V",
      changes: [.a], caughtBy: [.property(57), .vector(.a)], needs: [.bias]
    ) { recipe in
      recipe.records = { _, _, layers in
        layers.map { $0.replacing(inputs: $0.inputsWithoutBias) }
      }
      recipe.step = { v, factors in
        let weights = v.block(rows: 0..<v.rowCount, columns: 0..<v.columnCount - 1)
        guard weights.columnCount == factors.a.rowCount else { return nil }
        var u = v
        u.setBlock(row: 0, column: 0, to: factors.inverseG * weights * factors.inverseA)
        return u
      }
    },
    Mistake(
      13, "The homogeneous coordinate of A comes first, that of the gradient last",
      wrong: "ā' = [1; a], A' = Π A Πᵀ", right: "ā = [a; 1]",
      mark: "A'₀₀ = 1, the first row of A' is [1, mean a]",
      changes: [.a], caughtBy: [.property(57), .vector(.a)], needs: [.bias]
    ) { recipe in
      recipe.records = { _, _, layers in
        layers.map { $0.replacing(inputs: $0.inputsWithBiasFirst) }
      }
    },
    Mistake(
      14, "Weights and bias are treated apart",
      wrong: "A' = diag(A_W, 1)", right: "A = [A_W, mean a; mean aᵀ, 1]",
      mark: "A' is A with its last row and column zero but for the 1; a choice that has to be said",
      changes: [.a], caughtBy: [.property(80), .vector(.a)], needs: [.bias]
    ) { recipe in
      let right = recipe.a
      recipe.a = { setting, samples in
        let a = right(setting, samples)
        let last = a.rowCount - 1
        return Matrix(rowCount: a.rowCount, columnCount: a.columnCount) { i, j in
          (i == last) == (j == last) ? a[i, j] : 0
        }
      }
    },
  ]
}

extension LayerSamples {
  /// X without its last row.
  fileprivate var inputsWithoutBias: Matrix {
    inputs.block(rows: 0..<inputSize - 1, columns: 0..<inputs.columnCount)
  }

  /// X with its last row first.
  fileprivate var inputsWithBiasFirst: Matrix {
    Matrix(rowCount: inputSize, columnCount: inputs.columnCount) { i, n in
      inputs[i == 0 ? inputSize - 1 : i - 1, n]
    }
  }
}
