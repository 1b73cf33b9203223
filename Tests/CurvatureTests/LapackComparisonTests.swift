import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The README's table: each algorithm, end to end, against LAPACK on the same gradient samples.
///
/// Where a solution is compared the ratio is ‖x − y‖₁/(n κ ‖y‖₁ ε), and the row's name says so; all
/// other rows are residual or reconstruction ratios without κ.
@Suite("Each algorithm, end to end, against LAPACK")
struct LapackComparisonTests {
  /// 45 networks: every architecture with every activation, likelihoods and λ rotating.
  static let cases: [CurvatureCase] = RandomNetwork.Architecture.allCases.enumerated().flatMap {
    index, architecture in
    Activation.allCases.enumerated().map { variant, activation in
      CurvatureCase(
        RandomNetwork(
          architecture, activation, RandomNetwork.likelihoods[(index + variant) % 3],
          seed: UInt64(2000 + 10 * index + variant)))
    }
  }

  static func λ(_ test: CurvatureCase) -> Double { [0.3, 0.03, 1e-3][Int(test.seed) % 3] }

  /// Records the residual and the difference of two solutions of M x = b.
  func compare(
    _ step: Vector, _ expected: Vector, matrix: Matrix, right: Vector, algorithm: String,
    oracle: String, _ name: String, seed: UInt64
  ) throws {
    LapackComparison.expect(
      solutionRatio(step, expected, condition: try condition(matrix)),
      algorithm: "\(algorithm), error/κ", oracle: oracle, name, seed: seed)
    LapackComparison.expect(
      .solve(matrix, step, right), algorithm: "\(algorithm), residual", oracle: oracle, name,
      seed: seed)
  }

  func gradient(_ test: CurvatureCase, _ index: Int) -> ParameterVector {
    ParameterVector(blocks: [test.gradient.blocks[index]])
  }

  @Test("FIM step = dposv", arguments: cases)
  func fisherStep(test: CurvatureCase) throws {
    let λ = Self.λ(test)
    let matrix = test.fisher.addingToDiagonal(λ)
    let right = test.gradient.flattened
    try compare(
      try ExactFisher(test.samples).damped(.exact, λ).solve(test.gradient).flattened,
      try LAPACK.dposv(matrix, right), matrix: matrix, right: right, algorithm: "FIM step",
      oracle: "dposv", "\(test)", seed: test.seed)
  }

  @Test("KFAC step = dpotrf and dpotrs on both factors; rule exact = dposv", arguments: cases)
  func kfacStep(test: CurvatureCase) throws {
    let λ = Self.λ(test)
    for (index, defined) in test.defined.enumerated() {
      let (a, g) = defined.factors()
      let v = test.gradient.blocks[index]
      let right = Vector(v.storage)
      for rule in [DampingRule.sqrt, .factor, .pi, .exact] {
        let matrix = damped(a, g, rule, λ)
        let expected: Vector
        if rule == .exact {
          expected = try LAPACK.dposv(matrix, right)
        } else {
          let shifts = try #require(
            rule.shifts(a: KroneckerFactor(a), g: KroneckerFactor(g), lambda: λ))
          let lG = try LAPACK.dpotrf(g.addingToDiagonal(shifts.g))
          let lA = try LAPACK.dpotrf(a.addingToDiagonal(shifts.a))
          let half = try LAPACK.dpotrs(lower: lG, v).transposed
          expected = Vector(try LAPACK.dpotrs(lower: lA, half).transposed.storage)
        }
        let step = try KroneckerBlock.kfac(test.layers[index]).damped(rule, λ)
          .solve(gradient(test, index)).flattened
        try compare(
          step, expected, matrix: matrix, right: right, algorithm: "KFAC step, \(rule)",
          oracle: rule == .exact ? "dposv" : "dpotrs twice", "\(test), layer \(index)",
          seed: test.seed)
      }
    }
  }

  /// The smallest gap between two eigenvalues over the largest; those at round-off count as one.
  func smallestGap(_ values: [Double]) -> Double {
    let largest = values.last ?? 0
    guard largest > 0 else { return 1 }
    let clear = values.filter { $0 > 1e-13 * largest }
    return zip(clear, clear.dropFirst()).reduce(clear.count < values.count ? clear[0] / largest : 1)
    {
      min($0, ($1.1 - $1.0) / largest)
    }
  }

  @Test("EKFAC = dsyevd: QSQᵀ compared, not Q", arguments: cases)
  func ekfacMatrix(test: CurvatureCase) throws {
    for (index, defined) in test.defined.enumerated() where defined.positions == 1 {
      let (a, g) = defined.factors()
      let (first, second) = (try LAPACK.dsyevd(a), try LAPACK.dsyevd(g))
      // Eigenvectors move by ε/gap; a repeated eigenvalue leaves EKFAC undetermined (spec 5).
      let gap = min(smallestGap(first.values.elements), smallestGap(second.values.elements))
      if gap < 1e-4 || frobenius(defined.fisher) == 0 { continue }
      let q = kronecker(first.vectors, second.vectors)
      let rotated = LAPACK.dgemm(q, defined.gradients, transposeA: true)
      let n = Double(defined.exampleCount)
      let s = (0..<defined.size).map { row in
        rotated.row(row).dot(rotated.row(row)) / n
      }
      let expected = LAPACK.dgemm(LAPACK.dgemm(q, .diagonal(s)), q, transposeB: true)
      let found = try EigenbasisBlock.ekfac(test.layers[index]).dense(within: .standard)
      LapackComparison.expect(
        Ratio(
          found, against: expected, size: defined.size, scale: LAPACK.norm1(expected) / gap),
        algorithm: "EKFAC QSQᵀ, error·gap", oracle: "dsyevd", "\(test), layer \(index)",
        seed: test.seed)
    }
  }

  @Test("CG-FAC, both operators = dposv of the dense damped operator", arguments: cases)
  func conjugateGradients(test: CurvatureCase) throws {
    let λ = max(Self.λ(test), 0.03)
    for operation in MatrixFreeSolver.Operator.allCases {
      let solver = MatrixFreeSolver(operation, iteration: MatrixFreeTests.exact)
      let (step, _) = try solver.solve(test.layers, test.gradient, lambda: λ)
      for (index, defined) in test.defined.enumerated() {
        let matrix = MatrixFreeTests.dense(defined, operation, λ)
        let right = Vector(test.gradient.blocks[index].storage)
        try compare(
          Vector(step.blocks[index].storage), try LAPACK.dposv(matrix, right), matrix: matrix,
          right: right, algorithm: "CG-FAC, \(operation.rawValue)", oracle: "dposv",
          "\(test), layer \(index)", seed: test.seed)
      }
    }
  }

  @Test("Split = dpotri of each block", arguments: cases)
  func splitStep(test: CurvatureCase) throws {
    let λ = Self.λ(test)
    for (index, defined) in test.defined.enumerated() {
      let (a, g) = defined.factors()
      func inverse(_ m: Matrix) throws -> Matrix {
        blockDiagonal(
          try stride(from: 0, to: m.rowCount, by: 2).map {
            let range = $0..<min($0 + 2, m.rowCount)
            return try LAPACK.dpotri(
              m.block(rows: range, columns: range).addingToDiagonal(λ))
          })
      }
      let v = test.gradient.blocks[index]
      let expected = LAPACK.dgemm(LAPACK.dgemm(try inverse(g), v), try inverse(a))
      let matrix = damped(pinching(a, 2), pinching(g, 2), .factor, λ)
      let step = try KroneckerBlock.kfacSplit(test.layers[index], split: 2).damped(.factor, λ)
        .solve(gradient(test, index)).flattened
      try compare(
        step, Vector(expected.storage), matrix: matrix, right: Vector(v.storage),
        algorithm: "KFAC split step", oracle: "dpotri per block", "\(test), layer \(index)",
        seed: test.seed)
    }
  }

  @Test("Metrics = dsygvd", arguments: cases)
  func metrics(test: CurvatureCase) throws {
    let λ = Self.λ(test)
    for (index, defined) in test.defined.enumerated() {
      let f = defined.fisher.addingToDiagonal(λ)
      let (a, g) = defined.factors()
      let approximation = damped(a, g, .pi, λ)
      let w = try LAPACK.dsygvd(f, approximation).values
      let found = try MatrixMetricTests.reference(f).generalizedEigenvalues(
        with: try KroneckerBlock.kfac(test.layers[index]).damped(.pi, λ).dense(within: .standard))
      LapackComparison.expect(
        Ratio(
          Matrix(column: found), against: Matrix(column: w), size: f.rowCount,
          scale: try condition(approximation) * w[w.count - 1]),
        algorithm: "Stein, AIRM, κ: eigenvalues w, error/κ", oracle: "dsygvd",
        "\(test), layer \(index)", seed: test.seed)
    }
  }
}
