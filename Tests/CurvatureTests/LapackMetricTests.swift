import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Every metric that is a formula of matrices, against the same formula by LAPACK on explicit matrices.
///
/// The approximation rotates over KFAC, EKFAC and the split with their rules. Each ratio is the error
/// over n·ε times what the formula's own condition allows, stated beside it.
@Suite("Each metric against LAPACK")
struct LapackMetricTests {
  /// The explicit matrices of one layer and what the metrics' bounds are made of.
  struct Pair {
    let layer: Int
    let fisher: Matrix
    let undamped: Matrix
    let reference: Matrix
    let approximation: Matrix
    let rule: DampingRule
    let gradient: ParameterVector
    let structure: any MatrixStructure
  }

  static let choices: [(kind: StructureKind, rule: DampingRule)] = [
    (.kfac, .pi), (.kfacSplit, .factor), (.kfac, .sqrt), (.kfac, .exact), (.kfacSplit, .exact),
  ]

  func pairs(_ input: LapackComparisonCase, index caseIndex: Int) -> [Pair] {
    let test = input.curvature()
    return test.defined.enumerated().map { index, defined in
      let (kind, rule) = Self.choices[(caseIndex + index) % Self.choices.count]
      let (a, g) = defined.factors()
      let (cutA, cutG) = kind == .kfac ? (a, g) : (pinching(a, 2), pinching(g, 2))
      let layer = test.layers[index]
      return Pair(
        layer: index, fisher: defined.fisher, undamped: kronecker(cutA, cutG),
        reference: defined.fisher.addingToDiagonal(input.λ),
        approximation: damped(cutA, cutG, rule, input.λ), rule: rule,
        gradient: ParameterVector(blocks: [test.gradient.blocks[index]]),
        structure: kind == .kfac ? KroneckerBlock.kfac(layer) : .kfacSplit(layer, split: 2))
    }
  }

  func expect(
    _ metric: ErrorMetric, _ found: Double, _ expected: Double, bound: Double, oracle: String,
    _ name: String, seed: UInt64
  ) {
    let error = abs(found - expected)
    LapackComparison.expect(
      error == 0 ? 0 : error / bound, algorithm: "metric \(metric.rawValue)", rule: "several",
      oracle: oracle, name, seed: seed)
  }

  @Test(
    "Metrics of undamped matrices = dlange and dgesvd",
    arguments: LapackComparisonCase.all.indices)
  func undampedMatrices(index: Int) throws {
    let input = LapackComparisonCase.all[index]
    for pair in pairs(input, index: index) where LAPACK.norm1(pair.fisher) > 0 {
      let found = try MatrixReference(pair.fisher).metrics(
        of: pair.structure.dense(within: .standard), includingSpectral: true)
      let (f, other) = (pair.fisher, pair.undamped)
      let difference = other - f
      let unit = Double(f.rowCount) * .ulpOfOne
      func norm(_ m: Matrix) -> Double { LAPACK.dlange(m, .frobenius) }
      func spectral(_ m: Matrix) throws -> Double { try LAPACK.dgesvd(m).values[0] }
      func check(_ metric: ErrorMetric, _ expected: Double, bound: Double, oracle: String) {
        expect(
          metric, value(metric, found), expected, bound: unit * bound, oracle: oracle,
          "\(input), layer \(pair.layer)", seed: input.seed)
      }
      // A difference of nearby matrices is known to ε times the matrices, not to ε times itself.
      let relative = (norm(other) + norm(f)) / norm(f)
      check(.relativeFrobenius, norm(difference) / norm(f), bound: relative, oracle: "dlange")
      check(
        .maximumAbsolute, LAPACK.dlange(difference, .maximum),
        bound: LAPACK.dlange(other, .maximum) + LAPACK.dlange(f, .maximum), oracle: "dlange")
      check(.traceRatio, other.trace / f.trace, bound: other.trace / f.trace, oracle: "dsyrk")
      if norm(other) > 0 {
        check(
          .leastSquaresScale,
          LAPACK.dgemm(other, f, transposeA: true).trace
            / LAPACK.dgemm(other, other, transposeA: true).trace,
          bound: norm(f) / norm(other), oracle: "dgemm")
      }
      check(
        .relativeSpectral, try spectral(difference) / (try spectral(f)),
        bound: (try spectral(other) + spectral(f)) / (try spectral(f)), oracle: "dgesvd")
    }
  }

  @Test(
    "Metrics of damped matrices = dpotri and dsygvd", arguments: LapackComparisonCase.all.indices)
  func dampedMatrices(index: Int) throws {
    let input = LapackComparisonCase.all[index]
    for pair in pairs(input, index: index) {
      let found = try pair.structure.damped(pair.rule, input.λ)
      let reference = try DenseDampedReference(
        try MatrixMetricTests.damped(pair.reference), within: .standard)
      let (f, other) = (pair.reference, pair.approximation)
      let (inverse, otherInverse) = (try LAPACK.dpotri(f), try LAPACK.dpotri(other))
      let (κ, otherκ) = (
        LAPACK.norm1(f) * LAPACK.norm1(inverse), LAPACK.norm1(other) * LAPACK.norm1(otherInverse)
      )
      let unit = Double(f.rowCount) * .ulpOfOne
      func norm(_ m: Matrix) -> Double { LAPACK.dlange(m, .frobenius) }
      func check(
        _ metric: ErrorMetric, _ value: Double, _ expected: Double, bound: Double, oracle: String
      ) {
        expect(
          metric, value, expected, bound: unit * bound, oracle: oracle,
          "\(input), layer \(pair.layer)", seed: input.seed)
      }
      let approximateInverse = try found.denseInverse(within: .standard)
      // An inverse is known to ε·κ times itself.
      let relative = (otherκ * norm(otherInverse) + κ * norm(inverse)) / norm(inverse)
      check(
        .relativeInverseFrobenius, reference.relativeInverseError(of: approximateInverse).value,
        norm(otherInverse - inverse) / norm(inverse), bound: relative, oracle: "dpotri")
      check(
        .inverseResidual, reference.inverseResidual(of: approximateInverse).value,
        norm(LAPACK.dgemm(otherInverse, f).addingToDiagonal(-1)),
        bound: otherκ * norm(otherInverse) * norm(f), oracle: "dpotri")

      let w = try LAPACK.dsygvd(f, other).values.elements
      let metrics = DenseDampedReference.metrics(
        ofGeneralizedEigenvalues: try reference.generalizedEigenvalues(
          with: try found.dense(within: .standard)))
      // Each w is known to n·ε·κ(F̂)·w_max, and the metrics to that times their derivatives.
      let (smallest, largest) = (w[0], w[w.count - 1])
      let error = otherκ * largest
      check(
        .stein, value(.stein, metrics), w.reduce(0) { $0 + ($1 - logarithm($1) - 1) },
        bound: w.reduce(1) { $0 + abs(1 - 1 / $1) * error }, oracle: "dsygvd")
      check(
        .affineInvariant, value(.affineInvariant, metrics),
        w.reduce(0) { $0 + logarithm($1) * logarithm($1) }.squareRoot(),
        bound: 1 + w.reduce(0) { $0 + (error / $1) * (error / $1) }.squareRoot(),
        oracle: "dsygvd")
      check(
        .spectralRatio, value(.spectralRatio, metrics), largest / smallest,
        bound: largest / smallest * (otherκ + error / smallest), oracle: "dsygvd")
    }
  }

  @Test("Metrics of steps = dposv and dgemm", arguments: LapackComparisonCase.all.indices)
  func steps(index: Int) throws {
    let input = LapackComparisonCase.all[index]
    for pair in pairs(input, index: index) where pair.gradient.flattened.norm > 0 {
      let h = pair.gradient.flattened
      let (f, other) = (pair.reference, pair.approximation)
      let damped = try MatrixMetricTests.damped(f)
      let reference = DampedReference(
        damped, gradient: ParameterVector(h, layout: damped.layout))
      let step = try pair.structure.damped(pair.rule, input.λ).solve(pair.gradient).flattened
      let found = reference.metrics(ofStep: ParameterVector(step, layout: damped.layout))

      let u = try LAPACK.dposv(f, h)
      let û = try LAPACK.dposv(other, h)
      func energy(_ x: Vector) -> Double { x.dot(LAPACK.dgemm(f, x)) }
      let α = h.dot(û) / energy(û)
      let cosine = û.dot(LAPACK.dgemm(f, u)) / (energy(û) * energy(u)).squareRoot()
      let expected: [(ErrorMetric, Double)] = [
        (.cosine, û.dot(u) / (û.norm * u.norm)), (.fisherCosine, cosine),
        (.efficiency, h.dot(û) * h.dot(û) / (energy(û) * h.dot(u))),
        (.lengthRatio, û.norm / u.norm),
        (.relativeFisherNorm, (energy(û - u) / energy(u)).squareRoot()),
        (.bestStepLength, α),
        // m(0) − m(−α û) = α ∇hᵀû − ½ α² ûᵀF_λû.
        (.predictedDecreaseAtBest, α * h.dot(û) - 0.5 * α * α * energy(û)),
      ]
      #expect(found.count == expected.count)
      // Both steps, and quadratic forms relative to themselves, are known to n·ε·κ.
      let κ =
        LAPACK.norm1(f) * LAPACK.norm1(try LAPACK.dpotri(f))
        + LAPACK.norm1(other) * LAPACK.norm1(try LAPACK.dpotri(other))
      for (metric, wanted) in expected {
        let scale = metric == .relativeFisherNorm ? 1 + wanted : abs(wanted)
        expect(
          metric, value(metric, found), wanted,
          bound: Double(f.rowCount) * .ulpOfOne * κ * scale, oracle: "dposv",
          "\(input), layer \(pair.layer)", seed: input.seed)
      }
    }
  }
}
