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
    let blocks = options.blocks ?? Array(network.parameters.indices)
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
