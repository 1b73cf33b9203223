import DataFiles
import DenseAlgebra
import Optimization

/// The split sizes chosen on some sets of factors with the times of this machine.
public struct SplitChoice: Sendable {
  public let times: InversionTimes
  let sets: [FactorSet]
  /// Sizes of the list beyond the timed ones, whose times are those of the last, times (d/last)³.
  let extrapolated: [Int]

  /// Times the sizes of the list up to a limit, and extends them by n³ where that is asked for.
  init(sizes: [Int], limit: Int, extrapolates: Bool, sets: [FactorSet], isQuick: Bool) {
    let measured = SplitChoice.processorTimes(sizes.filter { $0 <= limit }, isQuick: isQuick)
    let beyond = extrapolates ? sizes.filter { $0 > limit } : []
    self.init(measured: measured, beyond: beyond, sets: sets)
  }

  /// Measured times with those of larger sizes by n³, and no factors.
  public init(measured: InversionTimes, extrapolatingTo beyond: [Int]) {
    self.init(measured: measured, beyond: beyond, sets: [])
  }

  init(measured: InversionTimes, beyond: [Int], sets: [FactorSet]) {
    let (last, time) = (measured.sizes.last ?? 1, measured.seconds.last ?? 1)
    times = InversionTimes(
      sizes: measured.sizes + beyond,
      seconds: measured.seconds + beyond.map { SplitChoice.cubic($0, from: last, time) },
      samples: measured.samples + beyond.map { _ in 0 })
    extrapolated = beyond
    self.sets = sets
  }

  /// The processor times of Cholesky factor and inverse of one diagonally dominant matrix of each size.
  ///
  /// As `InversionTimes`, but of the thread and not of the wall, so that a busy machine does not show.
  static func processorTimes(_ sizes: [Int], isQuick: Bool) -> InversionTimes {
    let samples = sizes.map { $0 >= 1024 ? 3 : isQuick ? 7 : 15 }
    let seconds = zip(sizes, samples).map { size, count in
      var random = SplitMix64(seed: UInt64(size))
      let noise = Matrix(rowCount: size, columnCount: size) { _, _ in
        (2 * random.uniform() - 1) / Double(size)
      }
      // Row sums beside the diagonal are below 1: eigenvalues lie in 1 … 3.
      let matrix = noise.symmetrized.addingToDiagonal(2)
      return ProcessorTime(samples: count) {
        guard let factorization = try? CholeskyFactorization(matrix),
          factorization.inverse[0, 0] > 0
        else { preconditionFailure("a diagonally dominant matrix was found not positive definite") }
      }.median
    }
    return InversionTimes(sizes: sizes, seconds: seconds, samples: samples)
  }

  /// The printed times of an Ascend 910 at other sizes, by straight lines and n³.
  static func ascend(sizes: [Int], sets: [FactorSet]) -> SplitChoice {
    let table = PublishedSplitTable.resNet50OnAscend910
    let printed = SplitChoice(
      measured: InversionTimes(
        sizes: table.sizes, seconds: table.microseconds.map { 1e-6 * Double($0) },
        samples: table.sizes.map { _ in 0 }), beyond: [], sets: [])
    return SplitChoice(
      measured: InversionTimes(
        sizes: sizes, seconds: sizes.map(printed.time), samples: sizes.map { _ in 0 }),
      beyond: [], sets: sets)
  }

  /// n³ law: the time of size d from that of another size.
  static func cubic(_ size: Int, from other: Int, _ time: Double) -> Double {
    let ratio = Double(size) / Double(other)
    return time * ratio * ratio * ratio
  }

  /// The two curves of a set.
  func tradeOff(_ set: FactorSet) -> SplitTradeOff { SplitTradeOff(set.retention, times) }

  /// The curves with the factors that are no larger than d alone.
  func structuralTradeOff(_ set: FactorSet) -> SplitTradeOff {
    let full = tradeOff(set)
    return SplitTradeOff(
      sizes: full.sizes,
      retainedFraction: SplitRetention.structuralCounts(
        of: set.retention.dimensions, sizes: full.sizes
      ).map { Double($0) / Double(set.retention.dimensions.count) },
      performance: full.performance)
  }

  /// The time to invert all factors of the given sizes, whole or split: Σ ⌊n/d⌋ p(d) + p(n mod d).
  public func seconds(inverting dimensions: [Int], split: Int?) -> Double {
    dimensions.reduce(0) { sum, dimension in
      guard let split, split < dimension else { return sum + time(dimension) }
      let rest = dimension % split
      return sum + Double(dimension / split) * time(split) + (rest > 0 ? time(rest) : 0)
    }
  }

  /// p(d): by straight lines between the sizes, by n³ beyond the last.
  public func time(_ size: Int) -> Double {
    if let index = times.sizes.firstIndex(where: { $0 >= size }) {
      if times.sizes[index] == size || index == 0 { return times.seconds[index] }
      let (low, high) = (Double(times.sizes[index - 1]), Double(times.sizes[index]))
      let t = (Double(size) - low) / (high - low)
      return (1 - t) * times.seconds[index - 1] + t * times.seconds[index]
    }
    let last = times.sizes.count - 1
    return SplitChoice.cubic(size, from: times.sizes[last], times.seconds[last])
  }

  /// Whether the choice was made inside the list: the curves cross after its first size.
  static func crosses(_ tradeOff: SplitTradeOff) -> Bool {
    guard let choice = tradeOff.choice() else { return false }
    return choice.position > Double(tradeOff.sizes[0])
  }

  /// "128 at (104.5, 0.21)", or that there is no crossing.
  static func text(_ tradeOff: SplitTradeOff) -> String {
    guard let choice = tradeOff.choice() else { return "no crossing" }
    return "\(choice.size) at (\(NumberText.fixed(choice.position, decimals: 1)), "
      + "\(NumberText.fixed(choice.height, decimals: 3)))"
  }

  // MARK: Tables

  var retentionTable: ResultTable {
    var table = ResultTable(
      "retention", "How many factors lose less than 1 % (Eq. 11) at each split size.",
      [
        ("factors", "the set of factors"), ("size", "split size d"),
        ("count", "factors with L_d < 1 %"), ("of", "factors in the set"),
        ("retainedFraction", "count / of: the paper's \"normalized loss of matrix\""),
        ("structural", "factors no larger than d, which are not split at all"),
      ])
    for set in sets {
      let retention = set.retention
      for (index, size) in retention.sizes.enumerated() {
        table.append([
          .text(set.name), .integer(size), .integer(retention.counts[index]),
          .integer(retention.dimensions.count), .number(retention.fractions[index]),
          .integer(retention.structuralCounts[index]),
        ])
      }
    }
    return table
  }

  var lossTable: ResultTable {
    var table = ResultTable(
      "losses", "The information loss L_d (Eq. 11) of each factor at each split size.",
      [
        ("factors", "the set of factors"), ("factor", "its place in the set, from 0"),
        ("dimension", "rows of the factor"), ("size", "split size d"),
        ("loss", "L_d = 1 − ‖P_d(A)‖₂/‖A‖₂"),
      ])
    for set in sets {
      for (factor, losses) in set.retention.losses.enumerated() {
        for (size, loss) in zip(set.retention.sizes, losses) {
          table.append([
            .text(set.name), .integer(factor), .integer(set.retention.dimensions[factor]),
            .integer(size), .number(loss),
          ])
        }
      }
    }
    return table
  }

  var timeTable: ResultTable {
    var table = ResultTable(
      "inversion-times", "Time to invert one positive definite matrix here.", isTiming: true,
      [
        ("size", "rows d"),
        ("microseconds", "median processor time of Cholesky factor and inverse"),
        ("performance", "p₁/p_d (Eq. 12)"),
        ("samples", "measurements behind the median; 0: extrapolated by n³"),
      ])
    let performance = SplitTradeOff.performance(times.seconds)
    for index in times.sizes.indices {
      table.append([
        .integer(times.sizes[index]), .number(1e6 * times.seconds[index]),
        .number(performance[index]), .integer(times.samples[index]),
      ])
    }
    return table
  }

  var choiceTable: ResultTable {
    var table = ResultTable(
      "choices", "Where the curves cross with the times of this machine.", isTiming: true,
      [
        ("factors", "the set of factors; structural: only factors no larger than d count"),
        ("interpolation", "lines over d, or splines over the place in the list"),
        ("position", "d at the crossing; empty where there is none"),
        ("height", "the common value there"), ("size", "the listed size that is closest"),
      ])
    for set in sets {
      for (name, curves) in [
        (set.name, tradeOff(set)), ("\(set.name), structural", structuralTradeOff(set)),
      ] {
        for interpolation in SplitTradeOff.Interpolation.allCases {
          let choice = curves.choice(interpolation)
          table.append([
            .text(name), .text(interpolation.rawValue),
            choice.map { .number($0.position) } ?? .empty,
            choice.map { .number($0.height) } ?? .empty,
            choice.map { .integer($0.size) } ?? .empty,
          ])
        }
      }
    }
    return table
  }

  /// The panel of the curves: performance here and the retained fraction of each set.
  func panel(_ title: String) -> LineChartGrid.Panel {
    let performance = SplitTradeOff.performance(times.seconds)
    return .init(
      title: title, x: ChartAxis("split size d", .logarithmic),
      y: ChartAxis("fraction", limits: 0...1),
      series: [
        LineSeries(
          name: "performance here, p(1)/p(d)", x: times.sizes.map(Double.init), y: performance)
      ]
        + sets.map { set in
          LineSeries(
            name: "retained: \(set.name)", x: set.retention.sizes.map(Double.init),
            y: set.retention.fractions)
        })
  }
}
