import Networks

/// The arguments of MindSpore's `nn.thor`, by their meaning on its API page, and what a simulation adds.
///
/// The page's `ValueError`s are `OptimizationError`s here, for the same values. Its `TypeError`s have no
/// counterpart: the compiler refuses a value of another type.
/// Reference: MindSpore API page of `nn.thor`; the specification, section 7.8.
public struct MindSporeOptions: Equatable, Sendable {
  /// α by step; past its end the last entry holds (the page does not say what happens there).
  public var learningRate: [Double]
  /// λ by step; past its end the last entry holds. Read at a refresh only.
  public var damping: [Double]
  /// μ of v ← μ v + u.
  public var momentum: Double
  /// η of u + η W, added after preconditioning.
  public var weightDecay = 0.0
  /// s: gradients are divided by it, and G, which is made of them, by s².
  public var lossScale = 1.0
  /// B: G, made of gradients of a mean over N examples, is multiplied by B². Where B is not N, G is
  /// (B/N)² times as large.
  public var batchSize = 32
  /// θ ← θ − α(u + μ v) instead of θ − α v.
  public var usesNesterov = false
  /// The parameters that decay, such as `layer1.weight` and `layer1.bias`; nil for all. Without weight
  /// decay it has no effect.
  public var decayFilter: Set<String>?
  /// The last layer of each all-reduce group; a last group takes the rest. Nil or empty: one group. It
  /// changes the messages of several workers, never a number.
  public var splitIndices: [Int]?
  /// Whether each tensor is scaled down to norm 1, after the decay.
  public var clipsGradient = false
  /// The steps from one refresh of the inverses to the next, at steps 0, f, 2f, …
  public var frequency = 100

  /// The block size of both factors, constant in MindSpore.
  public var splitSize = 128
  /// The factor that the training loop put on the loss; nil for `lossScale`, as it ought to be.
  public var trainingLossScale: Double?
  /// MindSpore's gradients are those of the training labels.
  public var fisher = FisherKind.empirical
  /// How many equal parts of the batch have statistics of their own.
  public var workers = 1
  public var source = MindSporeDifferences.ascend

  /// The three arguments that have no default.
  public init(learningRate: [Double], damping: [Double], momentum: Double) {
    self.learningRate = learningRate
    self.damping = damping
    self.momentum = momentum
  }

  /// α at a step.
  public func learningRate(atStep step: Int) -> Double {
    learningRate[min(step, learningRate.count - 1)]
  }

  /// λ at a step.
  public func damping(atStep step: Int) -> Double { damping[min(step, damping.count - 1)] }

  /// Throws one sentence for the values that `nn.thor` refuses, and for those it could not use.
  public func check() throws(OptimizationError) {
    for (name, values) in [("learning rate", learningRate), ("damping", damping)] {
      guard !values.isEmpty else {
        throw OptimizationError(
          "the \(name) has no entries; one for each step, or one for all, was expected: give one.")
      }
      if let step = values.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
        throw OptimizationError(
          "the \(name) of step \(step) is \(values[step]); a finite number of at least 0 was "
            + "expected: change that entry.")
      }
    }
    for (name, value) in [("momentum", momentum), ("weight decay", weightDecay)]
    where !(value >= 0 && value.isFinite) {
      throw OptimizationError(
        "the \(name) is \(value); a finite number of at least 0 was expected: change the \(name).")
    }
    for (name, value) in [
      ("loss scale", lossScale), ("loss scale of the training", trainingLossScale ?? 1),
    ] where !(value > 0 && value.isFinite) {
      throw OptimizationError(
        "the \(name) is \(value); a finite number above 0 was expected: use 1 for no scaling.")
    }
    guard frequency >= 2 else {
      throw OptimizationError(
        "the frequency is \(frequency); at least 2 steps from refresh to refresh were expected, as "
          + "nn.thor does: give 2 or more, or use THOR's paper mode.")
    }
    for (name, value) in [
      ("batch size", batchSize), ("split size", splitSize), ("number of workers", workers),
    ] where value < 1 {
      throw OptimizationError(
        "the \(name) is \(value); at least 1 was expected: change the \(name).")
    }
    let indices = splitIndices ?? []
    guard (indices.first ?? 0) >= 0, zip(indices, indices.dropFirst()).allSatisfy({ $0 < $1 })
    else {
      throw OptimizationError(
        "the split indices are \(indices); ascending layer numbers from 0 on were expected, each the "
          + "last of its group: sort them.")
    }
  }

  /// Throws one sentence where a name or an index is none of the network's.
  public func check(for layout: ParameterLayout) throws(OptimizationError) {
    _ = try WorkerGroups(layerCount: layout.blocks.count, splitIndices: splitIndices)
    let names = layout.blocks.flatMap {
      $0.hasBias ? ["\($0.name).weight", "\($0.name).bias"] : ["\($0.name).weight"]
    }
    if let unknown = decayFilter?.subtracting(names).min() {
      throw OptimizationError(
        "the decay filter names '\(unknown)'; the parameters are \(names.joined(separator: ", ")): "
          + "name those that decay.")
    }
  }
}
