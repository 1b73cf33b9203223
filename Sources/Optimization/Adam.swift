import DenseAlgebra
import Networks

/// Adam: the gradient over the root of its running second moment, with bias correction.
///
/// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − α (m/(1 − β₁ᵏ)) / (√(v/(1 − β₂ᵏ)) + ε).
/// Reference: Kingma and Ba 2014, arXiv 1412.6980, Algorithm 1; the specification, section 8.10.
public struct AdamPreconditioner: Preconditioner {
  public let meanDecay: Double
  public let squareDecay: Double
  public let epsilon: Double
  private var count = 0
  private var mean: ParameterVector?
  private var square: ParameterVector?

  public init(meanDecay β1: Double = 0.9, squareDecay β2: Double = 0.999, epsilon ε: Double = 1e-8)
  {
    precondition(β1 >= 0 && β1 < 1 && β2 >= 0 && β2 < 1, "decays \(β1), \(β2) outside [0, 1)")
    precondition(ε > 0, "ε must be positive, got \(ε)")
    self.meanDecay = β1
    self.squareDecay = β2
    self.epsilon = ε
  }

  public var name: String { "adam" }
  public var operations: Double { 0 }

  public mutating func direction(for gradient: ParameterVector, at point: TrainingPoint)
    -> ParameterVector
  {
    let (β1, β2) = (meanDecay, squareDecay)
    var m = mean ?? 0 * gradient
    var v = square ?? 0 * gradient
    var direction = gradient
    count += 1
    let corrections = (1 - power(β1, count), 1 - power(β2, count))
    for block in gradient.blocks.indices {
      for index in gradient.blocks[block].storage.indices {
        let g = gradient.blocks[block].storage[index]
        m.blocks[block].storage[index] = β1 * m.blocks[block].storage[index] + (1 - β1) * g
        v.blocks[block].storage[index] = β2 * v.blocks[block].storage[index] + (1 - β2) * g * g
        direction.blocks[block].storage[index] =
          m.blocks[block].storage[index] / corrections.0
          / ((v.blocks[block].storage[index] / corrections.1).squareRoot() + epsilon)
      }
    }
    mean = m
    square = v
    return direction
  }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.count("adam.count", &count)
    try archive.vector("adam.mean", &mean)
    try archive.vector("adam.square", &square)
  }
}

/// β^k by repeated multiplication.
private func power(_ base: Double, _ exponent: Int) -> Double {
  (0..<exponent).reduce(1) { result, _ in result * base }
}
