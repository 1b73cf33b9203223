import DenseAlgebra
import RealModule

/// The categorical distribution p = softmax(z) of one example, every p and 1 − p to full relative
/// accuracy.
///
/// With k the largest logit, eᵢ = exp(zᵢ − zₖ) and Σ = 1 + Σ_{i≠k} eᵢ: pᵢ = eᵢ/Σ. A complement 1 − pᵢ is
/// the sum of the others where it can be small.
struct Softmax {
  let probabilities: [Double]
  /// 1 − pᵢ.
  let complements: [Double]
  /// The index of the largest logit.
  let largest: Int
  /// log Σ exp(zᵢ − zₖ) over all i, by log1p of the sum over i ≠ k.
  let logSum: Double

  init(_ logits: Span<Double>) {
    precondition(logits.count > 0, "a categorical distribution needs at least one logit")
    var largest = 0
    for i in 1..<max(1, logits.count) where logits[i] > logits[largest] { largest = i }
    var exponentials: [Double] = []
    exponentials.reserveCapacity(logits.count)
    var others = 0.0
    for i in 0..<logits.count {
      let e = i == largest ? 1 : Double.exp(logits[i] - logits[largest])
      exponentials.append(e)
      if i != largest { others += e }
    }
    let sum = 1 + others
    self.largest = largest
    self.logSum = Double.log(onePlus: others)
    self.probabilities = exponentials.map { $0 / sum }
    // For i ≠ k, pᵢ ≤ ½ and the difference loses nothing; for k the complement is others/Σ.
    var complements = probabilities.map { 1 - $0 }
    complements[largest] = others / sum
    self.complements = complements
  }
}
