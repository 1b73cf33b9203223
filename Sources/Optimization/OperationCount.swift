import Curvature
import DenseAlgebra
import Networks

/// Floating-point operations by formula, a multiplication and an addition each counted as one.
///
/// Counts compare methods where times depend on a machine; lower-order terms (biases, activations,
/// scaling) are left out. Sources: Golub and Van Loan, Matrix Computations, 4th edition, sections 1.2,
/// 4.2 and 8.3; the specification, sections 6.2 and 7.4.
public enum OperationCount {
  /// One pass through the network: 2 Σ d_A d_G N T over all uses of all blocks.
  static func pass(_ network: Network, examples: Int) -> Double {
    network.nodes.indices.reduce(0) { sum, index in
      guard let block = network.nodes[index].operation.parameters else { return sum }
      let weights = network.parameters[block].weights
      let positions = network.shapes[index + 1].count / max(1, weights.rowCount)
      return sum + 2 * Double(weights.storage.count) * Double(examples * positions)
    }
  }

  /// The gradient of the mean loss: a forward pass, a backward pass, and the products g āᵀ.
  public static func gradient(_ network: Network, examples: Int) -> Double {
    3 * pass(network, examples: examples)
  }

  /// Curvature samples: a forward pass and K backward ones.
  public static func samples(_ network: Network, examples: Int, columns: Int) -> Double {
    Double(1 + columns) * pass(network, examples: examples)
  }

  /// The factors A = (1/N) X Xᵀ and G = (1/N) Σ Y Yᵀ, of which one triangle is computed.
  public static func factors(_ layer: LayerSamples) -> Double {
    let columns = Double(layer.exampleCount * layer.positions)
    let (dA, dG) = (Double(layer.inputSize), Double(layer.outputSize))
    return columns * (dA * dA + Double(layer.columnCount) * dG * dG)
  }

  /// Cholesky factors of the diagonal blocks of one factor: Σ d³/3.
  public static func cholesky(_ factor: KroneckerFactor) -> Double {
    factor.ranges.reduce(0) { $0 + cube($1.count) / 3 }
  }

  /// The solves on both sides with factored A and G: 2 d_A Σ g² + 2 d_G Σ a² over their blocks.
  public static func solve(a: KroneckerFactor, g: KroneckerFactor) -> Double {
    func squares(_ factor: KroneckerFactor) -> Double {
      factor.ranges.reduce(0) { $0 + Double($1.count * $1.count) }
    }
    return 2 * Double(a.size) * squares(g) + 2 * Double(g.size) * squares(a)
  }

  /// A symmetric eigendecomposition with vectors: about 9 n³.
  public static func eigendecomposition(_ size: Int) -> Double { 9 * cube(size) }

  /// A rotation of a d_G × d_A matrix into a Kronecker basis, or back.
  public static func rotation(_ rows: Int, _ columns: Int) -> Double {
    2 * Double(rows * columns) * Double(rows + columns)
  }

  /// One product with a CG-FAC operator (the specification, table of section 6.2).
  public static func product(_ layer: LayerSamples, _ layerOperator: MatrixFreeSolver.Operator)
    -> Double
  {
    let n = Double(layer.layout.count)
    let columns = Double(layer.exampleCount * layer.positions)
    let (dG, k) = (Double(layer.outputSize), Double(layer.columnCount))
    return switch layerOperator {
    case .kfac: 4 * n * columns + 4 * dG * columns * columns * k
    case .exactBlock: 4 * n * columns + 4 * dG * columns * k
    }
  }

  static func cube(_ size: Int) -> Double { Double(size) * Double(size) * Double(size) }
}
