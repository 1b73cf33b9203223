import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Foundation
import Networks

/// What chapter 05 measures on the paper's network: what is dropped, and on what it depends.
struct KFACMeasurement {
  static let seeds: [UInt64] = [1, 2, 3, 4, 5]
  static let iteration = 10
  static let layerNames = ["layer 2", "layer 3", "layer 4"]
  /// Below this a relative error is round-off, and written as 0.
  static let roundOff = 1e-12

  /// The network of one seed in training, with the samples of its batch.
  struct State {
    let network: Network
    let batch: Dataset
    let samples: GradientSamples

    var layers: [LayerSamples] { samples.blocks.indices.map { LayerSamples(samples, block: $0) } }
  }

  let options = ComparisonOptions()
  let states: [State]
  let dropped: [Dropped]
  let growth: [Growth]
  let pairings: [Pairing]
  /// The median errors of random pairings, and of those within a predicted class, for each layer.
  let shuffledErrors, withinClassErrors: [Double]
  /// The largest correlation of a layer input with an output-side gradient.
  let largestCorrelation: Double

  init(_ context: ChapterContext) throws {
    let data = context.fashionMNIST.dataset
    let options = options
    states = try Parallel.map(KFACMeasurement.seeds.count, "training", context.progress) { index in
      let run = try TrainingRun(
        seed: KFACMeasurement.seeds[index], data: data, likelihood: .categorical,
        options: options, iterations: [KFACMeasurement.iteration])
      let batch = data.subset(run.states[0].batch)
      return State(
        network: run.states[0].network, batch: batch,
        samples: GradientSamples(
          run.states[0].network, batch, likelihood: .categorical, kind: .exact,
          blocks: options.blocks))
    }
    let states = states
    dropped = try Parallel.map(states.count, "what is dropped", context.progress) {
      try Dropped(states[$0].samples)
    }
    growth = try Growth.measure(states, data, context.progress)
    let pairs = try Pairing.measure(states[0], context.progress)
    pairings = pairs.asked
    shuffledErrors = pairs.shuffled
    withinClassErrors = pairs.withinClass
    largestCorrelation = KFACMeasurement.largestCorrelation(states[0])
  }

  static func relativeError(_ approximation: Matrix, _ reference: Matrix) -> Double {
    let error = approximation.relativeError(to: reference)
    return error < roundOff ? 0 : error
  }

  static func exactBlock(_ samples: GradientSamples) throws -> Matrix {
    try ExactFisher.blocks(of: samples)[0].dense(within: .standard)
  }

  /// E[ā g] over examples and the model's own labels, as a correlation; the exact Fisher's columns
  /// carry √p, so the expectation over labels weighs them with √p once more.
  private static func largestCorrelation(_ state: State) -> Double {
    let p = softmax(state.network.forward(state.batch.inputs).output)
    var largest = 0.0
    for layer in state.layers {
      var mean = Matrix(rowCount: layer.outputSize, columnCount: layer.exampleCount)
      for (c, gradient) in layer.gradients.enumerated() {
        mean =
          mean
          + Matrix(rowCount: mean.rowCount, columnCount: mean.columnCount) {
            p[c, $1].squareRoot() * gradient[$0, $1]
          }
      }
      let n = Double(layer.exampleCount)
      let product = (1 / n) * mean.timesTransposed(layer.inputs)
      let factors = KFACFactors(layer)
      for j in 0..<layer.inputSize {
        for i in 0..<layer.outputSize where factors.a[j, j] * factors.g[i, i] > 0 {
          largest = max(
            largest, abs(product[i, j]) / (factors.a[j, j] * factors.g[i, i]).squareRoot())
        }
      }
    }
    return largest < roundOff ? 0 : largest
  }

  static func softmax(_ outputs: Matrix) -> Matrix {
    var result = outputs
    for n in 0..<outputs.columnCount {
      let top = (0..<outputs.rowCount).map { outputs[$0, n] }.max() ?? 0
      let powers = (0..<outputs.rowCount).map { exp(outputs[$0, n] - top) }
      let sum = powers.reduce(0, +)
      for c in 0..<outputs.rowCount { result[c, n] = powers[c] / sum }
    }
    return result
  }
}

extension KFACMeasurement {
  /// F, its diagonal blocks and KFAC, with the sizes of what lies between them.
  struct Dropped {
    let fisher, blocks, kfac: Matrix
    /// ‖F − blocks‖/‖F‖, ‖blocks − KFAC‖/‖F‖ and ‖F − KFAC‖/‖F‖.
    let acrossLayers, withinLayers, total: Double
    /// ‖F_ℓ − A ⊗ G‖/‖F_ℓ‖ and tr(A ⊗ G)/tr F_ℓ of each layer.
    let layerErrors, traceRatios: [Double]

    init(_ samples: GradientSamples) throws {
      fisher = try ExactFisher(samples).dense(within: .standard)
      let exact = try ExactFisher.blocks(of: samples).map { try $0.dense(within: .standard) }
      let kronecker = try samples.blocks.indices.map {
        try KroneckerBlock.kfac(LayerSamples(samples, block: $0)).dense(within: .standard)
      }
      func assembled(_ parts: [Matrix]) -> Matrix {
        var matrix = Matrix(rowCount: samples.layout.count, columnCount: samples.layout.count)
        for (part, offset) in zip(parts, samples.layout.offsets) {
          matrix.setBlock(row: offset, column: offset, to: part)
        }
        return matrix
      }
      blocks = assembled(exact)
      kfac = assembled(kronecker)
      let norm = fisher.frobeniusNorm
      acrossLayers = (fisher - blocks).frobeniusNorm / norm
      withinLayers = (blocks - kfac).frobeniusNorm / norm
      total = (fisher - kfac).frobeniusNorm / norm
      layerErrors = zip(kronecker, exact).map(KFACMeasurement.relativeError)
      traceRatios = zip(kronecker, exact).map { $0.trace / $1.trace }
    }
  }

  /// The errors of one layer over random choices of N examples.
  struct Growth {
    static let counts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    static let draws = 4

    let layer: Int
    let count: Int
    let errors: [Double]
    var median: Double { Quantiles.median(errors) }

    /// The value below which a share of the errors lies, linear between two of them.
    func quantile(_ share: Double) -> Double { Quantiles.quantile(share, of: errors) }

    static func measure(
      _ states: [State], _ data: Dataset, _ progress: @Sendable (String, Int, Int) -> Void
    ) throws -> [Growth] {
      let blocks = ComparisonOptions().blocks
      let found = try Parallel.map(states.count * draws, "error against N", progress) {
        job -> [[Double]] in
        var generator = SplitMix64(seed: UInt64(500 + job))
        let order = generator.permutation(data.count)
        return try counts.map { count in
          let samples = GradientSamples(
            states[job / draws].network, data.subset(Array(order.prefix(count))),
            likelihood: .categorical, kind: .exact, blocks: blocks)
          return try blocks.indices.map { index in
            KFACMeasurement.relativeError(
              try KroneckerBlock.kfac(LayerSamples(samples, block: index))
                .dense(within: .standard),
              try ExactFisher.blocks(of: samples)[index].dense(within: .standard))
          }
        }
      }
      return blocks.indices.flatMap { layer in
        counts.indices.map { index in
          Growth(layer: layer, count: counts[index], errors: found.map { $0[index][layer] })
        }
      }
    }
  }
}
