import Curvature
import DenseAlgebra
import Networks
import Optimization

/// What the items on single steps share: the network of Figure 4, its training, and its states.
enum StepStudy {
  static let likelihood = Likelihood.categorical
  static let limit = MemoryLimit.standard

  /// The λ and the learning rate of the paper's Eq. 13 at epoch 0.
  static let lambda = 0.3
  static let learningRate = 0.1
  static let batch = 256

  /// 784-20-20-20-10 on 28 × 28 pixels and ten classes.
  static func widths(_ data: TrainingData) -> [Int] {
    [data.training.inputs.rowCount, 20, 20, 20, data.classCount]
  }

  /// The widths as in 784-20-20-20-10.
  static func label(_ data: TrainingData) -> String {
    widths(data).map { "\($0)" }.joined(separator: "-")
  }

  /// A figure's second line.
  static func subtitle(_ data: TrainingData, _ rest: String) -> String {
    "layers 2–4 of \(label(data)), \(data.training.name); \(rest)"
  }

  /// The sentence on network, data and training.
  static func setting(_ context: ReproductionContext) -> String {
    let data = context.data.training
    let count = context.seeds.count
    return
      "Network \(label(data)) (ReLU, He start), the paper's Figure 4, on \(data.training.count) "
      + "examples of \(data.training.name); batches of \(min(batch, data.training.count)); exact "
      + "Fisher. Trained by KFAC with λ = \(lambda) on each factor at the rate \(learningRate) (Eqs. 6 "
      + "and 13), all layers, factors of every fifth batch, no momentum. Compared: layers 2–4 "
      + "together. \(count == 1 ? "One seed" : "\(count) seeds")."
  }

  /// Examples that were not trained on.
  static func heldOut(_ context: ReproductionContext) -> Dataset {
    let test = context.data.training.test
    return test.subset(Array(0..<min(1000, test.count)))
  }

  /// The states of a seed's training run before the steps of some iterations.
  static func states(_ data: TrainingData, seed: UInt64, iterations: [Int]) throws -> [TailState] {
    var options = KroneckerPreconditioner.Options()
    options.lambda = .constant(lambda)
    options.factorInterval = .constant(5)
    options.inverseInterval = .constant(5)
    var optimizer = PreconditionedDescent(
      try KroneckerPreconditioner(options, name: "kfac"),
      DescentRule(learningRate: .constant(learningRate)))
    var network = try Network.multilayerPerceptron(
      widths: widths(data), activation: .relu, initialization: .he, seed: seed)
    let size = min(batch, data.training.count)
    var batches = BatchSequence(count: data.training.count, batch: size, seed: seed ^ 0xBA7C_4E5)
    var states: [TailState] = []
    let last = iterations.max() ?? 0
    for iteration in 0...last {
      let batch = data.training.subset(batches.next())
      if iterations.contains(iteration) {
        states.append(
          try TailState(network, batch: batch, seed: seed, iteration: iteration))
      }
      guard iteration < last else { break }
      network = try optimizer.step(network, batch, likelihood)
      guard network.parameters.allSatisfy({ $0.weights.storage.allSatisfy(\.isFinite) }) else {
        throw DivergedTraining(seed: seed, step: iteration)
      }
    }
    return states
  }

  /// One of the measured numbers.
  static func value(_ metric: ErrorMetric, in values: [MetricValue]) -> Double? {
    values.first { $0.metric == metric }?.value
  }

  /// The exact Fisher of all layers of a network on some examples, dense.
  static func fisher(_ network: Network, _ data: Dataset) throws(CurvatureError) -> DenseStructure {
    let samples = GradientSamples(network, data, likelihood: likelihood, kind: .exact)
    return DenseStructure(
      kind: .exact, layout: samples.layout,
      matrix: try ExactFisher(samples).dense(within: limit))
  }

  /// The diagonal blocks of a dense Fisher, layer by layer.
  static func blocks(of fisher: DenseStructure) -> LayerwiseStructure<DenseStructure> {
    LayerwiseStructure(
      zip(fisher.layout.blocks, fisher.layout.offsets).map { block, offset in
        let range = offset..<offset + block.count
        return DenseStructure(
          kind: .blockDiagonal, layout: ParameterLayout(blocks: [block]),
          matrix: fisher.matrix.block(rows: range, columns: range))
      })
  }

  /// The samples of every layer.
  static func layers(_ samples: GradientSamples) -> [LayerSamples] {
    samples.blocks.indices.map { LayerSamples(samples, block: $0) }
  }

  /// A ⊗ G of each layer, split where a block size is given.
  static func kronecker(_ factors: [KFACFactors], _ layout: ParameterLayout, split: Int?)
    -> LayerwiseStructure<KroneckerBlock>
  {
    func factor(_ matrix: Matrix) -> KroneckerFactor {
      split.map { KroneckerFactor(matrix, blockSize: $0) } ?? KroneckerFactor(matrix)
    }
    return LayerwiseStructure(
      zip(factors, layout.blocks).map { factors, block in
        KroneckerBlock(
          kind: split == nil ? .kfac : .kfacSplit, layout: ParameterLayout(blocks: [block]),
          a: factor(factors.a), g: factor(factors.g))
      })
  }
}

/// Layers 2, 3 and 4 of a training state as a network of their own, fed with layer 1's outputs.
///
/// The gradients and the Fisher of these layers are those of the whole network, and the loss after a
/// step that moves only them costs a thousandth of a whole forward pass.
struct TailState: Sendable {
  let seed: UInt64
  let iteration: Int
  let network: Network
  /// The batch of the iteration's step.
  let batch: Dataset
  private let whole: Network

  init(_ whole: Network, batch: Dataset, seed: UInt64, iteration: Int) throws {
    self.seed = seed
    self.iteration = iteration
    self.whole = whole
    network = try Network.multilayerPerceptron(
      weights: whole.parameters.dropFirst().map(\.weights),
      activations: Array(repeating: .relu, count: whole.parameters.count - 2))
    self.batch = TailState.outputs(of: whole, batch)
  }

  /// Any examples as layers 2–4 see them in this state.
  func examples(_ data: Dataset) -> Dataset { TailState.outputs(of: whole, data) }

  private static func outputs(of network: Network, _ data: Dataset) -> Dataset {
    // Value 0 is the input, 1 the first pre-activation, 2 its activation.
    Dataset(
      name: data.name, inputs: network.forward(data.inputs).values[2], targets: data.targets)
  }

  /// The loss of some of the state's examples before a step, and the decrease after one.
  func decrease(on data: Dataset) -> @Sendable (_ step: ParameterVector, _ length: Double) -> Double
  {
    let before = LossGradient(network, data, StepStudy.likelihood).loss
    let outputs = network.forward(data.inputs).output
    let network = network
    return { step, length in
      StepOutcome(
        network, data, StepStudy.likelihood, outputs: outputs, loss: before, step: step,
        blocks: Array(step.blocks.indices), length: length
      ).decrease
    }
  }
}
