import Curvature
import DenseAlgebra
import Experiments
import Networks
import Optimization
import RealModule

/// Chapter 02's network on Fashion-MNIST: four matrices of layers 2 to 4 along its training.
struct FisherStudy: Sendable {
  static let widths = [784, 20, 20, 20, 10]
  static let batch = 128
  static let learningRate = 3e-3
  static let steps = [0, 1, 2, 5, 10, 20, 50, 100, 200, 400]
  /// The steps at which the Hessian is formed; the heat maps are of one of them.
  static let hessianSteps = [0, 10, 50, 100, 400]
  static let shownStep = 50
  static let sampleCounts = [1, 2, 4, 8, 16, 32, 64, 128, 256]
  static let repetitions = 12
  static let seed: UInt64 = 2
  static let likelihood = Likelihood.categorical

  /// One moment of the training.
  struct State: Sendable {
    let step: Int
    let loss: Double
    let accuracy: Double
    let exact, empirical: Matrix
    /// One drawn label for each image.
    let sampled: Matrix
    let hessian: Matrix?
    /// Eigenvalues of the Hessian below −1e-6 of its largest: what the differences leave certain.
    let negativeEigenvalues: Int?
    /// The root-mean-square relative error that one drawn label for each image must have.
    let expectedError: Double
  }

  let states: [State]
  /// Where layers 3 and 4 begin.
  let boundaries: [Int]
  /// The Monte-Carlo errors of the shown state: number of samples, seed, relative error.
  let errors: [(samples: Int, seed: Int, error: Double)]

  init(_ context: ChapterContext) throws {
    let data = context.fashionMNIST.dataset.subset(Array(0..<FisherStudy.batch))
    var network = try Network.multilayerPerceptron(
      widths: FisherStudy.widths, activation: .tanh, initialization: .glorot,
      seed: FisherStudy.seed)
    var optimizer = PreconditionedDescent(
      AdamPreconditioner(), DescentRule(learningRate: .constant(FisherStudy.learningRate)))
    var tails: [(step: Int, network: Network, data: Dataset)] = []
    let last = FisherStudy.steps.max() ?? 0
    for step in 0...last {
      if FisherStudy.steps.contains(step) {
        let tail = try FisherStudy.tail(of: network, data)
        tails.append((step, tail.network, tail.data))
      }
      context.progress("training", step, last)
      if step < last { network = try optimizer.step(network, data, FisherStudy.likelihood) }
    }
    boundaries = Array(tails[0].network.layout.offsets.dropFirst())
    let moments = tails
    states = try Parallel.map(moments.count, "matrices", context.progress) {
      try FisherStudy.state(moments[$0].step, moments[$0].network, moments[$0].data)
    }
    guard let shown = moments.first(where: { $0.step == FisherStudy.shownStep }),
      let exact = states.first(where: { $0.step == FisherStudy.shownStep })?.exact
    else { preconditionFailure("the shown step is not among the steps") }
    let runs = FisherStudy.sampleCounts.flatMap { samples in
      (0..<FisherStudy.repetitions).map { (samples: samples, seed: $0) }
    }
    errors = try Parallel.map(runs.count, "samples", context.progress) { index in
      let run = runs[index]
      let drawn = try FisherStudy.fisher(
        shown.network, shown.data,
        .monteCarlo(samples: run.samples, seed: UInt64(1000 * run.samples + run.seed)))
      return (run.samples, run.seed, drawn.relativeError(to: exact))
    }
  }

  /// Layers 2 to 4 as a network of their own, fed with layer 1's outputs.
  static func tail(of whole: Network, _ data: Dataset) throws -> (network: Network, data: Dataset) {
    let network = try Network.multilayerPerceptron(
      weights: whole.parameters.dropFirst().map(\.weights),
      activations: Array(repeating: .tanh, count: whole.parameters.count - 2))
    // Value 0 is the input, 1 the first pre-activation, 2 its activation.
    let inputs = whole.forward(data.inputs).values[2]
    return (network, Dataset(name: data.name, inputs: inputs, targets: data.targets))
  }

  static func fisher(_ network: Network, _ data: Dataset, _ kind: FisherKind) throws -> Matrix {
    let samples = GradientSamples(network, data, likelihood: likelihood, kind: kind)
    return try ExactFisher(samples).dense(within: .standard)
  }

  private static func state(_ step: Int, _ network: Network, _ data: Dataset) throws -> State {
    let outputs = network.forward(data.inputs).output
    let exact = try fisher(network, data, .exact)
    let hessian =
      hessianSteps.contains(step) ? Hessian(network, data, likelihood).matrix : nil
    let eigenvalues = try hessian.map { try SymmetricEigendecomposition.values(of: $0).elements }
    return State(
      step: step, loss: LossGradient(network, data, likelihood).loss,
      accuracy: accuracy(outputs, data.targets), exact: exact,
      empirical: try fisher(network, data, .empirical),
      sampled: try fisher(network, data, .monteCarlo(samples: 1, seed: 1)),
      hessian: hessian,
      negativeEigenvalues: eigenvalues.map { values in
        values.count { $0 < -1e-6 * (values.last ?? 0) }
      },
      expectedError: variance(network, data, outputs).squareRoot() / exact.frobeniusNorm)
  }

  private static func accuracy(_ outputs: Matrix, _ targets: Targets) -> Double {
    guard case .labels(let labels) = targets else { return 0 }
    let right = labels.enumerated().count { n, label in
      (0..<outputs.rowCount).allSatisfy { outputs[$0, n] <= outputs[label, n] }
    }
    return Double(right) / Double(labels.count)
  }

  /// E‖F₁ − F‖² of one drawn label for each example: (1/N²) Σₙ (Σ_c p_c ‖u_c‖⁴ − ‖Fₙ‖²).
  ///
  /// The columns √p_c u_c of the exact Fisher have the inner products k_cd = √(p_c p_d) ⟨u_c, u_d⟩,
  /// so the two sums are Σ_c k_cc²/p_c and Σ_cd k_cd².
  private static func variance(_ network: Network, _ data: Dataset, _ outputs: Matrix) -> Double {
    let samples = GradientSamples(network, data, likelihood: likelihood, kind: .exact)
    let layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    let count = outputs.rowCount
    var sum = 0.0
    for n in 0..<data.count {
      let logits = outputs.column(n).elements
      let top = logits.max() ?? 0
      let weights = logits.map { Double.exp($0 - top) }
      let total = weights.reduce(0, +)
      var products = Matrix(rowCount: count, columnCount: count)
      for layer in layers {
        let input = layer.inputs.column(n)
        let square = input.dot(input)
        for c in 0..<count {
          let first = layer.gradients[c].column(n)
          for d in 0..<count {
            products[c, d] += square * first.dot(layer.gradients[d].column(n))
          }
        }
      }
      for c in 0..<count {
        let p = weights[c] / total
        if p > 0 { sum += products[c, c] * products[c, c] / p }
      }
      sum -= products.dot(products)
    }
    return sum / Double(data.count * data.count)
  }
}

/// The Hessian of the mean loss by central differences of its gradient.
struct Hessian {
  static let step = 1e-5
  /// The symmetric part.
  let matrix: Matrix
  /// The relative size of what is not symmetric: an estimate of the differences' error.
  let asymmetry: Double

  init(_ network: Network, _ data: Dataset, _ likelihood: Likelihood) {
    let layout = network.layout
    var storage: [Double] = []
    storage.reserveCapacity(layout.count * layout.count)
    for index in 0..<layout.count {
      var unit = Vector.zero(layout.count)
      unit[index] = 1
      let direction = ParameterVector(unit, layout: layout)
      let ahead = network.adding(direction, scale: Hessian.step)
      let behind = network.adding(direction, scale: -Hessian.step)
      let change =
        LossGradient(ahead, data, likelihood).gradient
        - LossGradient(behind, data, likelihood).gradient
      storage += change.flattened.elements.map { $0 / (2 * Hessian.step) }
    }
    let raw = Matrix(rowCount: layout.count, columnCount: layout.count, storage: storage)
    matrix = raw.symmetrized
    asymmetry = raw.relativeError(to: matrix)
  }
}

/// A network of 39 parameters and eleven examples: small enough to print, and for Python's cells.
struct SmallRegression: Sendable {
  static let scales = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]
  static let likelihood = Likelihood.gaussian(variance: 1)

  let network: Network
  let inputs: Matrix
  let outputs: Matrix
  /// Targets at residual scale 1.
  let targets: Matrix
  let labels: [Int]

  /// One scale t of the residuals: y = z + t r.
  struct Point: Sendable {
    let scale: Double
    let empiricalNorm, empiricalDistance, hessianDistance: Double
  }

  let points: [Point]

  init() throws {
    let network = try Network.multilayerPerceptron(
      widths: [5, 4, 3], activation: .tanh, initialization: .normal(standardDeviation: 0.7),
      seed: 20)
    var generator = SplitMix64(seed: 21)
    let inputs = Matrix(
      rowCount: 5, columnCount: 11, storage: (0..<55).map { _ in 0.5 + generator.normal() })
    let outputs = network.forward(inputs).output
    let residuals = Matrix(
      rowCount: 3, columnCount: 11, storage: (0..<33).map { _ in generator.normal() })
    func data(_ scale: Double) -> Dataset {
      Dataset(name: "small", inputs: inputs, targets: .values(outputs + scale * residuals))
    }
    func fisher(_ scale: Double, _ kind: FisherKind) throws -> Matrix {
      let samples = GradientSamples(
        network, data(scale), likelihood: SmallRegression.likelihood, kind: kind)
      return try ExactFisher(samples).dense(within: .standard)
    }
    let exact = try fisher(1, .exact)
    points = try SmallRegression.scales.map { scale in
      let empirical = try fisher(scale, .empirical)
      let hessian = Hessian(network, data(scale), SmallRegression.likelihood).matrix
      return Point(
        scale: scale, empiricalNorm: empirical.frobeniusNorm / exact.frobeniusNorm,
        empiricalDistance: empirical.relativeError(to: exact),
        hessianDistance: hessian.relativeError(to: exact))
    }
    guard
      case .labels(let labels) = Likelihood.categorical.sampledTargets(outputs, using: &generator)
    else { preconditionFailure("labels were drawn") }
    self.network = network
    self.inputs = inputs
    self.outputs = outputs
    self.targets = outputs + residuals
    self.labels = labels
  }
}
