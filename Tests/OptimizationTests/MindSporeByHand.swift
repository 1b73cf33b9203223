import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport

/// `nn.thor` written down from the specification's section 7.8: loops over rows, dense matrices and
/// `dpotri`. It takes `MindSporeOptions` for its fields and shares no computation with the optimizer
/// but the gradient of the loss.
struct MindSporeByHand {
  let options: MindSporeOptions
  /// The largest condition number of a damped factor so far.
  private(set) var condition = 1.0
  private var inverses: [(a: Matrix, g: Matrix, scale: Double)] = []
  private var velocity: [Matrix]?
  private var step = 0

  init(_ options: MindSporeOptions) { self.options = options }

  /// What a layer sees of one example at one position.
  struct Row {
    let x: [Double]
    let y: [Double]
    let position: Int
  }

  /// The rows of one block, ẏ = (S/N) g.
  static func rows(
    _ network: Network, block: Int, _ data: Dataset, _ likelihood: Likelihood,
    _ options: MindSporeOptions
  ) -> [Row] {
    let tape = network.forward(data.inputs)
    let pulled = network.pullback(likelihood.gradient(tape.output, data.targets), through: tape)
    let scale = (options.trainingLossScale ?? options.lossScale) / Double(data.count)
    let parameters = network.parameters[block]
    let count = options.source.biasInA ? parameters.weights.columnCount : parameters.inputCount
    var rows: [Row] = []
    var offset = 0
    for (use, g) in zip(tape.uses, pulled) where use.block == block {
      for column in 0..<g.columnCount {
        rows.append(
          Row(
            x: (0..<count).map { use.inputs[$0, column] },
            y: (0..<g.rowCount).map { scale * g[$0, column] },
            position: offset + column % use.positions))
      }
      offset += use.positions
    }
    return rows
  }

  static func isConvolution(_ network: Network, _ block: Int) -> Bool {
    network.nodes.contains {
      if case .convolution(let used, _) = $0.operation { return used == block }
      return false
    }
  }

  /// A, G and ρ of one block by the table of section 7.8.
  static func factors(
    _ network: Network, block: Int, _ data: Dataset, _ likelihood: Likelihood,
    _ options: MindSporeOptions
  ) -> (a: Matrix, g: Matrix, ratio: Double) {
    var rows = rows(network, block: block, data, likelihood, options)
    let positions = (rows.map(\.position).max() ?? 0) + 1
    let isConvolution = isConvolution(network, block)
    if isConvolution && options.source.convolution == .batchMeans {
      func mean(_ vectors: [[Double]]) -> [Double] {
        vectors[0].indices.map { i in vectors.reduce(0) { $0 + $1[i] } / Double(vectors.count) }
      }
      rows = (0..<positions).map { t in
        let there = rows.filter { $0.position == t }
        return Row(x: mean(there.map(\.x)), y: mean(there.map(\.y)), position: t)
      }
    }
    let (dA, dG, m) = (rows[0].x.count, rows[0].y.count, Double(rows.count))
    let divisor = !isConvolution && options.source.inputNormalizer == .inputs ? Double(dA) : m
    let a = Matrix(rowCount: dA, columnCount: dA) { i, j in
      rows.reduce(0) { $0 + $1.x[i] * $1.x[j] } / divisor
    }
    let (b, s) = (Double(options.batchSize), options.lossScale)
    let g = Matrix(rowCount: dG, columnCount: dG) { i, j in
      rows.reduce(0) { $0 + $1.y[i] * $1.y[j] } / m * (b / s) * (b / s)
    }
    if !isConvolution { return (a, g, 1) }
    let ratio =
      options.source.convolution == .patches
      ? b / Double(data.count * positions) : 1 / Double(positions)
    return (a, g, ratio)
  }

  /// The inverse of the pinched and shifted matrix by `dpotri`.
  private mutating func inverse(_ matrix: Matrix, shift: Double) throws -> Matrix {
    let d = options.splitSize
    let damped = Matrix(rowCount: matrix.rowCount, columnCount: matrix.columnCount) {
      ($0 / d == $1 / d ? matrix[$0, $1] : 0) + ($0 == $1 ? shift : 0)
    }
    let values = try LAPACK.dsyevd(damped).values.elements
    condition = max(condition, values[values.count - 1] / values[0])
    return try LAPACK.dpotri(damped)
  }

  private mutating func refresh(_ network: Network, _ data: Dataset, _ likelihood: Likelihood)
    throws
  {
    let λ = options.damping[min(step, options.damping.count - 1)]
    let size = data.count / options.workers
    let parts = (0..<options.workers).map { data.subset(Array($0 * size..<($0 + 1) * size)) }
    inverses = []
    for block in network.parameters.indices {
      let all = parts.map { Self.factors(network, block: block, $0, likelihood, options) }
      let ratio = all[0].ratio
      let amount = options.source.damping == .sqrt ? λ.squareRoot() : λ
      let shift = amount * ratio.squareRoot()
      func mean(_ matrices: [Matrix]) -> Matrix {
        let zero = Matrix(rowCount: matrices[0].rowCount, columnCount: matrices[0].rowCount)
        return (1 / Double(matrices.count)) * matrices.reduce(zero, +)
      }
      var (a, g): (Matrix, Matrix)
      switch options.source.averaging {
      case .factors:
        a = try inverse(mean(all.map(\.a)), shift: shift)
        g = try inverse(mean(all.map(\.g)), shift: shift)
      case .inverses:
        a = mean(try all.map { try inverse($0.a, shift: shift) })
        g = mean(try all.map { try inverse($0.g, shift: shift) })
      }
      if options.source.hasIdentityForTwoOutputs && !Self.isConvolution(network, block)
        && g.rowCount == 2
      {
        g = .identity(2)
      }
      inverses.append((a, g, ratio))
    }
  }

  /// The network after the next step.
  mutating func step(_ network: Network, _ data: Dataset, _ likelihood: Likelihood) throws
    -> Network
  {
    if step % options.frequency == 0 { try refresh(network, data, likelihood) }
    let undone = (options.trainingLossScale ?? options.lossScale) / options.lossScale
    let α = options.learningRate[min(step, options.learningRate.count - 1)]
    let gradient = LossGradient(network, data, likelihood).gradient
    var result = network
    var newVelocity: [Matrix] = []
    for (index, block) in network.parameters.enumerated() {
      let (aInverse, gInverse, ratio) = inverses[index]
      let v = undone * gradient.blocks[index]
      let weights = v.block(rows: 0..<v.rowCount, columns: 0..<aInverse.rowCount)
      var u = v
      u.setBlock(
        row: 0, column: 0,
        to: ratio * LAPACK.dgemm(LAPACK.dgemm(gInverse, weights), aInverse))
      // Tensors: W and b.
      let tensors =
        block.hasBias
        ? [("weight", 0..<block.inputCount), ("bias", block.inputCount..<block.inputCount + 1)]
        : [("weight", 0..<block.inputCount)]
      for (name, columns) in tensors {
        var squares = 0.0
        for j in columns {
          for i in 0..<u.rowCount {
            if options.decayFilter?.contains("\(block.name).\(name)") ?? true {
              u[i, j] += options.weightDecay * block.weights[i, j]
            }
            squares += u[i, j] * u[i, j]
          }
        }
        if options.clipsGradient && squares > 1 {
          for j in columns { for i in 0..<u.rowCount { u[i, j] /= squares.squareRoot() } }
        }
      }
      let old = velocity?[index] ?? 0 * u
      let new = options.momentum * old + u
      newVelocity.append(new)
      let isNesterov = options.usesNesterov && !options.source.ignoresNesterov
      let moved = isNesterov ? u + options.momentum * new : new
      result.parameters[index].weights = block.weights - α * moved
    }
    velocity = newVelocity
    step += 1
    return result
  }
}

/// A short training run, batch after batch of one data set.
struct ShortRun: Sendable, CustomStringConvertible {
  let source: RandomNetwork
  let batch: Int

  var description: String { "\(source), batches of \(batch)" }

  func data(ofStep step: Int) -> Dataset {
    let parts = source.data.count / batch
    let start = step % parts * batch
    return source.data.subset(Array(start..<start + batch))
  }

  /// The networks after each step.
  func networks(_ options: MindSporeOptions, steps: Int) throws -> [Network] {
    var optimizer = try MindSporeTHOR(options)
    var network = source.network
    return try (0..<steps).map {
      network = try optimizer.step(network, data(ofStep: $0), source.likelihood)
      return network
    }
  }

  static let perceptron = ShortRun(
    source: RandomNetwork(
      .perceptron, .tanh, .categorical, seed: 11, exampleCount: 24, outputCount: 3),
    batch: 8)
  static let convolution = ShortRun(
    source: RandomNetwork(
      .convolution, .softplus, .categorical, seed: 12, exampleCount: 24, outputCount: 3),
    batch: 8)
  static let sequence = ShortRun(
    source: RandomNetwork(
      .flattenedSequence, .tanh, .gaussian(variance: 0.7), seed: 13, exampleCount: 24),
    batch: 8)
  static let twoOutputs = ShortRun(
    source: RandomNetwork(
      .perceptron, .tanh, .categorical, seed: 14, exampleCount: 24, outputCount: 2),
    batch: 8)
  static let all = [perceptron, convolution, sequence, twoOutputs]

  /// Options whose batch size is the batch's.
  var options: MindSporeOptions {
    var options = MindSporeOptions(learningRate: [0.1], damping: [0.2], momentum: 0)
    options.batchSize = batch
    return options
  }
}
