import Curvature
import DenseAlgebra
import Networks
import Optimization

/// The factors of the first layer's inputs, which no training changes: once for each seed's batches.
struct InputFactors: Sendable {
  /// After the first and the second number of iterations, each with and without the bias coordinate.
  let first, second: [SplitFactor]

  init(_ choices: SpecificationChoices, data: Dataset, seed: UInt64) throws {
    var batches = SpecificationRun.batches(choices, data, seed)
    var factors: [[SplitFactor]] = []
    for iteration in 0...choices.iterations.second {
      let indices = batches.next()
      guard iteration == choices.iterations.first || iteration == choices.iterations.second else {
        continue
      }
      let inputs = data.subset(indices).inputs
      let ones = Matrix(rowCount: 1, columnCount: inputs.columnCount, repeating: 1)
      let bar = Matrix(rowCount: inputs.rowCount + 1, columnCount: inputs.columnCount) {
        $0 < inputs.rowCount ? inputs[$0, $1] : ones[0, $1]
      }
      let a = (1 / Double(inputs.columnCount)) * bar.timesOwnTranspose
      factors.append(
        try [a, a.withoutLast].map {
          try SplitFactor($0, split: choices.split, lambda: choices.lambda)
        })
    }
    first = factors[0]
    second = factors[1]
  }
}

/// One training run of the specification curve, with all readings that its factors allow.
struct SpecificationRun: Sendable {
  let readings: [SpecificationReading]
  /// Whether the run went out of the range of numbers.
  let isDiverged: Bool

  static func batches(_ choices: SpecificationChoices, _ data: Dataset, _ seed: UInt64)
    -> BatchSequence
  {
    BatchSequence(
      count: data.count, batch: min(choices.batch, data.count), seed: seed ^ 0xBA7C_4E5)
  }

  /// Trains and reads; a run whose numbers grow until a factor cannot be inverted counts as diverged.
  init(
    _ job: SpecificationChoices.Job, _ choices: SpecificationChoices, data: Dataset,
    inputs: InputFactors
  ) throws {
    do {
      let states = try SpecificationRun.states(job, choices, data: data, inputs: inputs)
      readings =
        states.map { SpecificationRun.readings(job, choices, $0.first, $0.second) } ?? []
      isDiverged = states == nil
    } catch CurvatureError.notPositiveDefinite {
      (readings, isDiverged) = ([], true)
    } catch is NotPositiveDefinite {
      (readings, isDiverged) = ([], true)
    }
  }

  /// The layers at both iterations; nil where the parameters or factors leave the range of numbers.
  private static func states(
    _ job: SpecificationChoices.Job, _ choices: SpecificationChoices, data: Dataset,
    inputs: InputFactors
  ) throws -> (first: [[SplitError.Layer]], second: [[SplitError.Layer]])? {
    var network = try Network.multilayerPerceptron(
      widths: choices.networks[job.network], activation: choices.activations[job.activation],
      initialization: choices.starts[job.start], seed: choices.seeds[job.seed])
    var optimizer = choices.trainings[job.training].optimizer()
    var batches = SpecificationRun.batches(choices, data, choices.seeds[job.seed])
    var first: [[SplitError.Layer]] = []
    for iteration in 0..<choices.iterations.second {
      let batch = data.subset(batches.next())
      if iteration == choices.iterations.first {
        guard let found = try layers(network, batch, choices, inputs: inputs.first) else {
          return nil
        }
        first = found
      }
      network = try optimizer.step(network, batch, .categorical)
      guard network.parameters.allSatisfy({ $0.weights.storage.allSatisfy(\.isFinite) }) else {
        return nil
      }
    }
    let batch = data.subset(batches.next())
    guard let second = try layers(network, batch, choices, inputs: inputs.second) else {
      return nil
    }
    return (first, second)
  }

  /// The layers that are read, for each choice of labels and bias; nil where a factor is out of range.
  private static func layers(
    _ network: Network, _ batch: Dataset, _ choices: SpecificationChoices, inputs: [SplitFactor]
  ) throws -> [[SplitError.Layer]]? {
    let (split, λ) = (choices.split, choices.lambda)
    let isPrinted = network.parameters.count == choices.networks[0].count - 1
    let blocks = isPrinted ? [0, 1, 2, 3] : [1, 2, 3]
    var result: [[SplitError.Layer]] = []
    for kind in [FisherKind.exact, .empirical] {
      let samples = GradientSamples(
        network, batch, likelihood: .categorical, kind: kind, blocks: blocks)
      let layers = blocks.indices.map { LayerSamples(samples, block: $0) }
      let g = layers.map(\.outputMoment)
      let a = layers.indices.map { blocks[$0] == 0 ? nil : layers[$0].inputMoment }
      // Squares of the entries must stay in the range of numbers.
      guard (g + a.compactMap { $0 }).allSatisfy({ $0.maximumMagnitude < 1e100 }) else {
        return nil
      }
      let outputs = try g.map { try SplitFactor($0, split: split, lambda: λ) }
      for bias in 0..<2 {
        result.append(
          try blocks.indices.map { index in
            guard let whole = a[index] else {
              return SplitError.Layer(a: inputs[bias], g: outputs[index])
            }
            let used = bias == 0 ? whole : whole.withoutLast
            func spectral(_ shift: Double) throws -> Double {
              try SplitSpectrum.differenceNorm(a: used, g: g[index], split: split, shift: shift)
            }
            return SplitError.Layer(
              a: try SplitFactor(used, split: split, lambda: λ), g: outputs[index],
              spectral: (try spectral(0), try spectral(λ)))
          })
      }
    }
    return result
  }

  /// Every norm and λ of every reading of the layers.
  private static func readings(
    _ job: SpecificationChoices.Job, _ choices: SpecificationChoices,
    _ first: [[SplitError.Layer]], _ second: [[SplitError.Layer]]
  ) -> [SpecificationReading] {
    var readings: [SpecificationReading] = []
    let kinds: [FigureFour.Layers] = job.network == 0 ? [.last, .first] : [.middleOfSix]
    for layers in kinds {
      // Layers 2–4 of the printed network follow its first one; layers 1–3 begin with it.
      let range = job.network == 1 ? 0..<3 : layers == .last ? 1..<4 : 0..<3
      for labels in 0..<2 {
        for bias in 0..<2 {
          let place = 2 * labels + bias
          let course = SplitCourse(
            at10: SplitError(Array(first[place][range]), lambda: choices.lambda),
            at50: SplitError(Array(second[place][range]), lambda: choices.lambda))
          for (damping, d) in zip(SplitError.Damping.allCases, 0...) {
            for (norm, n) in zip(SplitError.Norm.allCases, 0...) {
              guard let values = course.values(norm, damping) else { continue }
              let levels = [
                FigureFour.Layers.allCases.firstIndex(of: layers) ?? 0, job.start, job.activation,
                job.training, labels, bias, d, n, job.seed,
              ]
              readings.append(
                SpecificationReading(
                  levels: levels.map { UInt8($0) }, at10: values.at10, at50: values.at50))
            }
          }
        }
      }
    }
    return readings
  }
}

extension LayerSamples {
  /// A = (1/N) X Xᵀ.
  fileprivate var inputMoment: Matrix { (1 / Double(exampleCount)) * inputs.timesOwnTranspose }

  /// G = (1/N) Σ_c Y_c Y_cᵀ.
  fileprivate var outputMoment: Matrix {
    var sum = Matrix(rowCount: outputSize, columnCount: outputSize)
    for gradient in gradients { sum.add(1, times: gradient.timesOwnTranspose) }
    return (1 / Double(exampleCount)) * sum
  }
}

extension Matrix {
  /// Without the last row and column: A without the homogeneous coordinate.
  fileprivate var withoutLast: Matrix { block(rows: 0..<rowCount - 1, columns: 0..<rowCount - 1) }
}
