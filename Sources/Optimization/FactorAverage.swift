import Curvature
import DenseAlgebra

/// How a Kronecker factor is estimated over time.
///
/// Reference: the specification, section 4.5.
public enum FactorAverage: Equatable, Sendable {
  /// The last batch alone, as in the THOR paper and in MindSpore.
  case fresh
  /// Weight ε = min(1 − 1/k, most) on the old value at the k-th batch (Martens and Grosse 2015): the
  /// first batch is taken whole, so there is no bias.
  case martensGrosse(most: Double)
  /// w ← ρw + 1, value ← value + (batch − value)/w, as in kfac-jax: every batch weighs a power of ρ.
  case weightNormalized(decay: Double)
  /// ρ·value + (1 − ρ)·batch from the identity: biased, since ρᵏI stays in the average. Two public
  /// implementations read begin like this (the specification, section 4.5).
  case identityStart(decay: Double)

  /// The weight kept at the k-th batch, k = 1, 2, …
  func weightKept(atBatch k: Int) -> Double {
    switch self {
    case .fresh: return 0
    case .martensGrosse(let most): return min(1 - 1 / Double(k), most)
    case .weightNormalized(let decay):
      // w_k = 1 + ρ + … + ρ^(k−1), and the old value keeps 1 − 1/w_k.
      var weight = 0.0
      for _ in 0..<k {
        let next = decay * weight + 1
        if next == weight { break }
        weight = next
      }
      return 1 - 1 / weight
    case .identityStart(let decay): return decay
    }
  }

  /// The estimate after the k-th batch.
  public func estimate(after old: KFACFactors?, batch: KFACFactors, count k: Int) -> KFACFactors {
    precondition(k >= 1, "the first batch has number 1, got \(k)")
    let start: KFACFactors? =
      if case .identityStart = self {
        KFACFactors(a: .identity(batch.a.rowCount), g: .identity(batch.g.rowCount))
      } else {
        nil
      }
    guard let value = old ?? start else { return batch }
    return value.averaged(with: batch, keeping: weightKept(atBatch: k))
  }

  /// Throws one sentence where a decay is not a fraction.
  public func check() throws(OptimizationError) {
    let decay: Double? =
      switch self {
      case .fresh: nil
      case .martensGrosse(let most): most
      case .weightNormalized(let decay), .identityStart(let decay): decay
      }
    if let decay, !(decay >= 0 && decay <= 1) {
      throw OptimizationError(
        "the decay of the factors' average is \(decay); a number from 0 to 1 was expected: change it."
      )
    }
  }
}
