import Curvature
import DenseAlgebra
import Networks

/// One state of a network on one batch, with every structure and reference of it built once.
public struct CurvatureAnalysis: Sendable {
  public let network: Network
  public let batch: Dataset
  public let likelihood: Likelihood
  public let options: ComparisonOptions
  public let samples: GradientSamples
  /// The network's outputs on the batch, C × N.
  public let outputs: Matrix
  /// The mean loss and gradient of the batch over all layers.
  public let loss: LossGradient
  /// ∇h of the compared layers.
  public let gradient: ParameterVector
  /// The samples of each compared layer.
  public let layers: [LayerSamples]
  /// The exact Fisher of the compared layers: dense, or matrix-free without `options.dense`.
  public let exact: any MatrixStructure
  /// Its layer blocks.
  public let blocks: any MatrixStructure & Layerwise
  /// KFAC, which is also a reference.
  public let kfac: LayerwiseStructure<KroneckerBlock>
  /// The exact Fisher of the whole data set at this network.
  public let fullData: (any MatrixStructure)?
  /// The compared structures, in the order of `kinds`.
  public let structures: [any Structure]

  /// Draws the samples, builds the references and each structure of `kinds` once.
  ///
  /// Without `coupled` the dense Fisher of all layers is not formed, only its blocks. The reference
  /// `full-data` is left out where no `fullData` is given, and without dense matrices.
  public init(
    _ network: Network, batch: Dataset, likelihood: Likelihood, options: ComparisonOptions,
    kinds: [StructureKind], coupled: Bool = true, fullData: Dataset?
  ) throws(CurvatureError) {
    self.network = network
    self.batch = batch
    self.likelihood = likelihood
    self.options = options
    try options.requireMemoryOfFactors(network)
    let samples = GradientSamples(
      network, batch, likelihood: likelihood, kind: options.fisher, blocks: options.blocks)
    self.samples = samples
    self.outputs = network.forward(batch.inputs).output
    self.loss = LossGradient(network, batch, likelihood)
    let gradient = loss.gradient
    self.gradient = ParameterVector(blocks: options.blocks.map { gradient.blocks[$0] })
    self.layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    self.kfac = LayerwiseStructure(
      layers.map { KroneckerBlock.kfac($0, sharing: options.sharing) })
    let matrixFree = ExactFisher(samples, limit: options.limit)
    if options.dense && coupled {
      let layout = samples.layout
      let fisher = try matrixFree.dense(within: options.limit)
      self.exact = DenseStructure(kind: .exact, layout: layout, matrix: fisher)
      self.blocks = LayerwiseStructure(
        zip(layout.blocks, layout.offsets).map { block, offset in
          let range = offset..<offset + block.count
          return DenseStructure(
            kind: .blockDiagonal, layout: ParameterLayout(blocks: [block]),
            matrix: fisher.block(rows: range, columns: range))
        })
    } else {
      self.exact = matrixFree
      self.blocks = LayerwiseStructure(ExactFisher.blocks(of: samples, limit: options.limit))
    }
    if options.dense, let fullData {
      let all = GradientSamples(
        network, fullData, likelihood: likelihood, kind: options.fisher, blocks: options.blocks)
      self.fullData = DenseStructure(
        kind: .exact, layout: samples.layout,
        matrix: try ExactFisher(all, limit: options.limit).dense(within: options.limit))
    } else {
      self.fullData = nil
    }
    var structures: [any Structure] = []
    for kind in kinds {
      switch kind {
      case .exact: structures.append(exact)
      case .blockDiagonal: structures.append(blocks)
      case .kfac: structures.append(kfac)
      default: structures.append(try kind.build(samples, options.structureOptions))
      }
    }
    self.structures = structures
  }

  /// The references that exist for this analysis.
  var references: [(reference: Reference, structure: any MatrixStructure)] {
    var list: [(Reference, any MatrixStructure)] = [
      (.full, exact), (.blocks, blocks), (.kfac, kfac),
    ]
    if let fullData { list.append((.fullData, fullData)) }
    return list
  }

  /// The context of a row before place, rule and λ are known.
  func context(_ kind: StructureKind, fisher: String? = nil) -> MeasurementContext {
    MeasurementContext(
      place: .network, parameters: samples.layout.count,
      fisher: fisher ?? options.fisher.label, structure: kind,
      split: kind == .kfacSplit ? options.split : nil)
  }

  /// The context narrowed to compared layer `index`.
  func narrowed(_ context: MeasurementContext, toLayer index: Int) -> MeasurementContext {
    var narrow = context
    narrow.place = .layer(options.blocks[index] + 1)
    narrow.parameters = samples.layout.blocks[index].count
    return narrow
  }
}

extension FisherKind {
  /// The name in tables and on the command line.
  public var label: String {
    switch self {
    case .exact: "exact"
    case .monteCarlo(let samples, _): "monte-carlo(\(samples))"
    case .empirical: "empirical"
    }
  }
}
