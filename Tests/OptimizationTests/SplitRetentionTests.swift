import DenseAlgebra
import Optimization
import TestSupport
import Testing

/// How many factors survive a split, and where factors come from (spec 7.6).
@Suite("Retained factors")
struct SplitRetentionTests {
  /// L_d by hand: the identity 0 at all d; ones of 4 rows 1 − d/4; diag(100, 1) with 1 beside it.
  static let factors = [
    Matrix.identity(5),
    Matrix(rowCount: 4, columnCount: 4, repeating: 2),
    Matrix(rows: [[100, 1], [1, 1]]),  // λ_max = 100.0101: a loss of 1.0e-4 at d = 1
    Matrix(rowCount: 3, columnCount: 3),
  ]

  @Test("Counts, fractions and structural counts of four factors are those by hand")
  func countsByHand() throws {
    let retention = try SplitRetention(factors: Self.factors, sizes: [1, 2, 4, 8])
    #expect(retention.source == .given && "\(retention.source)" == "given factors")
    #expect(retention.dimensions == [5, 4, 2, 3] && retention.tolerance == 0.01)
    #expect(retention.counts == [3, 3, 4, 4])
    #expect(retention.fractions == [0.75, 0.75, 1, 1])
    // No larger than 1, 2, 4, 8.
    #expect(retention.structuralCounts == [0, 1, 3, 4])
    for (loss, expected) in zip(retention.losses[1], [0.75, 0.5, 0, 0]) {
      #expect(abs(loss - expected) < 1e-14)
    }
    // λ_max of [[100, 1], [1, 1]] = (101 + √(99² + 4))/2.
    let top = (101 + (99.0 * 99 + 4).squareRoot()) / 2
    #expect(abs(retention.losses[2][0] - (1 - 100 / top)) < 1e-14)
  }

  @Test("A loss equal to the tolerance is not retained")
  func toleranceIsStrict() throws {
    // diag(1, 1) with blocks of 1 loses 0; ones of two rows lose exactly one half at d = 1.
    let ones = Matrix(rowCount: 2, columnCount: 2, repeating: 1)
    let loss = try SplitRetention(factors: [ones], sizes: [1]).losses[0][0]
    #expect(
      try SplitRetention(factors: [ones], sizes: [1], tolerance: loss).counts == [0])
    #expect(
      try SplitRetention(factors: [ones], sizes: [1], tolerance: loss.nextUp).counts == [1])
  }

  @Test("The counts are never below the structural ones", arguments: [0.0, 1, 3])
  func structuralFactorsSurvive(spread: Double) throws {
    let dimensions = [1, 3, 16, 24, 40, 100, 300]
    let sizes = [1, 4, 16, 64, 256]
    let retention = try SplitRetention(
      simulating: dimensions, SimulatedSpectrum(spread: spread), sizes: sizes)
    #expect(retention.structuralCounts == [1, 2, 3, 5, 6])
    for (count, least) in zip(retention.counts, retention.structuralCounts) {
      #expect(count >= least)
    }
    // With an even spread nothing but the small factors survives; with strong coordinates more does.
    if spread == 0 { #expect(retention.counts == retention.structuralCounts) }
    if spread == 3 { #expect(retention.counts[0] > 1) }
    #expect(retention.source == .simulated(SimulatedSpectrum(spread: spread)))
    #expect("\(retention.source)".hasPrefix("simulated factors: eigenvalues k^-1.0 up to rank 64"))
  }

  @Test("Simulated eigenvalues are k^−decay up to the rank, then 0", arguments: [1, 2, 30, 90])
  func simulatedSpectrumIsTheStatedOne(n: Int) throws {
    let spectrum = SimulatedSpectrum(decay: 1.5, rank: 40, spread: 0, seed: 7)
    let root = try spectrum.root(dimension: n, seed: 9)
    #expect(root.rowCount == n && root.columnCount == min(n, 40))
    let values = try LAPACK.dsyev(LAPACK.dsyrk(root)).values.elements.reversed()
    for (k, value) in values.enumerated() {
      let expected = k < 40 ? 1 / power(Double(k + 1), 1.5) : 0
      #expect(abs(value - expected) < 1e-10, "k = \(k)")  // κ(ZᵀZ) of a square normal Z
    }
  }

  @Test("Simulated coordinates have the stated spread")
  func simulatedScales() throws {
    // Rank 1 without decay: B is a unit vector of n nearly normal entries times exp(2z). The mean
    // of log|B| − log|unscaled B| is 0 ± 2/√n and its variance 4 (1 ± √(2/n)): five deviations.
    let n = 4000
    let plain = try SimulatedSpectrum(rank: 1, spread: 0).root(dimension: n, seed: 3)
    let scaled = try SimulatedSpectrum(rank: 1, spread: 2).root(dimension: n, seed: 3)
    let logs = (0..<n).map { logarithm(scaled[$0, 0] / plain[$0, 0]) }
    let mean = logs.reduce(0, +) / Double(n)
    let variance = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
    #expect(abs(mean) < 5 * 2 / Double(n).squareRoot())
    #expect(abs(variance / 4 - 1) < 5 * (2 / Double(n)).squareRoot())
  }

  @Test("The simulated losses are those of the stated factors")
  func simulatedLosses() throws {
    let spectrum = SimulatedSpectrum(decay: 0.5, rank: 6, spread: 1, seed: 11)
    let dimensions = [5, 12, 20]
    let sizes = [1, 4, 8]
    let retention = try SplitRetention(simulating: dimensions, spectrum, sizes: sizes)
    for (index, seed) in spectrum.seeds(count: 3).enumerated() {
      let root = try spectrum.root(dimension: dimensions[index], seed: seed)
      #expect(try SplitLoss(root: root, sizes: sizes).losses == retention.losses[index])
      let factor = LAPACK.dsyrk(root)
      for (size, loss) in zip(sizes, retention.losses[index]) {
        #expect(abs(loss - (try explicitLoss(factor, size))) < 1e-13)
      }
    }
  }

  @Test("The seed decides, and a factor does not depend on the dimensions before it")
  func seedsDecide() throws {
    let spectrum = SimulatedSpectrum(spread: 1, seed: 5)
    func losses(_ dimensions: [Int], _ spectrum: SimulatedSpectrum) throws -> [[Double]] {
      try SplitRetention(simulating: dimensions, spectrum, sizes: [1, 8]).losses
    }
    let first = try losses([20, 30, 40], spectrum)
    #expect(try losses([20, 30, 40], spectrum) == first)
    #expect(try losses([70, 30, 9], spectrum)[1] == first[1])
    #expect(try losses([20, 30, 40], SimulatedSpectrum(spread: 1, seed: 6)) != first)
    #expect(try losses([20, 20], spectrum)[0] != (try losses([20, 20], spectrum)[1]))
  }

  @Test("Bad factors, sizes and spectra are refused in one sentence")
  func refusals() {
    func refusal(_ expected: String, _ work: () throws -> Void) {
      let error = #expect(throws: OptimizationError.self) { try work() }
      #expect(error?.description.contains(expected) == true, "\(error?.description ?? "nothing")")
    }
    let good = Matrix.identity(2)
    refusal("0 factors") { _ = try SplitRetention(factors: [], sizes: [1]) }
    refusal("factor 1 is 2 × 3") {
      _ = try SplitRetention(factors: [good, Matrix(rowCount: 2, columnCount: 3)], sizes: [1])
    }
    refusal("factor 0 is 0 × 0") {
      _ = try SplitRetention(factors: [Matrix(rowCount: 0, columnCount: 0)], sizes: [1])
    }
    refusal("not finite") {
      _ = try SplitRetention(factors: [Matrix(rows: [[.nan]])], sizes: [1])
    }
    refusal("differs from its transpose by 1.0") {
      _ = try SplitRetention(factors: [Matrix(rows: [[1, 2], [1, 1]])], sizes: [1])
    }
    for sizes in [[], [0, 1], [1, 1], [4, 2]] {
      refusal("the split sizes are \(sizes)") {
        _ = try SplitRetention(factors: [good], sizes: sizes)
      }
    }
    for tolerance in [0, -1, 1.5, .nan] {
      refusal("the tolerance is \(tolerance)") {
        _ = try SplitRetention(factors: [good], sizes: [1], tolerance: tolerance)
      }
    }
    for (spectrum, text) in [
      (SimulatedSpectrum(decay: -1), "the decay"), (SimulatedSpectrum(spread: .nan), "the spread"),
      (SimulatedSpectrum(spread: 11), "the spread"), (SimulatedSpectrum(rank: 0), "the rank"),
    ] {
      refusal(text) { _ = try SplitRetention(simulating: [2], spectrum, sizes: [1]) }
    }
    refusal("has dimension 0") {
      _ = try SplitRetention(simulating: [2, 0], SimulatedSpectrum(), sizes: [1])
    }
    // Single precision: an asymmetry of its round-off passes.
    #expect(throws: Never.self) {
      _ = try SplitRetention(factors: [Matrix(rows: [[1, 0.5], [0.50000006, 1]])], sizes: [1])
    }
  }

  @Test("The curves join where sizes were both tried and timed, p₁ from the times")
  func curvesJoin() throws {
    let retention = try SplitRetention(factors: Self.factors, sizes: [2, 4, 8, 16])
    let times = InversionTimes(
      sizes: [1, 2, 4, 8], seconds: [1, 2, 4, 16], samples: [3, 3, 3, 3])
    let curves = SplitTradeOff(retention, times)
    #expect(curves.sizes == [2, 4, 8])
    #expect(curves.retainedFraction == [0.75, 1, 1])
    #expect(curves.performance == [0.5, 0.25, 0.0625])
  }
}

/// The layers on which the paper chooses its split.
@Suite("Layer shapes")
struct LayerShapeTests {
  @Test("ResNet-50 has 54 factors A, as many of them within each size as the specification says")
  func resNet50() {
    let layers = ResidualNetwork.resNet50.layers
    #expect(layers.count == 54)
    let sizes = layers.map(\.inputSize)
    #expect(
      SplitRetention.structuralCounts(of: sizes, sizes: SplitSizes.powersOfTwo + [4608])
        == [0, 0, 0, 5, 9, 20, 28, 38, 45, 54])
    #expect(sizes.max() == 4608 && sizes[0] == 147)
    // torchvision 0.26 documents 25,557,032 parameters: less 2 · 26,560 of batch normalization and
    // the 1,000 biases of the last layer.
    let weights = layers.reduce(0) { $0 + $1.inputSize * $1.outputSize }
    #expect(weights == 25_557_032 - 2 * 26_560 - 1_000)
    #expect(layers.last == LayerShape("fc", 2048, 1000))
    #expect(Set(layers.map(\.name)).count == 54)
    #expect(ResidualNetwork.resNet50.splitSizes == SplitSizes.powersOfTwo)
    #expect(ResidualNetwork.resNet50.publishedSplit == 128)
  }

  @Test("ResNet-18 for CIFAR-10 has 21 layers, and its largest A has 512 · 9 rows")
  func resNet18() {
    let layers = ResidualNetwork.resNet18.layers
    #expect(layers.count == 21)
    #expect(layers.map(\.inputSize).max() == 512 * 9)
    #expect(layers.map(\.outputSize).max() == 512)
    // 11,689,512 parameters for ImageNet (torchvision), less 9,600 of batch normalization and 1,000
    // biases; here a first layer of 3 × 3 instead of 7 × 7, and 10 classes instead of 1,000.
    let weights = layers.reduce(0) { $0 + $1.inputSize * $1.outputSize }
    #expect(weights == 11_689_512 - 9_600 - 1_000 - 64 * 3 * (49 - 9) - 512 * 990)
    #expect(Set(layers.map(\.name)).count == 21)
    #expect(ResidualNetwork.resNet18.splitSizes == SplitSizes.nineTimesPowersOfTwo)
    #expect(ResidualNetwork.resNet18.publishedSplit == 72)
  }

  @Test("The lists are 2^k and 9 · 2^k after a 1: each divides the next")
  func splitLists() {
    #expect(SplitSizes.powersOfTwo == [1] + (4...11).map { 1 << $0 })
    #expect(SplitSizes.nineTimesPowersOfTwo == [1] + (0...9).map { 9 << $0 })
  }
}
