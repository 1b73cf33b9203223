import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks
import Verification

/// What chapter 04 measures: one KFAC step under several conventions, and a training run with two.
struct VecMeasurement {
  static let likelihood = Likelihood.categorical
  static let batch = 256
  /// λ on each factor, in training and in the steps that are compared.
  static let (trainingLambda, lambda) = (0.3, 0.1)
  static let (iteration, steps, refresh) = (50, 150, 10)

  /// Where the entries of the gradient stand when a program applies the inverse of A ⊗ G.
  enum Order: String, CaseIterable {
    case right = "columns stacked with A ⊗ G"
    case rowsStacked = "rows stacked with A ⊗ G"
    case biasFirst = "bias first in A but last in the gradient"
    case gradient = "the gradient itself"
  }

  /// Layers 2, 3 and 4 after some training: factors, exact block, gradient.
  struct Layer {
    let name: String
    let samples: LayerSamples
    let factors: KFACFactors
    let gradient: Matrix
  }

  let layers: [Layer]
  let steps, curves, bias: ResultTable

  /// The training runs: order and rate.
  static let runs: [(column: String, name: String, order: Order, rate: Double)] = [
    ("right", "columns stacked, rate 0.1", .right, 0.1),
    ("wrong", "rows stacked, rate 0.1", .rowsStacked, 0.1),
    ("wrongSlow", "rows stacked, rate 0.01", .rowsStacked, 0.01),
    ("gradient", "gradient descent, rate 0.1", .gradient, 0.1),
  ]

  init(_ data: Dataset, progress: @Sendable (String, Int, Int) -> Void) throws {
    var curves = ResultTable(
      "curves",
      "Loss on a fixed batch while all layers are trained; empty after a run has diverged.",
      [("step", "steps taken")]
        + VecMeasurement.runs.map { ($0.column, "loss, nats: \($0.name)") })
    var losses: [[Double]] = []
    var layers: [Layer] = []
    for (index, run) in VecMeasurement.runs.enumerated() {
      progress("training", index, VecMeasurement.runs.count)
      let result = try VecMeasurement.train(data, run.order, rate: run.rate)
      losses.append(result.losses)
      if run.order == .right { layers = result.layers }
    }
    for step in 0...VecMeasurement.steps {
      curves.append(
        [.integer(step)]
          + losses.map { step < $0.count ? CSV.Cell.number($0[step]) : CSV.Cell.empty })
    }
    self.curves = curves
    self.layers = layers
    steps = try VecMeasurement.compare(layers)
    bias = try VecMeasurement.biasTable(layers)
  }

  /// (A + λI)⁻¹ and (G + λI)⁻¹ applied under an order.
  struct Inverse {
    let a, g: DampedFactor
    /// A with its last coordinate first.
    let turned: DampedFactor

    init(_ factors: KFACFactors, lambda: Double) throws {
      a = try DampedFactor(KroneckerFactor(factors.a), shift: lambda, name: "A")
      g = try DampedFactor(KroneckerFactor(factors.g), shift: lambda, name: "G")
      let last = factors.a.rowCount - 1
      let matrix = factors.a
      turned = try DampedFactor(
        KroneckerFactor(
          Matrix(rowCount: last + 1, columnCount: last + 1) { i, j in
            matrix[i == 0 ? last : i - 1, j == 0 ? last : j - 1]
          }), shift: lambda, name: "A, bias first")
    }

    func step(_ v: Matrix, _ order: Order) -> Matrix {
      func solve(_ matrix: Matrix, _ left: DampedFactor) -> Matrix {
        left.solve(g.solve(matrix).transposed).transposed
      }
      switch order {
      case .right: return solve(v, a)
      case .biasFirst: return solve(v, turned)
      case .gradient: return v
      case .rowsStacked:
        // The list of rows, read as a list of columns of the same shape, and back.
        let misread = Matrix(
          rowCount: v.rowCount, columnCount: v.columnCount, storage: v.transposed.storage)
        let solved = solve(misread, a)
        return Matrix(
          rowCount: v.columnCount, columnCount: v.rowCount, storage: solved.storage
        ).transposed
      }
    }
  }

  /// The losses before each step; the list ends where the run has diverged.
  private static func train(_ data: Dataset, _ order: Order, rate: Double) throws
    -> (losses: [Double], layers: [Layer])
  {
    var network = try Network.multilayerPerceptron(
      widths: [784, 20, 20, 20, 10], activation: .relu, initialization: .he, seed: 1)
    var batches = BatchOrder(count: data.count, batch: batch)
    let fixed = data.subset(batches.next())
    var inverses: [Inverse] = []
    var losses: [Double] = []
    var layers: [Layer] = []
    for step in 0...steps {
      let loss =
        likelihood.losses(network.forward(fixed.inputs).output, fixed.targets).reduce(0, +)
        / Double(batch)
      guard loss < 1_000 else { break }
      losses.append(loss)
      if step == iteration && order == .right { layers = measured(network, fixed) }
      let current = data.subset(batches.next())
      if step % refresh == 0 && order != .gradient {
        let samples = GradientSamples(network, current, likelihood: likelihood, kind: .exact)
        inverses = try samples.blocks.indices.map {
          try Inverse(KFACFactors(LayerSamples(samples, block: $0)), lambda: trainingLambda)
        }
      }
      let gradient = LossGradient(network, current, likelihood).gradient
      for (index, block) in gradient.blocks.enumerated() {
        let direction = order == .gradient ? block : inverses[index].step(block, order)
        network.parameters[index].weights.add(-rate, times: direction)
      }
    }
    return (losses, layers)
  }

  private static func measured(_ network: Network, _ data: Dataset) -> [Layer] {
    let samples = GradientSamples(
      network, data, likelihood: likelihood, kind: .exact, blocks: [1, 2, 3])
    let gradient = LossGradient(network, data, likelihood).gradient
    return samples.blocks.indices.map { index in
      let layer = LayerSamples(samples, block: index)
      return Layer(
        name: "layer \(index + 2)", samples: layer, factors: KFACFactors(layer),
        gradient: gradient.blocks[index + 1])
    }
  }

  private static func compare(_ layers: [Layer]) throws -> ResultTable {
    var table = ResultTable(
      "steps", "One damped KFAC step per layer under four orders.",
      [
        ("layer", "layer"), ("shape", "outputs × inputs, the bias among the inputs"),
        ("order", "how the gradient meets the factors"),
        ("cosine", "cosine between this step and the right one"),
        ("efficiency", "η: decrease of the exact block's damped model over the best one"),
        ("slope", "cosine between this step and the gradient; above 0 the loss falls at first"),
      ])
    for layer in layers {
      let inverse = try Inverse(layer.factors, lambda: lambda)
      let exact = DenseStructure(
        kind: .blockDiagonal, layout: layer.samples.layout,
        matrix: layer.samples.scaledGradients.timesOwnTranspose)
      let gradient = ParameterVector(blocks: [layer.gradient])
      // The model's damping is λ²: what λ on both factors adds at the least.
      let reference = DampedReference(
        try exact.damped(.exact, lambda * lambda), gradient: gradient)
      let right = inverse.step(layer.gradient, .right)
      func cosine(_ left: Matrix, _ other: Matrix) -> Double {
        left.dot(other) / (left.frobeniusNorm * other.frobeniusNorm)
      }
      for order in Order.allCases {
        let step = inverse.step(layer.gradient, order)
        let efficiency = reference.metrics(ofStep: ParameterVector(blocks: [step]))
          .first { $0.metric == .efficiency }
        let shape = "\(layer.gradient.rowCount) × \(layer.gradient.columnCount)"
        table.append([
          .text(layer.name), .text(shape), .text(order.rawValue), .number(cosine(step, right)),
          efficiency.map { .number($0.value) } ?? .empty, .number(cosine(step, layer.gradient)),
        ])
      }
    }
    return table
  }

  /// KFAC's error inside the bias block and outside, and what is lost with the bias apart.
  private static func biasTable(_ layers: [Layer]) throws -> ResultTable {
    var table = ResultTable(
      "bias", "KFAC's relative Frobenius errors by part of a layer's block.",
      [
        ("layer", "layer"), ("whole", "‖A ⊗ G − F‖ / ‖F‖ for the whole block"),
        ("weights", "the same for the rows and columns of the weights"),
        ("cross", "the same for weights against bias"),
        ("biasBlock", "the same for the bias alone, 0 where below 1e-12"),
        ("apart", "the whole block's error when weights and bias are treated apart"),
      ])
    for layer in layers {
      let exact = layer.samples.scaledGradients.timesOwnTranspose
      let kfac = Matrix.kronecker(layer.factors.a, layer.factors.g)
      let split = layer.gradient.rowCount * (layer.gradient.columnCount - 1)
      let (weights, bias) = (0..<split, split..<exact.rowCount)
      func error(_ rows: Range<Int>, _ columns: Range<Int>) -> Double {
        let part = exact.block(rows: rows, columns: columns)
        let difference = kfac.block(rows: rows, columns: columns) - part
        return difference.frobeniusNorm / part.frobeniusNorm
      }
      let last = layer.factors.a.rowCount - 1
      let a = layer.factors.a
      let apart = Matrix.kronecker(
        Matrix(rowCount: last + 1, columnCount: last + 1) {
          ($0 == last) == ($1 == last) ? a[$0, $1] : 0
        }, layer.factors.g)
      let biasError = error(bias, bias)
      table.append([
        .text(layer.name), .number(kfac.relativeError(to: exact)),
        .number(error(weights, weights)), .number(error(weights, bias)),
        .number(biasError < 1e-12 ? 0 : biasError),
        .number(apart.relativeError(to: exact)),
      ])
    }
    return table
  }
}

/// Batches in a seeded order.
private struct BatchOrder {
  private let count, batch: Int
  private var random = SplitMix64(seed: 4)
  private var order: [Int] = []

  init(count: Int, batch: Int) { (self.count, self.batch) = (count, batch) }

  mutating func next() -> [Int] {
    if order.count < batch { order = random.permutation(count) }
    defer { order.removeFirst(batch) }
    return Array(order.prefix(batch))
  }
}
