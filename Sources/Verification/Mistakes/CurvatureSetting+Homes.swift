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
