import DenseAlgebra

extension Likelihood {
  /// One target per example, drawn from p(y | zₙ).
  public func sampledTargets(
    _ outputs: Matrix, using generator: inout SplitMix64
  ) -> Targets {
    checkVariance()
    let c = outputs.rowCount
    switch self {
    case .categorical:
      return .labels(
        (0..<outputs.columnCount).map { n in
          let softmax = Softmax(outputs.storage.span.extracting(n * c..<(n + 1) * c))
          return softmax.label(at: generator.uniform())
        })
    case .gaussian(let variance):
      return .values(outputs.map { $0 + variance.squareRoot() * generator.normal() })
    case .bernoulli:
      return .values(outputs.map { generator.uniform() < logisticFunction($0) ? 1 : 0 })
    }
  }

  /// ∇z(−log p(ŷₙ | zₙ)), C × N, at targets ŷ drawn from the model itself.
  ///
  /// For the Gaussian this is ε/σ with ε standard normal, without the rounding of z − (z − σε).
  /// Its second moment is the Hessian H (spec 2.2).
  public func sampledGradient(
    _ outputs: Matrix, using generator: inout SplitMix64
  ) -> Matrix {
    switch self {
    case .categorical, .bernoulli:
      return gradient(outputs, sampledTargets(outputs, using: &generator))
    case .gaussian(let variance):
      checkVariance()
      return outputs.map { _ in generator.normal() / variance.squareRoot() }
    }
  }
}

extension Softmax {
  /// The label whose interval of the cumulative distribution holds a number in [0, 1).
  fileprivate func label(at uniform: Double) -> Int {
    var cumulative = 0.0
    for (label, probability) in probabilities.enumerated() {
      cumulative += probability
      if uniform < cumulative { return label }
    }
    return largest  // rounding left the sum just below 1
  }
}
