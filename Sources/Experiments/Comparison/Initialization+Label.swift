import Networks

extension Initialization {
  /// The name in tables and on the command line: he, glorot or normal:σ.
  public var label: String {
    switch self {
    case .he: "he"
    case .glorot: "glorot"
    case .normal(let standardDeviation): "normal:\(standardDeviation)"
    }
  }
}
