import Networks

/// The choices a structure may need beside the samples.
public struct StructureOptions: Equatable, Sendable {
  /// The block size of `kfac-split`, at least 1.
  public var split: Int
  /// How KFAC-like structures treat shared weights.
  public var sharing: WeightSharing
  /// The largest matrix that may be formed.
  public var limit: MemoryLimit

  public init(split: Int = 10, sharing: WeightSharing = .expand, limit: MemoryLimit = .standard) {
    precondition(split > 0, "the split size must be at least 1, got \(split)")
    self.split = split
    self.sharing = sharing
    self.limit = limit
  }
}

extension StructureKind {
  /// Builds the structure of all blocks of the samples.
  ///
  /// Throws `exceedsMemory` where the structure itself is over the limit, `iterationLimit` where its
  /// fit does not converge, and `needsPlainChain` for `block-tridiagonal` on shared weights.
  public func build(_ samples: GradientSamples, _ options: StructureOptions = StructureOptions())
    throws(CurvatureError) -> any Structure
  {
    let layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    switch self {
    case .exact: return ExactFisher(samples, limit: options.limit)
    case .blockDiagonal:
      return LayerwiseStructure(ExactFisher.blocks(of: samples, limit: options.limit))
    case .blockTridiagonal: return try BlockTridiagonalKFAC(samples)
    case .diagonal: return LayerwiseStructure(layers.map { DiagonalBlock($0) })
    case .unitWise:
      return LayerwiseStructure(
        try each(layers) { layer throws(CurvatureError) in
          try UnitWiseBlock(layer, limit: options.limit)
        })
    case .kfac:
      return LayerwiseStructure(layers.map { KroneckerBlock.kfac($0, sharing: options.sharing) })
    case .ekfac:
      return LayerwiseStructure(
        try each(layers) { layer throws(CurvatureError) in
          try EigenbasisBlock.ekfac(layer, sharing: options.sharing)
        })
    case .kfacSplit:
      return LayerwiseStructure(
        layers.map {
          KroneckerBlock.kfacSplit($0, split: options.split, sharing: options.sharing)
        })
    case .nearestKronecker:
      return LayerwiseStructure(
        try each(layers) { layer throws(CurvatureError) in
          try KroneckerBlock.nearestKronecker(layer)
        })
    case .tkfac: return LayerwiseStructure(layers.map { KroneckerBlock.tkfac($0) })
    case .klKronecker: return LayerwiseStructure(layers.map { KLKroneckerBlock($0) })
    }
  }

  private func each<Block>(
    _ layers: [LayerSamples], _ make: (LayerSamples) throws(CurvatureError) -> Block
  ) throws(CurvatureError) -> [Block] {
    var blocks: [Block] = []
    for layer in layers { blocks.append(try make(layer)) }
    return blocks
  }
}
