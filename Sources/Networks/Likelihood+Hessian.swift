import DenseAlgebra
import RealModule

extension Likelihood {
  /// A square root of the Hessian: column c of every Sₙ, where Sₙ Sₙᵀ = Hₙ = ∇²z(−log p).
  ///
  /// C matrices C × N; column n of matrix c is column c of Sₙ. Categorical √p_c (e_c − p), that is
  /// S = diag(√p) − p√pᵀ (the other order, diag(√p) − √p pᵀ, is wrong); Gaussian e_c/σ; Bernoulli
  /// √(q_c(1 − q_c)) e_c. Every entry keeps full relative accuracy at saturated outputs, where
  /// diag(p) − ppᵀ cancels. Sources: spec 2.2; Martens 2020, arXiv 1412.1193.
  public func hessianRoots(_ outputs: Matrix) -> [Matrix] {
    checkVariance()
    let c = outputs.rowCount
    var roots = [Matrix](
      repeating: Matrix(rowCount: c, columnCount: outputs.columnCount), count: c)
    switch self {
    case .categorical:
      guard c > 0 else { return [] }
      for n in 0..<outputs.columnCount {
        let softmax = Softmax(outputs.storage.span.extracting(n * c..<(n + 1) * c))
        // lesson: softmax-root
        for column in 0..<c {
          let root = softmax.probabilities[column].squareRoot()
          for i in 0..<c { roots[column][i, n] = -root * softmax.probabilities[i] }
          roots[column][column, n] = root * softmax.complements[column]
        }
        // end lesson
      }
    case .gaussian(let variance):
      for column in 0..<c {
        for n in 0..<outputs.columnCount { roots[column][column, n] = 1 / variance.squareRoot() }
      }
    case .bernoulli:
      for column in 0..<c {
        for n in 0..<outputs.columnCount {
          // √(q(1 − q)) = exp(−|z|/2)/(1 + exp(−|z|))
          let magnitude = outputs[column, n].magnitude
          roots[column][column, n] = Double.exp(-magnitude / 2) / (1 + Double.exp(-magnitude))
        }
      }
    }
    return roots
  }

  /// H = ∇²z(−log p) of one example, C × C; it does not depend on y.
  ///
  /// Categorical diag(p) − ppᵀ, with p(1 − p) on the diagonal formed without cancellation; Gaussian
  /// I/σ²; Bernoulli diag(q(1 − q)). Spec 2.2.
  public func hessian(_ output: Vector) -> Matrix {
    checkVariance()
    let c = output.count
    switch self {
    case .categorical:
      guard c > 0 else { return Matrix(rowCount: 0, columnCount: 0) }
      // lesson: softmax-fisher
      let softmax = Softmax(output.elements.span)
      let p = softmax.probabilities
      return Matrix(rowCount: c, columnCount: c) { i, j in
        i == j ? p[i] * softmax.complements[i] : -p[i] * p[j]
      }
    // end lesson
    case .gaussian(let variance):
      return Matrix.diagonal(Array(repeating: 1 / variance, count: c))
    case .bernoulli:
      return Matrix.diagonal(output.elements.map(Activation.logistic.derivative))
    }
  }
}
