import DenseAlgebra

/// How the parameters of a network are drawn at the start.
///
/// Fan-in is the number of inputs of one output unit, the homogeneous coordinate not counted;
/// fan-out is the number of output units that one input feeds: dG, times the kernel's area for a
/// convolution.
public enum Initialization: Equatable, Sendable {
  /// Weights normal with variance 2/fan-in, biases zero (He et al. 2015, arXiv 1502.01852, Eq. 10).
  case he
  /// Weights normal with variance 2/(fan-in + fan-out), biases zero (Glorot and Bengio 2010, Eq. 12,
  /// with a normal instead of the uniform distribution of Eq. 16).
  case glorot
  /// Weights *and biases* normal with mean zero and the given standard deviation.
  case normal(standardDeviation: Double)
}

extension Network {
  /// The network with newly drawn parameters.
  ///
  /// Each block has a generator of its own, seeded by the next number of the stream of `seed`, and
  /// is filled in the order of its memory; so a block's numbers do not depend on the sizes of others.
  public func initialized(_ rule: Initialization, seed: UInt64) -> Network {
    var result = self
    var seeds = SplitMix64(seed: seed)
    for (index, block) in parameters.enumerated() {
      var generator = SplitMix64(seed: seeds.next())
      let fanIn = Double(block.inputCount)
      let deviation: Double
      let drawsBias: Bool
      switch rule {
      case .he: (deviation, drawsBias) = ((2 / fanIn).squareRoot(), false)
      case .glorot:
        (deviation, drawsBias) = ((2 / (fanIn + Double(fanOut(of: index)))).squareRoot(), false)
      case .normal(let standardDeviation):
        precondition(
          standardDeviation >= 0 && standardDeviation.isFinite,
          "the standard deviation must be finite and at least 0, got \(standardDeviation)")
        (deviation, drawsBias) = (standardDeviation, true)
      }
      let drawn =
        (drawsBias ? block.weights.columnCount : block.inputCount) * block.weights.rowCount
      result.parameters[index].weights = Matrix(
        rowCount: block.weights.rowCount, columnCount: block.weights.columnCount,
        storage: block.weights.storage.indices.map {
          $0 < drawn ? deviation * generator.normal() : 0
        })
    }
    return result
  }

  /// The number of output units that one input of a block feeds.
  private func fanOut(of block: Int) -> Int {
    for node in nodes {
      if case .convolution(block, let window) = node.operation {
        return parameters[block].weights.rowCount * window.area
      }
    }
    return parameters[block].weights.rowCount
  }
}
