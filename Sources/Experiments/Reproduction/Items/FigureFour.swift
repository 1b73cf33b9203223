import Curvature
import DenseAlgebra
import Networks

/// Figure 4: KFAC's matrices, their split, and the difference, over training.
public enum FigureFour {
  static let item = ReproductionItem(
    "figure-4", "KFAC's A ⊗ G, its split and their difference after 10 and 50 iterations"
  ) { context in
    var options = ComparisonOptions()
    options.structures = [.exact, .blockDiagonal, .kfac, .ekfac, .kfacSplit]
    options.seeds = context.seeds
    options.iterations = [10, 50]
    options.lambdas = [options.trainingLambda]
    options.defaultLambda = options.trainingLambda
    if context.isQuick {
      options.lastIteration = 50
      options.curveStep = 10
    }
    return try result(options, data: context.data.small.dataset, context.progress)
  }

  /// The three readings of "the middle three layers" (specification 7.10).
  public enum Layers: String, CaseIterable, Sendable {
    case last = "i: layers 2–4"
    case middleOfSix = "ii: layers 2–4 of one more hidden layer"
    case first = "iii: layers 1–3"
  }

  /// Splits KFAC's factors of some layers of a network on a batch, in order.
  ///
  /// The spectral norm is left out where A has more than 200 rows.
  public static func splitError(
    _ network: Network, _ batch: Dataset, layers: ClosedRange<Int>, split: Int, lambda: Double,
    fisher: FisherKind = .exact
  ) throws -> SplitError {
    let samples = GradientSamples(
      network, batch, likelihood: .categorical, kind: fisher, blocks: layers.map { $0 - 1 })
    return SplitError(
      try samples.blocks.indices.map { index in
        let factors = KFACFactors(LayerSamples(samples, block: index))
        func spectral(_ shift: Double) throws -> Double {
          try SplitSpectrum.differenceNorm(a: factors.a, g: factors.g, split: split, shift: shift)
        }
        return SplitError.Layer(
          a: try SplitFactor(factors.a, split: split, lambda: lambda),
          g: try SplitFactor(factors.g, split: split, lambda: lambda),
          spectral: factors.a.rowCount > 200 ? nil : (try spectral(0), try spectral(lambda)))
      }, lambda: lambda)
  }

  /// One measured error over the seeds, after 10 and after 50 iterations.
  public struct Row: Equatable, Sendable {
    public let layers: Layers
    public let damping: SplitError.Damping
    public let norm: SplitError.Norm
    public let at10, at50: [Double]

    public init(
      _ layers: Layers, _ damping: SplitError.Damping, _ norm: SplitError.Norm, at10: [Double],
      at50: [Double]
    ) {
      self.layers = layers
      self.damping = damping
      self.norm = norm
      self.at10 = at10
      self.at50 = at50
    }

    var mean10: Double { Quantiles.mean(at10) }
    var mean50: Double { Quantiles.mean(at50) }
    /// "around 5% after 10 iterations".
    public var isFive: Bool { FigureFour.aroundFive.contains(mean10) }
    /// "reduces to 1% after 50 iterations".
    public var isOne: Bool { FigureFour.aroundOne.contains(mean50) && mean50 < mean10 }
    var label: String {
      norm.rawValue + (damping == .out ? "" : ", λ \(damping.rawValue)") + " (\(layers.rawValue))"
    }
  }

  /// What counts as 5 %.
  public static let aroundFive = 0.03...0.07
  /// What counts as 1 %.
  public static let aroundOne = 0.005...0.02

  /// Compares, measures in every norm, and judges.
  public static func result(
    _ options: ComparisonOptions, data: Dataset, _ progress: @Sendable (String, Int, Int) -> Void
  ) throws -> ReproductionResult {
    let comparison = try Comparison(
      options, dataset: data, likelihood: .categorical, progress: progress)
    let summary = ComparisonSummary(comparison)
    let wanted = Layers.allCases.flatMap { layers in options.seeds.map { (layers, $0) } }
    let errors = try Parallel.map(wanted.count, "splitting", progress) { job in
      try splitErrors(wanted[job].0, options, seed: wanted[job].1, data)
    }
    func courses(_ layers: Layers) -> [SplitCourse] {
      zip(wanted, errors).filter { $0.0.0 == layers }.map { $0.1 }
    }
    var rows: [Row] = []
    for layers in Layers.allCases {
      let seeds = courses(layers)
      for damping in SplitError.Damping.allCases {
        for norm in SplitError.Norm.allCases {
          let pairs = seeds.compactMap { $0.values(norm, damping) }
          guard !pairs.isEmpty else { continue }
          rows.append(
            Row(layers, damping, norm, at10: pairs.map { $0.at10 }, at50: pairs.map { $0.at50 }))
        }
      }
    }
    let shares = courses(.last)
    let figures = try ComparisonFigures(comparison, summary).canvases
    return ReproductionResult(
      setting: setting(options, data),
      claims: claims(rows, summary, shares), tables: [norms(rows), exactErrors(summary, options)],
      figures: figures.filter { $0.name.hasPrefix("figure4") },
      remarks: [scaleRemark(rows, shares)])
  }

  /// The errors after 10 and 50 iterations of one seed's run under one reading of the layers.
  static func splitErrors(
    _ layers: Layers, _ options: ComparisonOptions, seed: UInt64, _ data: Dataset
  ) throws -> SplitCourse {
    var chosen = options
    if layers == .middleOfSix { chosen.widths.insert(options.widths[1], at: 1) }
    let run = try TrainingRun(
      seed: seed, data: data, likelihood: .categorical, options: chosen, iterations: [10, 50])
    let errors = try run.states.map { state in
      try splitError(
        state.network, data.subset(state.batch), layers: layers == .first ? 1...3 : 2...4,
        split: options.split, lambda: options.trainingLambda, fisher: options.fisher)
    }
    return SplitCourse(at10: errors[0], at50: errors[1])
  }
}
