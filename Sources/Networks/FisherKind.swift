import DenseAlgebra

/// Which Fisher matrix: it decides which columns are pulled back, and nothing else.
///
/// Every kind is F = (1/N) Σₙ Σ_c u uᵀ, u the parameter gradient of one column. Source: spec 2.3.
public enum FisherKind: Equatable, Sendable {
  /// The expectation over labels, by the C columns of the Hessian's square root: F = the GGN.
  case exact
  /// Labels drawn from the model, `samples` per example; the columns carry 1/√samples.
  case monteCarlo(samples: Int, seed: UInt64)
  /// The gradient at the given targets.
  case empirical

  /// The K matrices, C × N, whose columns are pulled back: K = C, `samples` or 1.
  ///
  /// `.exact` and `.monteCarlo` do not read the targets. A Monte-Carlo stream is drawn sample after
  /// sample, and within a sample example after example.
  public func columns(
    _ outputs: Matrix, _ targets: Targets, _ likelihood: Likelihood
  ) -> [Matrix] {
    // lesson: fisher-kinds
    switch self {
    case .exact: return likelihood.hessianRoots(outputs)
    case .monteCarlo(let samples, let seed):
      precondition(samples >= 1, "a Monte-Carlo Fisher needs at least one sample, got \(samples)")
      var generator = SplitMix64(seed: seed)
      return (0..<samples).map { _ in
        (1 / Double(samples).squareRoot())
          * likelihood.sampledGradient(outputs, using: &generator)
      }
    case .empirical: return [likelihood.gradient(outputs, targets)]
    }
    // end lesson
  }
}
