import DenseAlgebra

/// The part of a set of factors that a split leaves within tolerance, at each split size.
///
/// The paper prints it as "normalized loss of matrix", though it rises with the size and is the part that
/// *survives*. A factor no larger than d is not split at all and survives at d: those are the structural
/// ones. Reference: THOR paper, "Loss of matrix"; the specification, section 7.6.
public struct SplitRetention: Equatable, Sendable {
  /// Where the factors came from; whoever shows the result says so.
  public enum Source: Equatable, Sendable {
    case given
    case simulated(SimulatedSpectrum)
  }

  public let source: Source
  /// The split sizes d, ascending.
  public let sizes: [Int]
  /// The number of rows of each factor.
  public let dimensions: [Int]
  /// L_d: one row for each factor, one entry for each size.
  public let losses: [[Double]]
  /// The loss below which a factor counts as retained.
  public let tolerance: Double

  /// The retention of given symmetric factors; throws one sentence where a factor or a size is unusable.
  public init(factors: [Matrix], sizes: [Int], tolerance: Double = 0.01) throws(OptimizationError) {
    for (index, factor) in factors.enumerated() { try Self.check(factor, index) }
    try self.init(
      source: .given, dimensions: factors.map(\.rowCount), sizes: sizes, tolerance: tolerance
    ) { index throws(IterationLimitReached) in try SplitLoss(factors[index], sizes: sizes) }
  }

  /// The retention of simulated factors of the given dimensions, made one at a time.
  public init(
    simulating dimensions: [Int], _ spectrum: SimulatedSpectrum, sizes: [Int],
    tolerance: Double = 0.01
  ) throws(OptimizationError) {
    try spectrum.check()
    if let bad = dimensions.first(where: { $0 < 1 }) {
      throw OptimizationError(
        "a factor to simulate has dimension \(bad); at least 1 was expected: remove it.")
    }
    let seeds = spectrum.seeds(count: dimensions.count)
    try self.init(
      source: .simulated(spectrum), dimensions: dimensions, sizes: sizes, tolerance: tolerance
    ) { index throws(IterationLimitReached) in
      let root = try spectrum.root(dimension: dimensions[index], seed: seeds[index])
      return try SplitLoss(root: root, sizes: sizes)
    }
  }

  private init(
    source: Source, dimensions: [Int], sizes: [Int], tolerance: Double,
    loss: (Int) throws(IterationLimitReached) -> SplitLoss
  ) throws(OptimizationError) {
    guard !dimensions.isEmpty else {
      throw OptimizationError(
        "there are 0 factors; at least 1 was expected: give the Kronecker factors of some layers.")
    }
    guard tolerance > 0, tolerance <= 1 else {
      throw OptimizationError(
        "the tolerance is \(tolerance); a loss above 0 and at most 1 was expected: the paper has 0.01."
      )
    }
    try SplitSizes.check(sizes)
    var losses: [[Double]] = []
    for (index, dimension) in dimensions.enumerated() {
      do {
        losses.append(try loss(index).losses)
      } catch {
        throw OptimizationError(
          "factor \(index) (\(dimension) × \(dimension)): the eigenvalues of a block of \(error.size) "
            + "rows did not converge in \(error.limit) steps; leave the factor out.")
      }
    }
    self.source = source
    self.sizes = sizes
    self.dimensions = dimensions
    self.losses = losses
    self.tolerance = tolerance
  }

  /// How many factors have L_d < tolerance, at each size.
  public var counts: [Int] {
    sizes.indices.map { size in losses.count { $0[size] < tolerance } }
  }

  /// How many factors are no larger than d, at each size: never more than `counts`.
  public var structuralCounts: [Int] { Self.structuralCounts(of: dimensions, sizes: sizes) }

  /// counts/(number of factors).
  public var fractions: [Double] { counts.map { Double($0) / Double(losses.count) } }

  /// How many of the dimensions are at most d, for each size d.
  public static func structuralCounts(of dimensions: [Int], sizes: [Int]) -> [Int] {
    sizes.map { size in dimensions.count { $0 <= size } }
  }

  private static func check(_ factor: Matrix, _ index: Int) throws(OptimizationError) {
    let size = "\(factor.rowCount) × \(factor.columnCount)"
    guard factor.isSquare, factor.rowCount > 0 else {
      throw OptimizationError(
        "factor \(index) is \(size); a square matrix was expected: give E[ā āᵀ] or E[g gᵀ].")
    }
    let largest = factor.maximumMagnitude
    guard largest.isFinite else {
      throw OptimizationError(
        "factor \(index) (\(size)) holds a number that is not finite; finite ones were expected.")
    }
    // A factor kept in single precision may differ from its transpose by round-off.
    let difference = (factor - factor.transposed).maximumMagnitude
    guard difference <= 1e-5 * largest else {
      throw OptimizationError(
        "factor \(index) (\(size)) differs from its transpose by \(difference); a symmetric matrix was "
          + "expected: give E[ā āᵀ] or E[g gᵀ].")
    }
  }
}

extension SplitRetention.Source: CustomStringConvertible {
  public var description: String {
    switch self {
    case .given: "given factors"
    case .simulated(let spectrum): "simulated factors: \(spectrum)"
    }
  }
}

/// The lists of split sizes of the paper's figures.
public enum SplitSizes {
  /// 1 and 2⁴ … 2¹¹: Figures 5 and 8a, for ResNet-50.
  public static let powersOfTwo = [1, 16, 32, 64, 128, 256, 512, 1024, 2048]
  /// 1 and 9·2⁰ … 9·2⁹: Figure 6a, for ResNet-18, whose largest A has 512 · 9 rows.
  public static let nineTimesPowersOfTwo = [
    1, 9, 18, 36, 72, 144, 288, 576, 1152, 2304, 4608,
  ]

  /// Throws one sentence unless the sizes are positive and ascend.
  public static func check(_ sizes: [Int]) throws(OptimizationError) {
    guard let first = sizes.first, first >= 1, zip(sizes, sizes.dropFirst()).allSatisfy({ $0 < $1 })
    else {
      throw OptimizationError(
        "the split sizes are \(sizes); ascending sizes of at least 1 were expected, such as "
          + "\(powersOfTwo).")
    }
  }
}
