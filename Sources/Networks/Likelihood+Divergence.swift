import DenseAlgebra
import RealModule

extension Likelihood {
  /// KL(p_from ‖ p_to) = E_from[log p_from − log p_to] of every example.
  ///
  /// Categorical Σ p(log p − log q); Gaussian ‖Δz‖²/(2σ²); Bernoulli the sum over its coins. The sums
  /// are arranged so that a small divergence, of second order in Δz, keeps its relative accuracy.
  public func divergence(from: Matrix, to: Matrix) -> [Double] {
    checkVariance()
    precondition(
      from.rowCount == to.rowCount && from.columnCount == to.columnCount,
      "divergence: \(from.rowCount) × \(from.columnCount) against \(to.rowCount) × \(to.columnCount)"
    )
    let c = from.rowCount
    return (0..<from.columnCount).map { n in
      switch self {
      case .categorical:
        return categoricalDivergence(
          from.storage.span.extracting(n * c..<(n + 1) * c),
          to.storage.span.extracting(n * c..<(n + 1) * c))
      case .gaussian(let variance):
        let difference = to.column(n) - from.column(n)
        return difference.dot(difference) / (2 * variance)
      case .bernoulli:  // a coin with logit z is the softmax of (z, 0)
        return (0..<c).reduce(0) { sum, i in
          sum + categoricalDivergence([from[i, n], 0].span, [to[i, n], 0].span)
        }
      }
    }
  }
}

/// Σ p(log p − log q) for p = softmax(a), q = softmax(b).
///
/// With dᵢ = log(qᵢ/pᵢ) it is Σ pᵢ(exp(dᵢ) − 1 − dᵢ), because Σ q = Σ p: no term is negative, so nothing
/// cancels between them.
private func categoricalDivergence(_ a: Span<Double>, _ b: Span<Double>) -> Double {
  let p = Softmax(a)
  let q = Softmax(b)
  var largestChange = 0.0
  var mean = 0.0
  for i in 0..<a.count { largestChange = max(largestChange, (b[i] - a[i]).magnitude) }
  // The change of log Σ exp: log Σ pᵢ exp(Δᵢ) where Δ is small, else a plain difference.
  let change: Double
  if largestChange <= 1 {
    for i in 0..<a.count { mean += p.probabilities[i] * Double.expMinusOne(b[i] - a[i]) }
    change = Double.log(onePlus: mean)
  } else {
    change = (b[q.largest] - a[p.largest]) + (q.logSum - p.logSum)
  }
  var sum = 0.0
  for i in 0..<a.count {
    let d = (b[i] - a[i]) - change
    sum +=
      d.magnitude <= 0.5
      ? p.probabilities[i] * exponentialRemainder(d)
      : (q.probabilities[i] - p.probabilities[i]) - p.probabilities[i] * d
  }
  return sum
}

/// exp(d) − 1 − d = d²/2 + d³/6 + … for |d| ≤ ½: 15 terms leave less than 2⁻⁵³ of the first.
private func exponentialRemainder(_ d: Double) -> Double {
  var series = 1.0
  for k in stride(from: 16, through: 3, by: -1) { series = 1 + series * d / Double(k) }
  return d * d / 2 * series
}
