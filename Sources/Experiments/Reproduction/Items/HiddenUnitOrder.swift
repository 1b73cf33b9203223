import Curvature
import DenseAlgebra
import Networks

/// What the order of hidden units, which changes no function, does to THOR's split.
public enum HiddenUnitOrder {
  /// The split's errors under one order.
  public struct Point: Sendable {
    /// ‖A ⊗ G − Â ⊗ Ĝ‖ / ‖A ⊗ G‖ over all layers together, undamped.
    public let error: Double
    /// η of the split's step against the exact Fisher of the batch.
    public let efficiency: Double
  }

  /// The layers of a multilayer perceptron with the units of each hidden layer in another order.
  ///
  /// Row i of layer ℓ becomes its old row orders[ℓ][i], and the columns of layer ℓ + 1 follow; the
  /// network's function is the same. One order for each layer but the last. Reference: the
  /// specification, section 4.8.
  public static func permuted(_ network: Network, _ orders: [[Int]]) -> Network {
    var result = network
    for index in network.parameters.indices {
      result.parameters[index].weights = reordered(
        network.parameters[index].weights, rows: index < orders.count ? orders[index] : nil,
        columns: index > 0 ? orders[index - 1] : nil)
    }
    return result
  }

  /// A step for the permuted network in the order of the original one.
  public static func restored(_ step: ParameterVector, _ orders: [[Int]]) -> ParameterVector {
    func inverse(_ order: [Int]) -> [Int] {
      var result = order
      for (place, unit) in order.enumerated() { result[unit] = place }
      return result
    }
    let back = orders.map(inverse)
    return ParameterVector(
      blocks: step.blocks.enumerated().map { index, block in
        reordered(
          block, rows: index < back.count ? back[index] : nil,
          columns: index > 0 ? back[index - 1] : nil)
      })
  }

  /// Row i is the old row rows[i], column j the old column columns[j]; a bias column stays last.
  private static func reordered(_ matrix: Matrix, rows: [Int]?, columns: [Int]?) -> Matrix {
    Matrix(rowCount: matrix.rowCount, columnCount: matrix.columnCount) { i, j in
      let column = columns.map { j < $0.count ? $0[j] : j } ?? j
      return matrix[rows?[i] ?? i, column]
    }
  }

  /// The split's errors with the units as they are, then under random orders.
  public static func measure(
    _ network: Network, _ batch: Dataset, _ likelihood: Likelihood, split: Int, rule: DampingRule,
    lambda: Double, orders count: Int, seed: UInt64
  ) throws -> [Point] {
    func samples(_ network: Network) -> GradientSamples {
      GradientSamples(network, batch, likelihood: likelihood, kind: .exact)
    }
    let gradient = LossGradient(network, batch, likelihood).gradient
    let reference = DampedReference(
      try ExactFisher(samples(network)).damped(.exact, lambda), gradient: gradient)
    let widths = network.parameters.dropLast().map(\.weights.rowCount)
    var generator = SplitMix64(seed: seed)
    return try (0...count).map { trial in
      let orders = widths.map { trial == 0 ? Array(0..<$0) : generator.permutation($0) }
      let other = permuted(network, orders)
      let drawn = samples(other)
      let factors = StepStudy.layers(drawn).map { KFACFactors($0) }
      let whole = StepStudy.kronecker(factors, drawn.layout, split: nil)
      let pinched = StepStudy.kronecker(factors, drawn.layout, split: split)
      var sums = MatrixComparison()
      for (a, b) in zip(pinched.blocks, whole.blocks) {
        sums =
          sums
          + MatrixComparison(
            of: try a.dense(within: StepStudy.limit), with: try b.dense(within: StepStudy.limit))
      }
      let step = try pinched.damped(rule, lambda)
        .solve(LossGradient(other, batch, likelihood).gradient)
      let values = reference.metrics(ofStep: restored(step, orders))
      return Point(
        error: (sums.squaredDifference / sums.squaredReference).squareRoot(),
        efficiency: StepStudy.value(.efficiency, in: values) ?? .nan)
    }
  }
}
