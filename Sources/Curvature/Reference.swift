/// What an approximation is compared with.
public enum Reference: String, CaseIterable, Codable, Sendable {
  /// The exact Fisher of the batch, all layers coupled.
  case full
  /// Its diagonal blocks, layer by layer.
  case blocks
  /// KFAC's A ⊗ G, layer by layer: what Figure 4 of the THOR paper compares its split with.
  case kfac
  /// The exact Fisher of the whole data set: sampling error stands beside structural error.
  case fullData = "full-data"

  /// One sentence for `natgrad list`.
  public var explanation: String {
    switch self {
    case .full: "the exact Fisher of the batch, all compared layers coupled"
    case .blocks: "the exact layer blocks of the batch"
    case .kfac: "KFAC's A ⊗ G of the batch, layer by layer (Figure 4 of the THOR paper)"
    case .fullData: "the exact Fisher of the whole data set, so that sampling error is seen too"
    }
  }
}
