import Curvature
import DataFiles
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// T3: the Monte-Carlo Fisher matrix has the stored mean, and its spread is the stored covariance.
@Suite("Test vectors of the Monte-Carlo estimator")
struct VectorMonteCarloTests {
  static let identifiers = VectorIndex.identifiers("T3")
  static let statistical = ["layer1.G", "layer1.block"]

  @Test("T3: what does not depend on draws agrees within 30 nκε", arguments: identifiers)
  func exactArrays(identifier: String) throws {
    let (vector, quantities) = try read(identifier)
    let entries = vector.stages.flatMap(\.arrays)
    var table = VectorTable()
    for name in ["logits"] + Self.statistical {
      let entry = try #require(entries.first { $0.name == name })
      let stored = try #require(vector.arrays[name])
      let routes = try #require(try quantities.routes(to: name, shape: stored.shape))
      for route in routes {
        let comparison = VectorComparison(
          route, stored, .ratio(size: entry.size, condition: entry.condition))
        #expect(comparison.ratio <= VectorComparison.limit, "\(identifier) \(name): \(comparison)")
        table.add(name, comparison.ratio)
      }
    }
    table.record()
  }

  @Test("Every stored array is one of those that these tests compare", arguments: identifiers)
  func coverage(identifier: String) throws {
    let (vector, _) = try read(identifier)
    let inputs = vector.stages.first { $0.name == "inputs" }?.arrays.map(\.name) ?? []
    let compared = Self.statistical.flatMap { [$0, "\($0).covariance"] } + ["logits"]
    #expect(Set(vector.arrays.keys) == Set(inputs + compared))
    #expect(inputs.allSatisfy { $0 == "inputs" || $0.hasSuffix(".weights") })
  }

  /// One label per example shows the covariance itself, several that it falls with their number.
  @Test(
    "T3: mean and covariance over many seeds, false alarms below 1e-6",
    arguments: identifiers, [1, 4])
  func estimator(identifier: String, samples: Int) throws {
    let (vector, quantities) = try read(identifier)
    var draws: [String: [Vector]] = [:]
    for seed in 0..<UInt64(24_000 / samples) {
      let drawn = GradientSamples(
        quantities.network, quantities.data, likelihood: quantities.likelihood,
        kind: .monteCarlo(samples: samples, seed: seed), blocks: [0])
      let layer = LayerSamples(drawn, block: 0)
      draws["layer1.G", default: []].append(lowerTriangle(KFACFactors(layer).g))
      draws["layer1.block", default: []].append(
        lowerTriangle(layer.scaledGradients.timesOwnTranspose))
    }
    for name in Self.statistical {
      let mean = try #require(vector.arrays[name]).matrix(name)
      let covariance = try #require(vector.arrays["\(name).covariance"]).matrix(name)
      let estimator = try EstimatorTest(
        mean: lowerTriangle(mean), covariance: (1 / Double(samples)) * covariance)
      let found = try #require(draws[name])
      let outcome = estimator.outcome(found)
      #expect(outcome.mean <= 1, "\(identifier) \(name): \(outcome)")
      #expect(outcome.covariance <= 1, "\(identifier) \(name): \(outcome)")
      #expect(outcome.deterministic <= 30, "\(identifier) \(name): \(outcome)")
      // The bounds bite: 5 % of scale, and a covariance that is 10 % too small.
      #expect(estimator.outcome(found.map { 1.05 * $0 }).mean > 1)
      let wrong = try EstimatorTest(
        mean: lowerTriangle(mean), covariance: (0.9 / Double(samples)) * covariance)
      #expect(wrong.outcome(found).covariance > 1)
      for ratio in [outcome.mean, outcome.covariance] {
        LapackComparison.record(
          algorithm: "Monte-Carlo FIM", oracle: "certified mean and covariance, over the bound",
          ratio: ratio, limit: 1)
      }
    }
  }

  private func read(_ identifier: String) throws -> (VectorCase, VectorQuantities) {
    let vector = try VectorIndex.read(identifier)
    guard case .network(let model) = vector.model else {
      preconditionFailure("\(identifier) is no network")
    }
    // Nothing here depends on the targets, so the case has none; any will do.
    var random = SplitMix64(seed: 0)
    let outputs = model.network.forward(model.inputs).output
    let data = Dataset(
      name: identifier, inputs: model.inputs,
      targets: model.likelihood.sampledTargets(outputs, using: &random))
    return (vector, VectorQuantities(model.network, data, model.likelihood))
  }

  /// The entries of a symmetric matrix once, column by column.
  private func lowerTriangle(_ matrix: Matrix) -> Vector {
    Vector((0..<matrix.rowCount).flatMap { j in (j..<matrix.rowCount).map { matrix[$0, j] } })
  }
}

/// Whether draws have a given mean and covariance.
///
/// With C = V diag(w) Vᵀ of rank r, y = diag(w)^(−½) Vᵀ (x − μ) has mean 0 and covariance I.
/// S ‖mean y‖² is about χ² with r degrees of freedom, and P(χ² > r + 2√(rt) + 2t) ≤ e⁻ᵗ (Laurent and
/// Massart 2000, Lemma 1). Each entry of the mean of y yᵀ, and its trace, differs from that of I by less than z
/// of its own standard errors, taken from the sample; P(|Z| > z) ≤ 2 exp(−z²/2). The probabilities
/// of all these false alarms together are below 1e-6.
private struct EstimatorTest {
  struct Outcome { let mean, covariance, deterministic: Double }

  private static let alarm = 1e-7
  private let mean: Vector
  /// diag(w)^(−½) Vᵀ, r × size.
  private let whitening: Matrix
  /// Directions without spread, as rows.
  private let fixed: Matrix
  /// Those directions come from dsyevd and are off by at most about nε times this (Davis and Kahan).
  private let condition: Double

  init(mean: Vector, covariance: Matrix) throws {
    let eigen = try LAPACK.dsyevd(covariance)
    let size = covariance.rowCount
    let largest = eigen.values[size - 1]
    let kept = (0..<size).filter { eigen.values[$0] > 1e-12 * largest }
    self.mean = mean
    whitening = Matrix(rowCount: kept.count, columnCount: size) {
      eigen.vectors[$1, kept[$0]] / eigen.values[kept[$0]].squareRoot()
    }
    let rest = (0..<size).filter { !kept.contains($0) }
    condition = largest / eigen.values[kept[0]]
    fixed = Matrix(rowCount: rest.count, columnCount: size) { eigen.vectors[$1, rest[$0]] }
  }

  /// The two statistics over their bounds; and what moved in directions without spread, in units of
  /// nκε(‖x − μ‖ + ‖μ‖).
  func outcome(_ draws: [Vector]) -> Outcome {
    let (count, rank) = (Double(draws.count), whitening.rowCount)
    let entries = (0..<rank).flatMap { j in (j..<rank).map { ($0, j) } }
    var sum = Vector.zero(rank)
    // Of every entry of y yᵀ and of its trace: the sum and the sum of squares.
    var sums = [Double](repeating: 0, count: entries.count + 1)
    var squares = sums
    var deviation = 0.0
    for draw in draws {
      let difference = draw - mean
      let y = whitening * difference
      sum.add(1, times: y)
      for (index, (i, j)) in entries.enumerated() {
        let product = y[i] * y[j]
        sums[index] += product
        squares[index] += product * product
      }
      let trace = y.dot(y)
      sums[entries.count] += trace
      squares[entries.count] += trace * trace
      deviation = max(deviation, (fixed * difference).norm / (difference.norm + mean.norm))
    }
    let t = -logarithm(Self.alarm)
    let bound = Double(rank) + 2 * (Double(rank) * t).squareRoot() + 2 * t
    let z = (2 * logarithm(2 * Double(sums.count) / Self.alarm)).squareRoot()
    var worst = 0.0
    for index in sums.indices {
      let expected =
        index == entries.count ? Double(rank) : entries[index].0 == entries[index].1 ? 1 : 0
      let average = sums[index] / count
      let error = ((squares[index] / count - average * average) / count).squareRoot()
      worst = max(worst, (average - expected).magnitude / (z * error))
    }
    return Outcome(
      mean: sum.dot(sum) / count / bound, covariance: worst,
      deterministic: deviation / (Double(mean.count) * condition * .ulpOfOne))
  }
}
