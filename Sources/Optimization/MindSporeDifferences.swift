/// Where MindSpore's `nn.thor`, as read in its source, computes other than its API page or the paper.
///
/// Each difference is one switch. Read, not run: `nn/optim/thor.py` (commit 005dc05c) and
/// `nn/layer/thor_layer.py` (01fc6efc). Not modelled: half precision with its max-abs scaling, and the
/// embedding, LayerNorm and BatchNorm rows of the specification's table, which no `Network` here has.
/// Reference: the specification, sections 1.6, 7.8 and 7.11.
public struct MindSporeDifferences: Equatable, Sendable {
  /// What is added to both factors.
  public enum DampingFormula: String, CaseIterable, Sendable {
    /// A + √λ I and G + √λ I: the source.
    case sqrt
    /// A + λ I and G + λ I: the formula on the API page.
    case factor

    func amount(_ λ: Double) -> Double {
      switch self {
      case .sqrt: λ.squareRoot()
      case .factor: λ
      }
    }
  }

  /// What X Xᵀ of a dense layer is divided by.
  public enum InputNormalizer: String, CaseIterable, Sendable {
    /// The rows of the input: N, or N·T for a layer at T positions. Ascend.
    case rows
    /// The first dimension of X Xᵀ itself, d_A. GPU.
    case inputs
  }

  /// The statistics of a convolution at T positions; ẏ is the gradient of the scaled mean loss.
  public enum Convolution: String, CaseIterable, Sendable {
    /// A and G are sums over the N·T patches over N·T; with ρ = batch_size/(N·T) the inverses are of
    /// A + √(λρ) I and G + √(λρ) I, and the result is multiplied by ρ. Ascend.
    case patches
    /// Patches and ẏ are averaged over the batch first, then A and G are sums over the T positions over
    /// T; ρ = 1/T. GPU.
    case batchMeans
  }

  /// How the blocks of an inverse travel.
  public enum InverseLayout: String, CaseIterable, Sendable {
    /// One d × d matrix with zeros between the blocks. Ascend.
    case combined
    /// The blocks, padded to the split size, those of A once for every block of G. GPU.
    case blocks
  }

  /// Whether A has the homogeneous coordinate; without it the bias moves along its raw gradient.
  public var biasInA = false
  public var damping = DampingFormula.sqrt
  public var inputNormalizer = InputNormalizer.rows
  /// Whether G⁻¹ of a dense layer with two outputs is the identity.
  public var hasIdentityForTwoOutputs = false
  public var convolution = Convolution.patches
  /// Whether `use_nesterov` is without effect.
  public var ignoresNesterov = false
  /// What workers average.
  public var averaging = WorkerAveraging.inverses
  public var inverseLayout = InverseLayout.combined

  public init() {}

  /// The class for Ascend.
  public static let ascend: MindSporeDifferences = {
    var result = MindSporeDifferences()
    result.hasIdentityForTwoOutputs = true
    result.ignoresNesterov = true
    return result
  }()

  /// The class for GPU.
  public static let gpu: MindSporeDifferences = {
    var result = MindSporeDifferences()
    result.inputNormalizer = .inputs
    result.convolution = .batchMeans
    result.inverseLayout = .blocks
    return result
  }()

  /// What the API page's words alone say: λ on both factors, E[a aᵀ], and A and G in the all-reduce.
  public static let page: MindSporeDifferences = {
    var result = MindSporeDifferences()
    result.damping = .factor
    result.averaging = .factors
    return result
  }()
}
