import Curvature
import DenseAlgebra
import Networks
import Optimization

/// The curvature of every layer, followed while a network is trained with KFAC.
///
/// Before every `interval`-th step the step's own batch gives each exact block's Frobenius norm and the
/// traces that Eq. 8 looks at, with the Fisher's expectation over labels and with the given labels;
/// the running average that KFAC itself inverts stands beside them. The data of the THOR paper's
/// Figures 1, 2 and 3.
public struct CurvatureTrajectory: Sendable {
  /// The network and its training; the defaults are Figure 4's network and the constants of Eq. 13.
  public struct Settings: Equatable, Sendable {
    public var widths = [784, 20, 20, 20, 10]
    public var activation = Activation.relu
    public var initialization = Initialization.he
    public var learningRate = 0.1
    /// λ on each factor (Eq. 6).
    public var lambda = 0.3
    public var weightDecay = 5e-4
    public var batch = 128
    /// The distance of refreshes and of records, in steps.
    public var interval = 20
    public var steps = 2000

    public init() {}
  }

  /// One layer before one step.
  public struct Record: Equatable, Sendable {
    public let step: Int
    /// Counted from 1.
    public let layer: Int
    /// The mean loss of the batch.
    public let loss: Double
    /// Traces of the batch, labels in expectation.
    public let exact: LayerTraces
    /// Traces of the batch with its own labels.
    public let empirical: LayerTraces
    /// Traces of KFAC's running averages, labels in expectation.
    public let average: LayerTraces
    /// ‖F‖_F of the exact block of the batch.
    public let exactNorm: Double
    /// ‖A ⊗ G‖_F of the batch.
    public let kroneckerNorm: Double
    /// ‖A ⊗ G‖_F of KFAC's running averages.
    public let averageNorm: Double
  }

  public let settings: Settings
  public let seed: UInt64
  /// In the order of steps, then of layers.
  public let records: [Record]
  /// The step after which parameters were no longer finite; nil where they stayed so.
  public let divergedAt: Int?

  /// Trains and records; a diverging run ends early.
  public init(_ settings: Settings, data: Dataset, likelihood: Likelihood, seed: UInt64) throws {
    self.settings = settings
    self.seed = seed
    var network = try Network.multilayerPerceptron(
      widths: settings.widths, activation: settings.activation,
      initialization: settings.initialization, seed: seed)
    var batches = BatchSequence(
      count: data.count, batch: min(settings.batch, data.count), seed: seed ^ 0xBA7C_4E5)
    var options = KroneckerPreconditioner.Options()
    options.averaging = .martensGrosse(most: 0.95)
    options.rule = .factor
    options.lambda = .constant(settings.lambda)
    options.factorInterval = .constant(settings.interval)
    options.inverseInterval = .constant(settings.interval)
    var optimizer = PreconditionedDescent(
      try KroneckerPreconditioner(options, name: "kfac"),
      DescentRule(
        learningRate: .constant(settings.learningRate), weightDecay: settings.weightDecay))
    var records: [Record] = []
    var averageTraces = [Double](repeating: 0, count: network.parameters.count)
    var divergedAt: Int?
    for step in 0...settings.steps {
      let batch = data.subset(batches.next())
      let next = try optimizer.step(network, batch, likelihood)
      if step % settings.interval == 0 {
        // The step has just refreshed KFAC's averages with this very batch.
        let keep = min(1 - 1 / Double(step / settings.interval + 1), 0.95)
        records += CurvatureTrajectory.records(
          of: network, batch, likelihood, step: step, optimizer.preconditioner, keep: keep,
          &averageTraces)
      }
      guard next.parameters.allSatisfy({ $0.weights.storage.allSatisfy(\.isFinite) }) else {
        divergedAt = step
        break
      }
      network = next
    }
    self.records = records
    self.divergedAt = divergedAt
  }

  private static func records(
    of network: Network, _ batch: Dataset, _ likelihood: Likelihood, step: Int,
    _ kfac: KroneckerPreconditioner, keep: Double, _ averageTraces: inout [Double]
  ) -> [Record] {
    let exact = GradientSamples(network, batch, likelihood: likelihood, kind: .exact)
    let empirical = GradientSamples(network, batch, likelihood: likelihood, kind: .empirical)
    let loss = Quantiles.mean(
      likelihood.losses(network.forward(batch.inputs).output, batch.targets))
    return network.parameters.indices.map { index in
      let layer = LayerSamples(exact, block: index)
      let factors = KFACFactors(layer)
      let traces = LayerTraces(factors, block: layer)
      averageTraces[index] = keep * averageTraces[index] + (1 - keep) * traces.block
      guard let average = kfac.newestFactors(ofLayer: index) else {
        preconditionFailure("KFAC has no factors of layer \(index + 1) after its first step")
      }
      let labelled = LayerSamples(empirical, block: index)
      let labelledG =
        (1 / Double(labelled.exampleCount)) * labelled.gradients[0].timesOwnTranspose
      return Record(
        step: step, layer: index + 1, loss: loss, exact: traces,
        empirical: LayerTraces(KFACFactors(a: factors.a, g: labelledG), block: labelled),
        average: LayerTraces(
          a: average.a.trace, g: average.g.trace, block: averageTraces[index],
          sizeA: average.a.rowCount, sizeG: average.g.rowCount),
        exactNorm: layer.exactBlockNorm,
        kroneckerNorm: factors.a.frobeniusNorm * factors.g.frobeniusNorm,
        averageNorm: average.a.frobeniusNorm * average.g.frobeniusNorm)
    }
  }

  /// The records of one layer, counted from 1, in the order of steps.
  public func records(ofLayer layer: Int) -> [Record] { records.filter { $0.layer == layer } }
}

extension LayerSamples {
  /// ‖F‖_F of a layer's exact block without forming it.
  ///
  /// F = UUᵀ has the Frobenius norm of its Gram matrix, and summed over the columns
  /// ‖F‖²_F = (1/N²) Σ₍n,n′₎ (āₙᵀāₙ′)² tr(Γₙ Γₙ′), Γₙ = Σ_c g gᵀ: two N × N matrices instead of a
  /// d_A d_G × d_A d_G one (2 GB for 785 × 20). Without weight sharing only. Reference: the specification,
  /// sections 3.2 and 4.1.
  public var exactBlockNorm: Double {
    precondition(positions == 1, "\(name) has \(positions) positions; one was expected")
    let (n, d) = (exampleCount, outputSize)
    var moments = Matrix(rowCount: d * d, columnCount: n)
    for gradient in gradients {
      let g = gradient.storage.span
      var target = moments.storage.mutableSpan
      for example in 0..<n {
        for j in 0..<d {
          let scale = g[example * d + j]
          for i in 0..<d { target[(example * d + j) * d + i] += scale * g[example * d + i] }
        }
      }
    }
    let inner = inputs.gram
    let outer = moments.gram
    var sum = 0.0
    for index in inner.storage.indices {
      sum += inner.storage[index] * inner.storage[index] * outer.storage[index]
    }
    return sum.squareRoot() / Double(n)
  }
}
