import Curvature
import DenseAlgebra
import Networks

/// What all quantities of one network and batch are computed from.
struct QuantityState {
  let options: QuantityOptions
  let samples: GradientSamples
  let empirical: GradientSamples
  let layers: [LayerSamples]
  let empiricalLayers: [LayerSamples]
  /// The layers' numbers, counted from 1.
  let numbers: [Int]
  /// ∇h of the compared layers.
  let gradient: ParameterVector
  /// The dense Fisher matrices of the compared layers, where dense matrices are wanted.
  let fisher: Matrix?
  let empiricalFisher: Matrix?

  init(
    _ network: Network, _ data: Dataset, likelihood: Likelihood, gradient: ParameterVector,
    options: QuantityOptions
  ) throws(CurvatureError) {
    let options = options.withoutRepetitions
    let blocks = options.blocks ?? Array(network.parameters.indices)
    if options.includesDense {
      try QuantityState.requireMemory(
        blocks.map { network.layout.blocks[$0].count }, options: options)
    }
    let samples = GradientSamples(
      network, data, likelihood: likelihood, kind: options.fisher, blocks: blocks)
    let empirical =
      options.fisher == .empirical
      ? samples
      : GradientSamples(network, data, likelihood: likelihood, kind: .empirical, blocks: blocks)
    self.options = options
    self.samples = samples
    self.empirical = empirical
    layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    empiricalLayers = empirical.blocks.indices.map { LayerSamples(empirical, block: $0) }
    numbers = blocks.map { $0 + 1 }
    self.gradient = ParameterVector(blocks: blocks.map { gradient.blocks[$0] })
    guard options.includesDense else {
      fisher = nil
      empiricalFisher = nil
      return
    }
    fisher = try ExactFisher(samples, limit: options.limit).dense(within: options.limit)
    empiricalFisher = try ExactFisher(empirical, limit: options.limit).dense(within: options.limit)
  }

  /// Asks the limit for all matrices over parameters at once, before anything is computed.
  ///
  /// That is fisher and fisher.empirical, each held twice, and per layer two blocks and one matrix for
  /// every approximation that is written densely.
  private static func requireMemory(
    _ sizes: [Int], options: QuantityOptions
  ) throws(CurvatureError) {
    let dense: [StructureKind] = [.kfac, .ekfac, .kfacSplit, .nearestKronecker, .tkfac]
    let perLayer = 2 + options.structures.count { dense.contains($0) }
    let size = sizes.reduce(0, +)
    let needed = sizes.reduce(MemoryLimit.bytes(rows: size, columns: size, count: 4)) {
      let (sum, overflow) = $0.addingReportingOverflow(
        MemoryLimit.bytes(rows: $1, columns: $1, count: perLayer))
      return overflow ? Int.max : sum
    }
    guard needed <= options.limit.bytes else {
      throw CurvatureError.exceedsMemory(
        what: "The matrices over \(size) parameters together", bytes: needed,
        limit: options.limit.bytes, advice: "choose fewer or smaller layers (--layers)")
    }
  }

  var layout: ParameterLayout { samples.layout }

  /// The layout of one layer alone.
  func layout(ofLayer index: Int) -> ParameterLayout { layers[index].layout }

  /// The diagonal block of a matrix over all compared layers that belongs to one of them.
  func block(_ matrix: Matrix, _ index: Int) -> Matrix {
    let offset = layout.offsets[index]
    let range = offset..<offset + layout.blocks[index].count
    return matrix.block(rows: range, columns: range)
  }

  /// The structure of a kind over the compared layers; the dense Fisher is not formed twice.
  func structure(_ kind: StructureKind) throws(CurvatureError) -> any Structure {
    switch kind {
    case .exact:
      if let fisher { return DenseStructure(kind: .exact, layout: layout, matrix: fisher) }
    case .blockDiagonal:
      if let fisher {
        return LayerwiseStructure(
          layers.indices.map {
            DenseStructure(kind: kind, layout: layout(ofLayer: $0), matrix: block(fisher, $0))
          })
      }
    default: break
    }
    return try kind.build(
      samples, StructureOptions(split: options.split, limit: options.limit))
  }
}
