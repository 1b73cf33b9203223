import Curvature
import DenseAlgebra
import Experiments
import Networks
import Optimization
import RealModule

/// Chapter 03's network of 39 parameters, and its exact Fisher by five routes.
struct FiveRoutes: Sendable {
  static let inputCount = 7
  static let classCount = 3
  static let likelihood = Likelihood.categorical
  /// The step of the second difference in the table.
  static let divergenceStep = 1e-4

  enum Route: String, CaseIterable, Sendable {
    case labels
    case root
    case jacobian
    case vectors
    case divergence
  }

  let network: Network
  let inputs: Matrix
  let outputs: Matrix
  /// p(c | xₙ), C × N.
  let probabilities: Matrix
  let fishers: [Route: Matrix]
  /// The part of each class: (1/N) Σₙ p(c | xₙ) u uᵀ.
  let classParts: [Matrix]

  init() throws {
    let network = try Network.multilayerPerceptron(
      widths: [5, 4, FiveRoutes.classCount], activation: .tanh,
      initialization: .normal(standardDeviation: 0.7), seed: 30)
    var generator = SplitMix64(seed: 31)
    let inputs = Matrix(
      rowCount: 5, columnCount: FiveRoutes.inputCount,
      storage: (0..<5 * FiveRoutes.inputCount).map { _ in 0.5 + generator.normal() })
    self.network = network
    self.inputs = inputs
    outputs = network.forward(inputs).output
    probabilities = FiveRoutes.softmax(outputs)
    let gradients = FiveRoutes.labelGradients(network, inputs)
    classParts = FiveRoutes.classParts(gradients, probabilities)
    var sum = classParts[0]
    for part in classParts.dropFirst() { sum.add(1, times: part) }
    let samples = GradientSamples(
      network, FiveRoutes.data(inputs, Array(repeating: 0, count: FiveRoutes.inputCount)),
      likelihood: FiveRoutes.likelihood, kind: .exact)
    fishers = [
      .labels: sum,
      .root: try ExactFisher(samples).dense(within: .standard),
      .jacobian: FiveRoutes.jacobianForm(network, inputs),
      .vectors: FiveRoutes.labelVectors(gradients, probabilities),
      .divergence: FiveRoutes.secondDifference(
        of: { FiveRoutes.divergence(network, inputs, $0) }, layout: network.layout,
        step: FiveRoutes.divergenceStep),
    ]
  }

  /// −log₁₀ of the relative distance, whole digits, at most 15.
  static func digits(_ matrix: Matrix, _ reference: Matrix) -> Int {
    let error = matrix.relativeError(to: reference)
    return error < 1e-15 ? 15 : max(0, Int((-Double.log10(error)).rounded(.down)))
  }

  static func data(_ inputs: Matrix, _ labels: [Int]) -> Dataset {
    Dataset(name: "small", inputs: inputs, targets: .labels(labels))
  }

  static func softmax(_ outputs: Matrix) -> Matrix {
    var result = outputs
    for n in 0..<outputs.columnCount {
      let column = outputs.column(n).elements
      let top = column.max() ?? 0
      let weights = column.map { Double.exp($0 - top) }
      let total = weights.reduce(0, +)
      for c in weights.indices { result[c, n] = weights[c] / total }
    }
    return result
  }

  /// u(xₙ, c) by n, then by c: one loss gradient for each input and each label.
  static func labelGradients(_ network: Network, _ inputs: Matrix) -> [[Vector]] {
    (0..<inputs.columnCount).map { n in
      let one = Matrix(
        rowCount: inputs.rowCount, columnCount: 1, storage: inputs.column(n).elements)
      return (0..<network.outputCount).map { label in
        LossGradient(network, data(one, [label]), likelihood).gradient.flattened
      }
    }
  }

  private static func classParts(_ gradients: [[Vector]], _ probabilities: Matrix) -> [Matrix] {
    let (count, size) = (gradients.count, gradients[0][0].count)
    return (0..<probabilities.rowCount).map { c in
      var part = Matrix(rowCount: size, columnCount: size)
      // lesson: enumerate-labels
      for n in 0..<count {
        let u = gradients[n][c]
        let weight = probabilities[c, n] / Double(count)
        for j in 0..<size {
          for i in 0..<size { part[i, j] += weight * u[i] * u[j] }
        }
      }
      // end lesson
      return part
    }
  }

  /// (1/N) Σ Jᵀ H J with J from one backward pass for each output.
  private static func jacobianForm(_ network: Network, _ inputs: Matrix) -> Matrix {
    let size = network.layout.count
    var fisher = Matrix(rowCount: size, columnCount: size)
    for n in 0..<inputs.columnCount {
      let one = Matrix(
        rowCount: inputs.rowCount, columnCount: 1, storage: inputs.column(n).elements)
      let tape = network.forward(one)
      var rows: [[Double]] = []
      for c in 0..<network.outputCount {
        var unit = Matrix(rowCount: network.outputCount, columnCount: 1)
        unit[c, 0] = 1
        let pulled = network.pullback(unit, through: tape)
        rows.append(zip(tape.uses, pulled).flatMap { $1.timesTransposed($0.inputs).storage })
      }
      let jacobian = Matrix(rows: rows)
      let hessian = likelihood.hessian(tape.output.column(0))
      fisher.add(
        1 / Double(inputs.columnCount), times: jacobian.transposedTimes(hessian * jacobian))
    }
    return fisher
  }

  /// Σ over all Cᴺ label vectors y of P(y) N ḡ ḡᵀ, ḡ the mean gradient for these labels.
  private static func labelVectors(_ gradients: [[Vector]], _ probabilities: Matrix) -> Matrix {
    let (count, size) = (gradients.count, gradients[0][0].count)
    let classes = probabilities.rowCount
    var fisher = Matrix(rowCount: size, columnCount: size)
    var labels = [Int](repeating: 0, count: count)
    while true {
      var probability = 1.0
      var mean = Vector.zero(size)
      for n in 0..<count {
        probability *= probabilities[labels[n], n]
        mean.add(1 / Double(count), times: gradients[n][labels[n]])
      }
      let weight = probability * Double(count)
      for j in 0..<size {
        for i in 0..<size { fisher[i, j] += weight * mean[i] * mean[j] }
      }
      guard let next = labels.firstIndex(where: { $0 < classes - 1 }) else { return fisher }
      labels[next] += 1
      for n in 0..<next { labels[n] = 0 }
    }
  }

  // MARK: - Second differences

  /// The mean KL divergence from θ to θ + δ.
  static func divergence(_ network: Network, _ inputs: Matrix, _ step: ParameterVector) -> Double {
    let from = network.forward(inputs).output
    let to = network.adding(step, scale: 1).forward(inputs).output
    let values = likelihood.divergence(from: from, to: to)
    return values.reduce(0, +) / Double(values.count)
  }

  /// The same as Σ p (log p − log q), as it stands in a textbook.
  static func plainDivergence(_ network: Network, _ inputs: Matrix, _ step: ParameterVector)
    -> Double
  {
    let p = softmax(network.forward(inputs).output)
    let q = softmax(network.adding(step, scale: 1).forward(inputs).output)
    var sum = 0.0
    for index in p.storage.indices {
      sum += p.storage[index] * (Double.log(p.storage[index]) - Double.log(q.storage[index]))
    }
    return sum / Double(p.columnCount)
  }

  /// (K(i,j) − K(i,−j) − K(−i,j) + K(−i,−j)) / 4h² for every pair of coordinates.
  static func secondDifference(
    of function: (ParameterVector) -> Double, layout: ParameterLayout, step h: Double
  ) -> Matrix {
    let size = layout.count
    var result = Matrix(rowCount: size, columnCount: size)
    for i in 0..<size {
      for j in 0...i {
        // lesson: second-difference
        func value(_ first: Double, _ second: Double) -> Double {
          var step = Vector.zero(size)
          step[i] += first
          step[j] += second
          return function(ParameterVector(step, layout: layout))
        }
        let along = value(h, h) + value(-h, -h)
        let across = value(h, -h) + value(-h, h)
        result[i, j] = (along - across) / (4 * h * h)
        // end lesson
        result[j, i] = result[i, j]
      }
    }
    return result
  }

  /// Differences of the gradient of θ' ↦ mean KL(p_θ ‖ p_θ'), whose cotangent is p' − p.
  static func gradientDifference(_ network: Network, _ inputs: Matrix, step h: Double) -> Matrix {
    let layout = network.layout
    let p = softmax(network.forward(inputs).output)
    func gradient(_ index: Int, _ shift: Double) -> Vector {
      var step = Vector.zero(layout.count)
      step[index] = shift
      let moved = network.adding(ParameterVector(step, layout: layout), scale: 1)
      let tape = moved.forward(inputs)
      let pulled = moved.pullback(softmax(tape.output) - p, through: tape)
      let parts = zip(tape.uses, pulled).flatMap { $1.timesTransposed($0.inputs).storage }
      return (1 / Double(inputs.columnCount)) * Vector(parts)
    }
    var storage: [Double] = []
    for index in 0..<layout.count {
      let change = gradient(index, h) - gradient(index, -h)
      storage += change.elements.map { $0 / (2 * h) }
    }
    return Matrix(rowCount: layout.count, columnCount: layout.count, storage: storage)
  }
}

/// The square of the mean gradient against the mean of squares, on Fashion-MNIST.
struct SquareOfMean: Sendable {
  static let batches = [1, 2, 4, 8, 16, 32, 64, 128, 256]
  static let draws = 40
  static let widths = [784, 20, 20, 20, 10]
  static let trainedSteps = 100
  static let likelihood = Likelihood.categorical

  /// ‖mean‖² / mean of ‖·‖² for one batch size.
  struct Point: Sendable {
    let batch: Int
    /// Labels drawn from the model: the mean over draws, the least and the greatest.
    let drawn, least, greatest: Double
    /// Labels of the data, before and after training.
    let start, trained: Double
  }

  let points: [Point]

  init(_ context: ChapterContext) throws {
    let data = context.fashionMNIST.dataset.subset(Array(0..<256))
    let start = try Network.multilayerPerceptron(
      widths: SquareOfMean.widths, activation: .tanh, initialization: .glorot, seed: 3)
    var optimizer = PreconditionedDescent(
      AdamPreconditioner(), DescentRule(learningRate: .constant(3e-3)))
    var trained = start
    for step in 0..<SquareOfMean.trainedSteps {
      trained = try optimizer.step(trained, data, SquareOfMean.likelihood)
      context.progress("training", step + 1, SquareOfMean.trainedSteps)
    }
    let before = SquareOfMean.Gradients(start, data, .empirical)
    let after = SquareOfMean.Gradients(trained, data, .empirical)
    let samples = SquareOfMean.Gradients(
      start, data, .monteCarlo(samples: SquareOfMean.draws, seed: 32))
    points = SquareOfMean.batches.map { batch in
      let drawn = (0..<SquareOfMean.draws).map { samples.ratio(batch, column: $0) }
      return Point(
        batch: batch, drawn: drawn.reduce(0, +) / Double(drawn.count),
        least: drawn.min() ?? 0, greatest: drawn.max() ?? 0,
        start: before.ratio(batch, column: 0), trained: after.ratio(batch, column: 0))
    }
  }

  /// Gradients of layers 2 to 4 for single examples.
  struct Gradients: Sendable {
    private let layers: [LayerSamples]

    init(_ network: Network, _ data: Dataset, _ kind: FisherKind) {
      let samples = GradientSamples(
        network, data, likelihood: SquareOfMean.likelihood, kind: kind, blocks: [1, 2, 3])
      layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    }

    /// Σ‖mean over a batch‖² / Σ mean of squares, over all disjoint batches of a size.
    func ratio(_ batch: Int, column: Int) -> Double {
      var (above, below) = (0.0, 0.0)
      for layer in layers {
        for first in stride(from: 0, to: layer.exampleCount, by: batch) {
          let range = first..<first + batch
          let x = layer.inputs.block(rows: 0..<layer.inputSize, columns: range)
          let y = layer.gradients[column].block(rows: 0..<layer.outputSize, columns: range)
          let mean = (1 / Double(batch)) * y.timesTransposed(x)
          above += mean.dot(mean)
          for n in 0..<batch {
            let (input, output) = (x.column(n), y.column(n))
            below += input.dot(input) * output.dot(output) / Double(batch)
          }
        }
      }
      return above / below
    }
  }
}
