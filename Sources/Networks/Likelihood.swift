import DenseAlgebra
import RealModule

/// The distribution p(y | z) that a network's outputs z parametrise.
///
/// All three are exponential families in their natural parameter, so the Fisher matrix in z is the
/// Hessian of −log p and does not depend on y (spec 2.2, 2.3). Batches are C × N, one example per
/// column. Every function keeps full relative accuracy at saturated outputs.
public enum Likelihood: Equatable, Sendable {
  /// p = softmax(z) over C classes; targets are labels.
  case categorical
  /// y normal with mean z and covariance variance·I.
  case gaussian(variance: Double)
  /// C independent coins, P(yᵢ = 1) = σ(zᵢ).
  case bernoulli

  /// The likelihood's name in messages and tables.
  public var name: String {
    switch self {
    case .categorical: "categorical"
    case .gaussian: "Gaussian"
    case .bernoulli: "Bernoulli"
    }
  }

  /// −log p(yₙ | zₙ) of every example.
  ///
  /// Categorical log Σᵢ exp(zᵢ) − z_y; Gaussian ‖y − z‖²/(2σ²), *without* the constant
  /// (C/2)·log(2πσ²); Bernoulli Σᵢ log(1 + exp(zᵢ)) − yᵢzᵢ. Spec 2.2.
  public func losses(_ outputs: Matrix, _ targets: Targets) -> [Double] {
    checkTargets(targets, for: outputs)
    let z = outputs.storage.span
    let c = outputs.rowCount
    switch (self, targets) {
    case (.categorical, .labels(let labels)):
      return labels.enumerated().map { n, label in
        let logits = z.extracting(n * c..<(n + 1) * c)
        let softmax = Softmax(logits)
        return softmax.logSum + (logits[softmax.largest] - logits[label])
      }
    case (.gaussian(let variance), .values(let values)):
      let difference = values - outputs
      return (0..<outputs.columnCount).map { n in
        let column = difference.column(n)
        return column.dot(column) / (2 * variance)
      }
    case (.bernoulli, .values(let values)):
      return (0..<outputs.columnCount).map { n in
        var sum = 0.0
        for i in 0..<c {
          // log(1 + eᶻ) − yz as a mean over both outcomes: no cancellation at y = 0 or 1.
          let y = values[i, n]
          sum += (1 - y) * softplusFunction(z[n * c + i]) + y * softplusFunction(-z[n * c + i])
        }
        return sum
      }
    case (.categorical, .values), (.gaussian, .labels), (.bernoulli, .labels):
      preconditionFailure("targets of the wrong kind for a \(name) likelihood")
    }
  }

  /// ∇z(−log p(yₙ | zₙ)) of every example, C × N, not divided by N.
  ///
  /// Categorical p − e_y; Gaussian (z − y)/σ²; Bernoulli σ(z) − y. Spec 2.2.
  public func gradient(_ outputs: Matrix, _ targets: Targets) -> Matrix {
    checkTargets(targets, for: outputs)
    let c = outputs.rowCount
    switch (self, targets) {
    case (.categorical, .labels(let labels)):
      var result = Matrix(rowCount: c, columnCount: outputs.columnCount)
      for (n, label) in labels.enumerated() {
        let softmax = Softmax(outputs.storage.span.extracting(n * c..<(n + 1) * c))
        for i in 0..<c { result[i, n] = softmax.probabilities[i] }
        result[label, n] = -softmax.complements[label]
      }
      return result
    case (.gaussian(let variance), .values(let values)):
      return (outputs - values).map { $0 / variance }
    case (.bernoulli, .values(let values)):
      return Matrix(rowCount: c, columnCount: outputs.columnCount) { i, n in
        // σ(z) − y as a mean over both outcomes: exact at y = 0 and 1.
        let (z, y) = (outputs[i, n], values[i, n])
        return (1 - y) * logisticFunction(z) - y * logisticFunction(-z)
      }
    case (.categorical, .values), (.gaussian, .labels), (.bernoulli, .labels):
      preconditionFailure("targets of the wrong kind for a \(name) likelihood")
    }
  }

  /// Traps unless the targets are of this likelihood's kind and fit the outputs.
  private func checkTargets(_ targets: Targets, for outputs: Matrix) {
    checkVariance()
    precondition(
      targets.count == outputs.columnCount,
      "\(targets.count) targets for \(outputs.columnCount) examples")
    switch (self, targets) {
    case (.categorical, .labels(let labels)):
      for (n, label) in labels.enumerated() {
        precondition(
          (0..<outputs.rowCount).contains(label),
          "label \(label) of example \(n); there are \(outputs.rowCount) classes")
      }
    case (.gaussian, .values(let values)), (.bernoulli, .values(let values)):
      precondition(
        values.rowCount == outputs.rowCount,
        "targets of \(values.rowCount) components for \(outputs.rowCount) outputs")
    case (.categorical, .values), (.gaussian, .labels), (.bernoulli, .labels):
      preconditionFailure("targets of the wrong kind for a \(name) likelihood")
    }
  }

  /// Traps unless the variance of a Gaussian is positive.
  func checkVariance() {
    if case .gaussian(let variance) = self {
      precondition(
        variance > 0 && variance.isFinite, "the variance must be positive, got \(variance)")
    }
  }
}
