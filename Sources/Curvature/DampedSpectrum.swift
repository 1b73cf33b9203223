import DenseAlgebra
import RealModule

/// The eigenvalues after damping under a rule that adds to the spectrum: `none` or `exact`.
///
/// `exact` adds λ; `none` sets every eigenvalue at or below d·ε·λmax to zero, which the solver then
/// leaves out (pseudo-inverse). Throws `notPositiveDefinite` where `exact` with λ = 0 meets a
/// singular matrix. Reference: the specification, section 4.6; the cut-off is LAPACK's habit for ranks.
func dampedEigenvalues(_ eigenvalues: Matrix, rule: DampingRule, lambda: Double, name: String)
  throws(CurvatureError) -> Matrix
{
  let largest = eigenvalues.storage.max() ?? 0
  let cutOff = Double(eigenvalues.storage.count) * .ulpOfOne * largest
  switch rule {
  case .none: return eigenvalues.map { $0 > cutOff ? $0 : 0 }
  case .exact:
    if lambda == 0, let index = eigenvalues.storage.firstIndex(where: { $0 <= cutOff }) {
      throw CurvatureError.notPositiveDefinite(
        block: name, size: eigenvalues.storage.count, pivot: index,
        value: eigenvalues.storage[index])
    }
    return eigenvalues.map { $0 + lambda }
  case .sqrt, .factor, .pi:
    preconditionFailure("rule \(rule.rawValue) shifts the factors, not the spectrum")
  }
}

/// Σ log of the positive values.
func logSum(_ values: [Double]) -> Double {
  values.reduce(0) { $1 > 0 ? $0 + Double.log($1) : $0 }
}
