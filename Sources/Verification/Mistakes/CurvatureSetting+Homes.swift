import Curvature
import DenseAlgebra
import Networks

// The settings in which mistakes are at home: N, C, M and the widths are different primes of at least
// 3, so that no two factors of scale coincide; inputs have mean ½, weights and biases are normal.
extension CurvatureSetting {
  /// 7-11-3-5, tanh, categorical, N = 17, rule `pi`.
  public static let dense = perceptron("dense", [7, 11, 3, 5], .categorical, seed: 3)

  /// The same with the rule `sqrt`: both shifts are √λ.
  public static let denseSqrt = dense.with(rule: .sqrt, name: "dense-sqrt")

  /// The same with the rule `factor`: both shifts are λ.
  public static let denseFactor = dense.with(rule: .factor, name: "dense-factor")

  /// The same with the rule `exact`: λ is added to A ⊗ G.
  public static let denseExact = dense.with(rule: .exact, name: "dense-exact")

  /// 7-11-3-5, tanh, Gaussian of variance 1, N = 17, rule `pi`.
  public static let gaussian = perceptron(
    "gaussian", [7, 11, 3, 5], .gaussian(variance: 1), seed: 5)

  /// 7-7-5 without biases, so that d_A = d_G in the first layer and sizes do not give an order away.
  public static let square = perceptron(
    "square", [7, 7, 5], .categorical, seed: 7, hasBias: false)

  /// `dense` at refresh 1, one step of length ½ away from refresh 0.
  public static let denseMoved: CurvatureSetting = {
    var moved = CurvatureSetting(
      name: "dense-moved", network: dense.network, data: dense.data, likelihood: dense.likelihood)
    let loss = LossGradient(dense.network, dense.data, dense.likelihood)
    moved.network = dense.network.adding(loss.gradient, scale: -0.5)
    moved.refresh = 1
    return moved
  }()

  /// `dense` with factors averaged over seven refreshes.
  public static let denseAveraged: CurvatureSetting = {
    var averaged = dense.with(rule: .pi, name: "dense-averaged")
    averaged.averagedRefreshes = 7
    return averaged
  }()

  /// `dense` with shifts of 1e-6 only: the softmax's G, which is singular, has a condition near 1e5.
  public static let denseIllConditioned: CurvatureSetting = {
    var weak = dense.with(rule: .sqrt, name: "dense-ill-conditioned")
    weak.lambda = 1e-12
    return weak
  }()

  /// A dense layer 3-11 shared by T = 7 positions, tanh, mean over positions, dense 11-5.
  public static let sequence = shared(
    "sequence", .sequence(positions: 7, features: 3), .dense(parameters: 0), inputs: 3)

  /// The same with the factors of `reduce`.
  public static let sequenceReduced: CurvatureSetting = {
    var reduced = sequence.with(rule: .pi, name: "sequence-reduced")
    reduced.sharing = .reduce
    return reduced
  }()

  /// A 2 × 3 kernel on images of 3 channels, 2 × 9: T = 7; 11 channels, tanh, mean, dense 11-5.
  public static let convolution = shared(
    "convolution", .image(channels: 3, height: 2, width: 9),
    .convolution(parameters: 0, window: Window(kernelHeight: 2, kernelWidth: 3)), inputs: 18)

  /// A shared layer with 11 outputs, tanh, the mean over positions and a dense layer with 5.
  private static func shared(
    _ name: String, _ shape: Shape, _ operation: Operation, inputs: Int
  ) -> CurvatureSetting {
    do {
      let network = try Network(
        inputShape: shape,
        nodes: [
          Node(operation, inputs: [0]), Node(.activation(.tanh), inputs: [1]),
          Node(.meanOverPositions, inputs: [2]), Node(.dense(parameters: 1), inputs: [3]),
        ],
        parameters: [
          ParameterBlock(
            name: "layer1", weights: Matrix(rowCount: 11, columnCount: inputs + 1), hasBias: true),
          ParameterBlock(
            name: "layer2", weights: Matrix(rowCount: 5, columnCount: 12), hasBias: true),
        ]
      ).initialized(.normal(standardDeviation: 0.5), seed: 11)
      let size = shape.count
      return CurvatureSetting(
        name: name, network: network,
        data: try Dataset.teacher(
          widths: [size, 5], activation: .tanh, likelihood: .categorical, count: 17, seed: 12),
        likelihood: .categorical)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// A multilayer perceptron with normal weights and biases, and data drawn by a teacher of its widths.
  static func perceptron(
    _ name: String, _ widths: [Int], _ likelihood: Likelihood, seed: UInt64, hasBias: Bool = true
  ) -> CurvatureSetting {
    do {
      let weights = zip(widths, widths.dropFirst()).map {
        Matrix(rowCount: $1, columnCount: $0 + (hasBias ? 1 : 0))
      }
      return CurvatureSetting(
        name: name,
        network: try Network.multilayerPerceptron(
          weights: weights, activations: Array(repeating: .tanh, count: widths.count - 2),
          hasBias: hasBias
        ).initialized(.normal(standardDeviation: 0.5), seed: seed),
        data: try Dataset.teacher(
          widths: widths, activation: .tanh, likelihood: likelihood, count: 17, seed: seed + 1),
        likelihood: likelihood)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
