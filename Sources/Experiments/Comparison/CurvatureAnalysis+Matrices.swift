import Curvature
import DenseAlgebra
import Networks

extension CurvatureAnalysis {
  /// The errors of undamped matrices: layer rows against `blocks` and `kfac`, network rows against `full` too.
  ///
  /// With `wholeNetwork` false only the layer rows and the two layerwise references are measured.
  public func matrixMeasurements(wholeNetwork: Bool) throws(CurvatureError) -> [Measurement] {
    guard options.dense else { return [] }
    var rows: [Measurement] = []
    var targets: [(reference: Reference, matrix: BlockedMatrix)] = []
    for (reference, structure) in references where wholeNetwork || reference.isLayerwise {
      targets.append((reference, try BlockedMatrix(structure, within: options.limit)))
    }
    for structure in structures {
      guard let structure = structure as? any MatrixStructure else { continue }
      guard wholeNetwork || structure is any Layerwise else { continue }
      let matrix = try BlockedMatrix(structure, within: options.limit)
      let context = context(structure.kind)
      for (reference, target) in targets where reference.structure != structure.kind {
        let comparison = matrix.compared(with: target)
        rows += context.measurements(comparison.all.metrics, against: reference)
        guard reference.isLayerwise, matrix.whole == nil else { continue }
        for (index, layer) in comparison.layers.enumerated() {
          var values = layer.metrics
          if options.everything {
            values += try MatrixReference(target.blocks[index])
              .metrics(of: matrix.blocks[index], includingSpectral: true)
              .filter { $0.metric == .relativeSpectral }
          }
          rows += narrowed(context, toLayer: index).measurements(values, against: reference)
        }
      }
    }
    return rows
  }

  /// Sampling error beside structural error: Monte-Carlo and empirical Fishers of the same batch, and
  /// KFAC from moving averages of its factors, against the exact Fisher of batch and data set.
  public func samplingMeasurements(seed: UInt64, movingAverage: [KFACFactors]?)
    throws(CurvatureError) -> [Measurement]
  {
    guard options.dense else { return [] }
    var variants: [(label: String, structure: any MatrixStructure)] = []
    let kinds: [FisherKind] = [
      .exact, .monteCarlo(samples: 1, seed: seed), .empirical,
    ]
    for kind in kinds where kind.label != options.fisher.label {
      let drawn = GradientSamples(
        network, batch, likelihood: likelihood, kind: kind, blocks: options.blocks)
      let fisher = try ExactFisher(drawn, limit: options.limit).dense(within: options.limit)
      variants.append(
        (kind.label, DenseStructure(kind: .exact, layout: drawn.layout, matrix: fisher)))
      variants.append(
        (
          kind.label,
          LayerwiseStructure(
            drawn.blocks.indices.map {
              KroneckerBlock.kfac(LayerSamples(drawn, block: $0), sharing: options.sharing)
            })
        ))
    }
    if let movingAverage {
      let averaged = zip(layers, movingAverage).map { layer, factors in
        KroneckerBlock(
          kind: .kfac, layout: layer.layout, a: KroneckerFactor(factors.a),
          g: KroneckerFactor(factors.g))
      }
      variants.append(("\(options.fisher.label), moving average", LayerwiseStructure(averaged)))
    }
    var rows: [Measurement] = []
    for (reference, target) in references where !reference.isLayerwise {
      let undamped = MatrixReference(try target.dense(within: options.limit))
      let damped = DampedReference(
        try target.damped(.exact, options.defaultLambda), gradient: gradient)
      for (label, structure) in variants {
        var context = context(structure.kind, fisher: label)
        rows += context.measurements(
          try undamped.metrics(
            of: try structure.dense(within: options.limit), includingSpectral: false),
          against: reference)
        let rule = ComparisonOptions.preferredRule(of: structure.kind)
        context.rule = rule
        context.lambda = options.defaultLambda
        context.solver = "direct"
        let step = try structure.damped(rule, options.defaultLambda).solve(gradient)
        rows += context.measurements(damped.metrics(ofStep: step), against: reference)
      }
    }
    return rows
  }
}

extension Reference {
  /// Whether the reference has no coupling between layers.
  public var isLayerwise: Bool { self == .blocks || self == .kfac }

  /// The structure that equals the reference, so that a row of zeros would say nothing; none for `full-data`.
  public var structure: StructureKind? {
    switch self {
    case .full: .exact
    case .blocks: .blockDiagonal
    case .kfac: .kfac
    case .fullData: nil
    }
  }
}
