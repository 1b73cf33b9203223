/// The structures that a Fisher information matrix can be approximated by.
public enum StructureKind: String, CaseIterable, Codable, Sendable {
  case exact
  case blockDiagonal = "block-diagonal"
  case blockTridiagonal = "block-tridiagonal"
  case diagonal
  case unitWise = "unit-wise"
  case kfac
  case ekfac
  case kfacSplit = "kfac-split"
  case nearestKronecker = "nearest-kronecker"
  case tkfac
  case klKronecker = "kl-kronecker"

  /// The damping rules defined for the structure: the one table of what may be combined.
  public var rules: [DampingRule] {
    switch self {
    case .exact, .blockDiagonal, .diagonal, .unitWise, .ekfac: [.none, .exact]
    case .kfac, .kfacSplit, .nearestKronecker, .tkfac: DampingRule.allCases
    case .blockTridiagonal: [.sqrt, .factor, .pi]
    case .klKronecker: [.exact]
    }
  }

  /// One sentence for `natgrad list`.
  public var explanation: String {
    switch self {
    case .exact: "the Fisher information matrix itself, dense or through its Gram matrix (3.1, 3.2)"
    case .blockDiagonal: "the exact block of each layer, zero between layers (3.1)"
    case .blockTridiagonal:
      "KFAC whose inverse is block-tridiagonal; damping in the diagonal blocks' factors (4.4)"
    case .diagonal: "the diagonal of the exact Fisher (8.1)"
    case .unitWise: "one exact block for each output unit of a layer (8.2)"
    case .kfac:
      "A ⊗ G, input and gradient second moments; expand or reduce where weights are shared (4)"
    case .ekfac: "exact second moments in the eigenbasis of A ⊗ G (5)"
    case .kfacSplit:
      "A ⊗ G with both factors cut to diagonal blocks, Eq. 10 of the THOR paper (7.4)"
    case .nearestKronecker:
      "the Kronecker product nearest to the exact block in Frobenius norm (8.3)"
    case .tkfac: "the Kronecker product with the exact trace and partial traces (8.4)"
    case .klKronecker: "the Kronecker product nearest to the block + λ I in Stein divergence (8.5)"
    }
  }
}
