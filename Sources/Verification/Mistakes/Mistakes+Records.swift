import Curvature
import DenseAlgebra
import Networks

// Mistakes about what the layers record: the wrong inputs or the wrong gradients reach A, G or V.
extension Mistake {
  static let records: [Mistake] = [
    Mistake(
      15, "A is a covariance about the mean, not a second moment",
      wrong: "A' = A − μμᵀ, μ = mean ā", right: "A = (1/N) Σ ā āᵀ",
      mark: "the last row and column of A' are 0; A − A' has rank one",
      changes: [.a], caughtBy: [.property(57), .vector(.a)]
    ) { recipe in
      recipe.a = { setting, samples in
        KFACFactors(samples.replacing(inputs: samples.inputs.centredRows), sharing: setting.sharing)
          .a
      }
    },
    Mistake(
      23, "The gradient is recorded after the nonlinearity",
      wrong: "g' = ∂ℓ/∂a_ℓ", right: "g = ∂ℓ/∂s_ℓ = φ'(s_ℓ) ∘ g'",
      mark: "φ'(s) ∘ g' gives the right G; the last layer, which has no nonlinearity, is right",
      changes: [.g, .secondMoments], caughtBy: [.property(57), .vector(.g)], needs: [.plainChain]
    ) { recipe in
      recipe.records = { setting, _, layers in
        layers.indices.map { index in
          guard index + 1 < layers.count else { return layers[index] }
          let next = setting.network.parameters[index + 1]
          let weights = next.weights.block(
            rows: 0..<next.outputCount, columns: 0..<next.inputCount)
          return layers[index].replacing(
            gradients: layers[index + 1].gradients.map { weights.transposedTimes($0) })
        }
      }
    },
    Mistake(
      24, "The layer's own output is recorded as its input",
      wrong: "A'_{ℓ−1} = A_ℓ", right: "A_{ℓ−1} from the activations that enter layer ℓ",
      mark: "A' is the right A of the next layer",
      changes: [.a], caughtBy: [.vector(.a)], needs: [.plainChain], home: .square
    ) { recipe in
      recipe.records = { setting, tape, layers in
        layers.indices.map { index in
          index + 1 < layers.count
            ? layers[index].replacing(inputs: layers[index + 1].inputs)
            : layers[index].replacing(
              inputs: layers[index].hasBias ? tape.output.appendingOnes : tape.output)
        }
      }
    },
    Mistake(
      25, form: "a", "The recorded input is overwritten by a nonlinearity that works in place",
      wrong: "A' from φ(a), φ the nonlinearity after the layer",
      right: "A from a as the layer read it",
      mark: "A' is the second moment of φ(a); V, computed before, is right",
      changes: [.a], caughtBy: [.vector(.a)]
    ) { recipe in
      recipe.records = { setting, _, layers in
        layers.map { layer in
          layer.replacing(
            inputs: layer.mappingUnits { _, _, a in setting.firstActivation.value(a) })
        }
      }
    },
    Mistake(
      25, form: "b", "The statistics see inputs under dropout, the gradient does not",
      wrong: "A' from a ∘ mask/½", right: "A and V from the same forward pass",
      mark:
        "A' is the second moment of the masked inputs; its mean over masks has a larger diagonal",
      changes: [.a], caughtBy: [.vector(.a)]
    ) { recipe in
      recipe.records = { setting, _, layers in
        var generator = SplitMix64(seed: setting.seed + setting.refresh)
        return layers.map { layer in
          layer.replacing(
            inputs: layer.mappingUnits { _, _, a in generator.uniform() < 0.5 ? 2 * a : 0 })
        }
      }
    },
    Mistake(
      26, "The gradient is that of the log-likelihood, not of the loss",
      wrong: "V' = −V", right: "V = ∇h",
      mark: "⟨V', V⟩ < 0: V' = −V and U' = −U, A and G right",
      changes: [.gradient], caughtBy: [.property(17), .vector(.gradient)]
    ) { recipe in
      let right = recipe.gradient
      recipe.gradient = { -right($0, $1) }
    },
  ]
}

extension LayerSamples {
  fileprivate var hasBias: Bool { layout.blocks[0].hasBias }

  /// X with every entry replaced, but for the homogeneous coordinate; column by column.
  fileprivate func mappingUnits(_ transform: (Int, Int, Double) -> Double) -> Matrix {
    var result = inputs
    for n in 0..<inputs.columnCount {
      for i in 0..<inputSize - (hasBias ? 1 : 0) { result[i, n] = transform(i, n, inputs[i, n]) }
    }
    return result
  }
}

extension CurvatureSetting {
  /// The network's first activation; the identity where it has none.
  var firstActivation: Activation {
    for node in network.nodes {
      if case .activation(let activation) = node.operation { return activation }
    }
    return .identity
  }
}

extension Matrix {
  /// The matrix with the mean of each row subtracted.
  fileprivate var centredRows: Matrix {
    let means = (0..<rowCount).map { i in
      (0..<columnCount).reduce(0) { $0 + self[i, $1] } / Double(columnCount)
    }
    return Matrix(rowCount: rowCount, columnCount: columnCount) { self[$0, $1] - means[$0] }
  }

  /// The matrix with a last row of ones.
  fileprivate var appendingOnes: Matrix {
    Matrix(rowCount: rowCount + 1, columnCount: columnCount) { $0 < rowCount ? self[$0, $1] : 1 }
  }
}
