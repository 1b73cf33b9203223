import DenseAlgebra
import Testing

/// Expects a residual ratio within its limit; a NaN fails.
///
/// `name` says what was computed on which case, and `seed` the seed that makes it again.
public func expectRatio(
  _ ratio: Ratio, atMost limit: Double = 30, _ name: String = "", seed: UInt64? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  if ratio.value <= limit { return }
  let seedText = seed.map { ", seed \($0)" } ?? ""
  Issue.record("\(name)\(seedText): \(ratio); limit \(limit)", sourceLocation: sourceLocation)
}

/// Expects that two quantities which a common mistake makes equal do differ: the distance is at
/// least `relative` times the larger norm. For counter-properties.
public func expectDifferent(
  _ a: Matrix, _ b: Matrix, relative: Double = 1e-3, _ name: String = "", seed: UInt64? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let distance = LAPACK.dlange(a - b, .frobenius)
  let scale = max(LAPACK.dlange(a, .frobenius), LAPACK.dlange(b, .frobenius))
  if distance >= relative * scale, scale > 0 { return }
  let seedText = seed.map { ", seed \($0)" } ?? ""
  Issue.record(
    "\(name)\(seedText): expected to differ by \(relative), differ by \(distance / scale)",
    sourceLocation: sourceLocation)
}

/// The same for vectors.
public func expectDifferent(
  _ a: Vector, _ b: Vector, relative: Double = 1e-3, _ name: String = "", seed: UInt64? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectDifferent(
    Matrix(column: a), Matrix(column: b), relative: relative, name, seed: seed,
    sourceLocation: sourceLocation)
}

/// Expects smaller ≤ larger up to `slack` (an absolute amount of round-off).
public func expectAtMost(
  _ smaller: Double, _ larger: Double, slack: Double = 0, _ name: String = "", seed: UInt64? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  if smaller <= larger + slack { return }
  let seedText = seed.map { ", seed \($0)" } ?? ""
  Issue.record(
    "\(name)\(seedText): \(smaller) exceeds \(larger) by \(smaller - larger), slack \(slack)",
    sourceLocation: sourceLocation)
}
