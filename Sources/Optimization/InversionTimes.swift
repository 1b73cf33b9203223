import DenseAlgebra

/// How long this machine takes to invert one symmetric positive definite matrix, by size.
///
/// Cholesky factorization and explicit inverse, n³ flops, one thread. Per size: an untimed inversion to
/// warm up, then the median over several samples, each of as many inversions as the clock needs.
/// Reference: THOR paper, "Performance"; the specification, section 7.6.
public struct InversionTimes: Equatable, Sendable {
  /// How the times are taken.
  public struct Options: Equatable, Sendable {
    /// Larger sizes of the list are left out.
    public var limit = 2048
    /// The number of samples of which the median is taken; at least 3, even if the budget is used up.
    public var samples = 9
    /// A sample repeats a fast inversion until it lasts this long.
    public var secondsPerSample = 0.002
    /// Further samples are not begun when those of one size have taken this long.
    public var secondsPerSize = 4.0
    /// The entries of the matrices.
    public var seed: UInt64 = 1

    public init() {}
  }

  /// The sizes timed, ascending.
  public let sizes: [Int]
  /// The median time of one inversion.
  public let seconds: [Double]
  /// The number of samples behind each median.
  public let samples: [Int]

  /// Times that were taken elsewhere: one positive number for each size.
  public init(sizes: [Int], seconds: [Double], samples: [Int]) {
    precondition(
      sizes.count == seconds.count && sizes.count == samples.count,
      "\(sizes.count) sizes, \(seconds.count) times, \(samples.count) numbers of samples")
    self.sizes = sizes
    self.seconds = seconds
    self.samples = samples
  }

  /// Measures; throws one sentence where the sizes do not ascend or the limit leaves none.
  public init(measuring list: [Int], _ options: Options = Options()) throws(OptimizationError) {
    try SplitSizes.check(list)
    let sizes = list.filter { $0 <= options.limit }
    guard !sizes.isEmpty else {
      throw OptimizationError(
        "the smallest split size is \(list[0]) and the largest to be timed is \(options.limit); "
          + "a limit of at least \(list[0]) was expected.")
    }
    guard options.samples >= 1, options.secondsPerSample >= 0, options.secondsPerSize >= 0 else {
      throw OptimizationError(
        "\(options.samples) samples of \(options.secondsPerSample) s within "
          + "\(options.secondsPerSize) s were asked for; at least 1 sample and no negative time were "
          + "expected.")
    }
    var random = SplitMix64(seed: options.seed)
    let measured = sizes.map { size in
      Self.measure(Self.positiveDefinite(size, &random), options)
    }
    self.init(sizes: sizes, seconds: measured.map(\.median), samples: measured.map(\.count))
  }

  /// A symmetric matrix with 2 on its diagonal and row sums below 1 beside it: its eigenvalues lie in
  /// 1 … 3 (Gershgorin).
  private static func positiveDefinite(_ size: Int, _ random: inout SplitMix64) -> Matrix {
    var matrix = Matrix.diagonal(Array(repeating: 2, count: size))
    for j in 0..<size {
      for i in j + 1..<max(size, j + 1) {
        let entry = (2 * random.uniform() - 1) / Double(size)
        matrix[i, j] = entry
        matrix[j, i] = entry
      }
    }
    return matrix
  }

  private static func measure(_ matrix: Matrix, _ options: Options) -> (median: Double, count: Int)
  {
    invert(matrix, times: 1)
    let once = max(seconds { invert(matrix, times: 1) }, 1e-9)
    let repetitions = Int(max(1, (options.secondsPerSample / once).rounded(.up)))
    var samples: [Double] = []
    var total = 0.0
    while samples.count < options.samples
      && (samples.count < min(3, options.samples) || total < options.secondsPerSize)
    {
      let sample = seconds { invert(matrix, times: repetitions) }
      total += sample
      // A clock that has not moved is read as its resolution.
      samples.append(max(sample, 1e-9) / Double(repetitions))
    }
    return (median(samples), samples.count)
  }

  private static func invert(_ matrix: Matrix, times: Int) {
    for _ in 0..<times {
      guard let factorization = try? CholeskyFactorization(matrix) else {
        preconditionFailure("a diagonally dominant matrix was found not positive definite")
      }
      // Each inverse is looked at, so that none can be left out.
      precondition(factorization.inverse[0, 0] > 0, "an inverse is not positive definite")
    }
  }

  private static func seconds(_ work: () -> Void) -> Double {
    let parts = ContinuousClock().measure(work).components
    return Double(parts.seconds) + 1e-18 * Double(parts.attoseconds)
  }

  /// The middle value, or the mean of the two middle ones.
  public static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
