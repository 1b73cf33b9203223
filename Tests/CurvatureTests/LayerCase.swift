import Curvature
import DenseAlgebra
import Networks
import TestSupport

/// One layer of a random network: what the library takes, and what the specification defines.
struct LayerCase: Sendable {
  /// Which parameter block it is.
  let index: Int
  let samples: LayerSamples
  let defined: DefinedLayer
  /// The same layer of the samples' absolute values: round-off is of its size where sums cancel.
  let magnitudes: DefinedLayer
  /// ‖(1/N) Σ |u||u|ᵀ‖₁, at least 1e-290. A sum of m terms errs by m ε; m counts where it exceeds n.
  let scale: Double

  init(_ samples: GradientSamples, block index: Int) {
    self.index = index
    self.samples = LayerSamples(samples, block: index)
    defined = DefinedLayer(samples, block: index)
    // Nothing cancels in the diagonal of F where one position makes u = g ⊗ ā.
    magnitudes =
      defined.positions == 1 ? defined : DefinedLayer(samples.magnitudes, block: index)
    let terms = samples.exampleCount * samples.columnCount * defined.positions
    scale = floored(magnitudes.fisher) * max(1, Double(terms) / Double(defined.size))
  }

  var name: String { samples.name }
  var fisher: Matrix { defined.fisher }
  var size: Int { defined.size }

  /// A size for A ⊗ G of KFAC, at least 1e-290.
  func productScale(_ sharing: WeightSharing = .expand) -> Double {
    let (a, g) = magnitudes.factors(sharing)
    return max(LAPACK.norm1(a) * LAPACK.norm1(g), 1e-290)
  }

  /// λ as a multiple of the block's size; a block that (nearly) vanishes has no size.
  func damping(_ relative: Double) -> Double { scale < 1e-100 ? relative : relative * scale }
}

extension NetworkCase {
  /// The layers of at most 80 parameters (of a convolution's two, the first always).
  var layers: [LayerCase] {
    let samples = curvature.samples
    return samples.blocks.indices
      .filter { samples.layout.blocks[$0].count <= 80 }
      .map { LayerCase(samples, block: $0) }
  }
}

extension GradientSamples {
  /// Whether a block is used at one position of each example.
  func isUnshared(_ index: Int) -> Bool {
    blocks[index].uses.count == 1 && blocks[index].uses[0].positions == 1
  }
}

extension Cases<NetworkCase> {
  /// Layers that follow one another or around which values are added: none is shared.
  var unshared: Cases {
    filter { [.perceptron, .biasFree, .residual].contains($0.architecture) }
  }
}
