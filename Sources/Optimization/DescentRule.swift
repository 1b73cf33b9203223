import DenseAlgebra
import Networks

/// What becomes of a direction: weight decay, clipping, momentum, and the learning rate.
public struct DescentRule: Equatable, Sendable {
  /// Where η θ is added.
  public enum DecayPlacement: String, CaseIterable, Sendable {
    /// To the gradient, so that the decay is preconditioned too: the gradient of h + (η/2)‖θ‖².
    case gradient
    /// To the preconditioned direction, as MindSpore's `nn.thor` does.
    case direction
  }

  /// What is scaled down to a largest norm, after preconditioning and decay.
  public enum Clipping: Equatable, Sendable {
    case none
    /// Each weight matrix and each bias by itself.
    case eachTensor(norm: Double)
    /// All parameters together.
    case whole(norm: Double)
  }

  public var learningRate: Schedule
  public var stepsPerEpoch: Int
  /// μ of the heavy ball v ← μv + u, θ ← θ − αv.
  public var momentum: Double
  /// θ ← θ − α(u + μv) with the new v instead.
  public var usesNesterov: Bool
  /// η.
  public var weightDecay: Double
  public var decayPlacement: DecayPlacement
  /// The names of the blocks that decay; nil for all.
  public var decayedBlocks: Set<String>?
  public var clipping: Clipping

  public init(
    learningRate: Schedule, stepsPerEpoch: Int = 1, momentum: Double = 0,
    usesNesterov: Bool = false, weightDecay: Double = 0,
    decayPlacement: DecayPlacement = .gradient, decayedBlocks: Set<String>? = nil,
    clipping: Clipping = .none
  ) {
    self.learningRate = learningRate
    self.stepsPerEpoch = stepsPerEpoch
    self.momentum = momentum
    self.usesNesterov = usesNesterov
    self.weightDecay = weightDecay
    self.decayPlacement = decayPlacement
    self.decayedBlocks = decayedBlocks
    self.clipping = clipping
  }

  /// Throws one sentence where a value cannot be used.
  public func check() throws(OptimizationError) {
    try learningRate.check("the learning rate")
    let clippingNorm: Double? =
      switch clipping {
      case .none: nil
      case .eachTensor(let norm), .whole(let norm): norm
      }
    for (name, value) in [("momentum", momentum), ("weight decay", weightDecay)]
    where !(value >= 0 && value.isFinite) {
      throw OptimizationError(
        "the \(name) is \(value); a finite number of at least 0 was expected: change the \(name).")
    }
    if let clippingNorm, !(clippingNorm > 0) {
      throw OptimizationError(
        "the clipping norm is \(clippingNorm); a positive number was expected: change it, or do not "
          + "clip.")
    }
    guard stepsPerEpoch >= 1 else {
      throw OptimizationError(
        "an epoch has \(stepsPerEpoch) steps; at least 1 was expected: use a smaller batch.")
    }
  }

  /// The epoch in which step k is taken, a fraction of the pass included.
  public func epoch(ofStep step: Int) -> Double { Double(step) / Double(stepsPerEpoch) }

  /// Adds η θ on the blocks that decay.
  func addDecay(to vector: inout ParameterVector, _ network: Network) {
    guard weightDecay > 0 else { return }
    for (index, block) in network.parameters.enumerated()
    where decayedBlocks?.contains(block.name) ?? true {
      vector.blocks[index].add(weightDecay, times: block.weights)
    }
  }

  /// The vector with its norms clipped: u · min(1, c/‖u‖).
  func clipped(_ vector: ParameterVector, _ layout: ParameterLayout) -> ParameterVector {
    switch clipping {
    case .none: return vector
    case .whole(let norm): return min(1, norm / vector.norm) * vector
    case .eachTensor(let norm):
      return ParameterVector(
        blocks: zip(vector.blocks, layout.blocks).map { matrix, block in
          var result = matrix
          // In frameworks the bias is a tensor of its own; here it is the last column.
          let weightCount = matrix.rowCount * (matrix.columnCount - (block.hasBias ? 1 : 0))
          for range in [0..<weightCount, weightCount..<matrix.storage.count] {
            let length = Vector(Array(matrix.storage[range])).norm
            guard length > norm else { continue }
            for index in range { result.storage[index] *= norm / length }
          }
          return result
        })
    }
  }

  /// The network after the step along a preconditioned direction.
  func moved(
    _ network: Network, along direction: ParameterVector, step: Int,
    velocity: inout ParameterVector?
  ) -> Network {
    var u = direction
    if decayPlacement == .direction { addDecay(to: &u, network) }
    u = clipped(u, network.layout)
    let α = learningRate.value(atEpoch: epoch(ofStep: step))
    guard momentum > 0 else { return network.adding(u, scale: -α) }
    // v ← μ v + u
    let v = velocity.map { momentum * $0 + u } ?? u
    velocity = v
    return network.adding(usesNesterov ? u + momentum * v : v, scale: -α)
  }
}
