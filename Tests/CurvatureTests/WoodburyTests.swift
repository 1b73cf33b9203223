import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The Gram form of the exact Fisher (spec 3.2, P-32 to P-35).
@Suite("Woodbury: the Gram form equals the dense form")
struct WoodburyTests {
  /// Also sharing and tied parameters: the Gram matrix then sums over pairs of positions.
  static let cases: [CurvatureCase] = RandomNetwork.Architecture.allCases.enumerated().map {
    CurvatureCase(
      RandomNetwork(
        $1, .tanh, RandomNetwork.likelihoods[$0 % 3], seed: UInt64(500 + $0), exampleCount: 4))
  }

  @Test("P-33: the Gram matrix by layer inner products is UᵀU")
  func gramIsTheInnerProducts() {
    property("P-33", .equal, oracle: "dsyrk", over: NetworkCase.all) { test, checks in
      let curvature = test.curvature
      func gram(_ u: Matrix) -> Matrix {
        (1 / Double(test.exampleCount)) * LAPACK.dsyrk(u, transposed: true)
      }
      checks.equal(
        try ExactFisher(curvature.samples).gram(), gram(curvature.stackedGradients),
        scale: floored(gram(curvature.stackedMagnitudes)))
    }
  }

  @Test("P-32: F and its Gram matrix share their non-zero eigenvalues")
  func spectraAgree() {
    property("P-32", .equal, oracle: "dsyev of both", over: NetworkCase.all) { test, checks in
      let fisher = ExactFisher(test.curvature.samples)
      let gram = try LAPACK.dsyev(try fisher.gram()).values.elements
      let dense = try LAPACK.dsyev(try fisher.dense(within: .standard)).values.elements
      let count = max(gram.count, dense.count)
      // The larger matrix has the difference of the sizes as zeros.
      func padded(_ values: [Double]) -> Vector {
        Vector([Double](repeating: 0, count: count - values.count) + values)
      }
      let largest = max(dense[dense.count - 1], 1e-290)
      checks.equal(padded(gram), padded(dense), scale: largest)
    }
  }

  /// λ as a part of the largest eigenvalue, down to 1e-8. Outputs of ±500 can make F as small as
  /// 1e-300: Uᵀ b of a right side b of that size would underflow, so λ stays above 1e-108.
  static func damping(_ test: NetworkCase, _ curvature: CurvatureCase) throws -> Double {
    let largest = try largestEigenvalue(curvature.fisher)
    return test.pick([1, 1e-2, 1e-5, 1e-8]) * max(largest, 1e-100)
  }

  @Test("P-34: the Gram form and its range form solve like the dense form")
  func gramSolvesLikeTheDenseForm() {
    property("P-34", .equal, oracle: "dpotrs", over: NetworkCase.all, share: 0.5) { test, checks in
      let curvature = test.curvature
      let fisher = ExactFisher(curvature.samples)
      let λ = try Self.damping(test, curvature)
      let damped = try fisher.dampedGram(.exact, λ)
      let matrix = curvature.fisher.addingToDiagonal(λ)
      let lower = try LAPACK.dpotrf(matrix)
      // λ is a lower bound of the smallest eigenvalue, and attained where NK < P.
      let κ = LAPACK.norm1(matrix) / λ
      var generator = Generator(seed: test.seed)
      let w = generator.vector(test.exampleCount * curvature.samples.columnCount)
      let u = (1 / Double(test.exampleCount).squareRoot()) * curvature.stackedGradients
      let image = LAPACK.dgemm(u, w)
      for (name, right) in [
        ("gradient", curvature.gradient.flattened), ("random", generator.vector(matrix.rowCount)),
        ("U w", image),
      ] where LAPACK.norm1(Matrix(column: right)) > 1e-250 {
        let solution = damped.solve(ParameterVector(right, layout: damped.layout)).flattened
        checks.ratio(.solve(matrix, solution, right), name)
        checks.ratio(
          solutionRatio(solution, try LAPACK.dpotrs(lower: lower, right), condition: κ),
          "\(name), forward error over κ")
      }
      if LAPACK.norm1(Matrix(column: image)) > 1e-250 {
        checks.ratio(
          solutionRatio(
            damped.solve(imageOf: w).flattened, try LAPACK.dpotrs(lower: lower, image),
            condition: κ), "range form, over κ")
      }
      // log det of 𝒦 + λI: where NK > P the Gram matrix is singular though F need not be.
      try checks.dampedLaws(
        damped, expected: matrix, seed: test.seed, determinantScale: κ)
    }
  }

  @Test("P-35: log det(F + λI) = (P − NK) log λ + log det(𝒦 + λI)")
  func logDeterminantsAgree() {
    property("P-35", .equal, oracle: "dpotrf", over: NetworkCase.all) { test, checks in
      let curvature = test.curvature
      let λ = try Self.damping(test, curvature)
      let matrix = curvature.fisher.addingToDiagonal(λ)
      let expected = try LAPACK.dpotrf(matrix).diagonal.reduce(0) { $0 + 2 * logarithm($1) }
      // d log det M = tr(M⁻¹ dM), at most n ε κ.
      let scale = LAPACK.norm1(matrix) / λ + abs(expected)
      let fisher = ExactFisher(curvature.samples)
      checks.equal(
        try fisher.dampedGram(.exact, λ).logDeterminant, expected, size: matrix.rowCount,
        scale: scale, "Gram")
      checks.equal(
        try fisher.dampedDense(.exact, λ).logDeterminant, expected, size: matrix.rowCount,
        scale: scale, "dense")
    }
  }

  @Test("Rule none: the range form is F⁺ U w, the shortest solution of F x = U w", arguments: cases)
  func rangeForm(test: CurvatureCase) throws {
    let fisher = ExactFisher(test.samples)
    var generator = Generator(seed: test.seed)
    let w = generator.vector(test.samples.exampleCount * test.samples.columnCount)
    let right = fisher.combine(w)
    let u = (1 / Double(test.samples.exampleCount).squareRoot()) * test.stackedGradients
    expectRatio(.difference(right.flattened, LAPACK.dgemm(u, w)), "U w, \(test)")
    expectRatio(
      .difference(fisher.project(right), LAPACK.dgemm(u, right.flattened, transposeA: true)),
      "Uᵀ v, \(test)")
    let pseudo = try fisher.dampedGram(.none, 0)
    let solution = pseudo.solve(imageOf: w)
    let κ = try condition(of: pseudo)
    expectRatio(
      solutionRatio(solution.flattened, pseudo.solve(right).flattened, condition: κ * κ),
      "none, \(test)", seed: test.seed)
  }

  /// The ratio of the largest to the smallest kept eigenvalue.
  func condition(of pseudo: DampedGramFisher) throws -> Double {
    let matrix = try pseudo.dense(within: .standard)
    let values = try LAPACK.dsyevd(matrix).values.elements
    return values[values.count - 1] / values[values.count - pseudo.rank]
  }

  @Test("The smaller of the two forms is taken, and both give one step")
  func bothFormsAreUsed() throws {
    let few = ExactFisher(
      CurvatureCase(RandomNetwork(.perceptron, .tanh, .categorical, seed: 3, exampleCount: 1))
        .samples)
    #expect(try few.damped(.exact, 0.1) is DampedGramFisher)
    let many = ExactFisher(
      CurvatureCase(RandomNetwork(.perceptron, .tanh, .categorical, seed: 3, exampleCount: 200))
        .samples)
    #expect(try many.damped(.exact, 0.1) is DampedDenseMatrix)
  }

  @Test("λ = 0 is refused: the Gram form has no inverse beyond its rank")
  func zeroDampingIsRefused() throws {
    let test = Self.cases[0]
    #expect(throws: CurvatureError.self) {
      _ = try ExactFisher(test.samples).dampedGram(.exact, 0)
    }
  }
}
