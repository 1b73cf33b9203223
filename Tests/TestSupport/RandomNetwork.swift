import DenseAlgebra
import Networks

/// A small random network with data that fit it: widths 1 to 6, 1 to 20 examples.
///
/// Everything follows from architecture, activation, likelihood and seed, which the description
/// prints, so that a failing case can be made again.
public struct RandomNetwork: Sendable, CustomStringConvertible {
  /// Which kinds of node the network has.
  public enum Architecture: String, CaseIterable, Sendable {
    /// Dense layers with biases.
    case perceptron
    /// Dense layers without biases.
    case biasFree
    /// Dense layers at every position of a sequence, then the mean over positions.
    case sequence
    /// Dense at every position, flattened into a dense layer.
    case flattenedSequence
    /// A convolution with random kernel, stride and padding, flattened into a dense layer.
    case convolution
    /// A convolution, mean pooling, another convolution, the mean over positions, dense.
    case pooling
    /// Dense layers around which values are added.
    case residual
    /// One dense block used at two nodes, between two others.
    case tied
    /// One dense block used at two nodes at every position of a sequence.
    case tiedSequence
  }

  /// One likelihood of each kind; the variance is none of the values that hide a missing factor.
  public static let likelihoods: [Likelihood] = [
    .categorical, .gaussian(variance: 0.7), .bernoulli,
  ]

  /// Every architecture with every activation and likelihood, one seed each.
  public static let everyCase: [RandomNetwork] = Architecture.allCases.flatMap { architecture in
    Activation.allCases.flatMap { activation in
      likelihoods.map { RandomNetwork(architecture, activation, $0, seed: 1) }
    }
  }

  public let network: Network
  public let data: Dataset
  public let likelihood: Likelihood
  public let architecture: Architecture
  public let activation: Activation
  public let seed: UInt64

  public var description: String {
    "\(architecture.rawValue), \(activation.rawValue), \(likelihood), seed \(seed), N = \(data.count)"
  }

  /// Draws sizes, weights (with biases, standard deviation 1/√fan-in or more), inputs (mean 0.5)
  /// and targets (from the network's own distribution); `exampleCount` fixes N, `outputCount` C, and
  /// no width is above `widthLimit`.
  public init(
    _ architecture: Architecture, _ activation: Activation = .tanh,
    _ likelihood: Likelihood = .categorical, seed: UInt64, exampleCount: Int? = nil,
    outputCount: Int? = nil, widthLimit: Int = 6
  ) {
    var random = SplitMix64(seed: seed)
    let outputs = outputCount ?? (likelihood == .categorical ? 2 : 1) + random.below(3)
    var draft = Draft(
      random: random, activation: activation, hasBias: architecture != .biasFree,
      widthLimit: widthLimit)
    let input = draft.build(architecture, outputCount: outputs)
    random = draft.random

    let network: Network
    do {
      network = try Network(inputShape: input, nodes: draft.nodes, parameters: draft.parameters)
    } catch {
      preconditionFailure("\(architecture), seed \(seed): \(error)")
    }
    let count = exampleCount ?? 1 + random.below(20)
    let inputs = Matrix(
      rowCount: input.count, columnCount: count,
      storage: (0..<input.count * count).map { _ in 0.5 + random.normal() })
    self.network = network
    self.data = Dataset(
      name: "random", inputs: inputs,
      targets: likelihood.sampledTargets(network.forward(inputs).output, using: &random))
    self.likelihood = likelihood
    self.architecture = architecture
    self.activation = activation
    self.seed = seed
  }

  /// The same with another network or other data, for cases derived from this one.
  init(_ original: RandomNetwork, network: Network, data: Dataset) {
    self.network = network
    self.data = data
    likelihood = original.likelihood
    architecture = original.architecture
    activation = original.activation
    seed = original.seed
  }

  /// A direction in parameter space with standard normal entries.
  public func direction(seed: UInt64) -> ParameterVector {
    var generator = Generator(seed: seed)
    return ParameterVector(
      blocks: network.layout.blocks.map { generator.normal($0.rowCount, $0.columnCount) })
  }
}

/// A network being written down, node after node.
private struct Draft {
  var random: SplitMix64
  let activation: Activation
  let hasBias: Bool
  let widthLimit: Int
  var nodes: [Node] = []
  var parameters: [ParameterBlock] = []

  /// Draws 1...bound.
  mutating func upTo(_ bound: Int) -> Int { 1 + random.below(bound) }

  /// Draws a width of 1...bound, at most the limit.
  mutating func width(_ bound: Int) -> Int { upTo(min(bound, widthLimit)) }

  /// Adds a block of the given size and returns its index.
  mutating func block(_ rows: Int, _ inputs: Int) -> Int {
    let columns = inputs + (hasBias ? 1 : 0)
    let scale = (0.8 + 0.7 * random.uniform()) / Double(inputs).squareRoot()
    let weights = Matrix(
      rowCount: rows, columnCount: columns,
      storage: (0..<rows * columns).map { _ in scale * random.normal() })
    parameters.append(
      ParameterBlock(name: "layer\(parameters.count + 1)", weights: weights, hasBias: hasBias))
    return parameters.count - 1
  }

  /// Adds a node that reads the newest value.
  mutating func then(_ operation: Operation) {
    nodes.append(Node(operation, inputs: [nodes.count]))
  }

  mutating func thenDense(_ rows: Int, _ inputs: Int) {
    then(.dense(parameters: block(rows, inputs)))
  }

  mutating func thenActivation() { then(.activation(activation)) }

  /// A window of random kernel, stride and padding for an image of at least 3 × 3.
  mutating func window() -> Window {
    let (height, width) = (upTo(3), upTo(3))
    return Window(
      kernelHeight: height, kernelWidth: width, rowStride: upTo(2), columnStride: upTo(2),
      rowPadding: random.below(height), columnPadding: random.below(width))
  }

  /// Adds the nodes of an architecture and returns the shape of its input.
  mutating func build(
    _ architecture: RandomNetwork.Architecture, outputCount: Int
  ) -> Shape {
    switch architecture {
    case .perceptron, .biasFree:
      let widths = (0..<2 + upTo(2)).map { _ in width(6) }
      for (from, to) in zip(widths, widths.dropFirst()) {
        thenDense(to, from)
        thenActivation()
      }
      thenDense(outputCount, widths[widths.count - 1])
      return .vector(widths[0])
    case .sequence, .flattenedSequence:
      let (positions, features, width) = (1 + upTo(3), width(3), width(4))
      thenDense(width, features)
      thenActivation()
      if architecture == .sequence {
        thenDense(outputCount, width)
        then(.meanOverPositions)
      } else {
        then(.flatten)
        thenDense(outputCount, positions * width)
      }
      return .sequence(positions: positions, features: features)
    case .convolution:
      let image = (channels: width(2), height: 2 + upTo(3), width: 2 + upTo(3))
      let (window, channels) = (window(), width(3))
      then(
        .convolution(
          parameters: block(channels, image.channels * window.kernelHeight * window.kernelWidth),
          window: window))
      thenActivation()
      then(.flatten)
      let rows = (image.height + 2 * window.rowPadding - window.kernelHeight) / window.rowStride + 1
      let columns =
        (image.width + 2 * window.columnPadding - window.kernelWidth) / window.columnStride + 1
      thenDense(outputCount, channels * rows * columns)
      return .image(channels: image.channels, height: image.height, width: image.width)
    case .pooling:
      let (inputs, first, second) = (width(2), width(3), width(3))
      let small = Window(kernelHeight: 2, kernelWidth: 3, columnPadding: 1)
      then(.convolution(parameters: block(first, inputs * 6), window: small))
      thenActivation()
      then(
        .meanPooling(
          Window(
            kernelHeight: 2, kernelWidth: 2, rowStride: upTo(2), columnStride: upTo(2),
            rowPadding: random.below(2), columnPadding: random.below(2))))
      then(
        .convolution(
          parameters: block(second, first * 2),
          window: Window(kernelHeight: 1, kernelWidth: 2, columnPadding: 1)))
      thenActivation()
      then(.meanOverPositions)
      thenDense(outputCount, second)
      return .image(channels: inputs, height: 3 + upTo(3), width: 2 + upTo(3))
    case .residual:
      let (inputs, width) = (width(4), width(4))
      thenDense(width, inputs)  // value 1
      thenActivation()  // value 2
      thenDense(width, width)  // value 3
      thenActivation()  // value 4
      nodes.append(Node(.addition, inputs: [4, 2, 1]))  // value 5
      nodes.append(Node(.addition, inputs: [5, 5]))  // value 6: one value read twice
      nodes.append(Node(.addition, inputs: [2, 6]))  // value 7: a value read by three nodes
      thenDense(outputCount, width)
      return .vector(inputs)
    case .tied, .tiedSequence:
      let (inputs, width) = (width(4), width(4))
      thenDense(width, inputs)
      thenActivation()
      let shared = block(width, width)
      then(.dense(parameters: shared))
      thenActivation()
      then(.dense(parameters: shared))
      thenActivation()
      thenDense(outputCount, width)
      guard architecture == .tiedSequence else { return .vector(inputs) }
      then(.meanOverPositions)
      return .sequence(positions: 1 + upTo(3), features: inputs)
    }
  }
}
