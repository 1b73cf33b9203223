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

  @Test("P-33: Gram = UᵀU, without forming U", arguments: CurvatureCase.varied)
  func gramIsTheInnerProducts(test: CurvatureCase) throws {
    let expected =
      (1 / Double(test.samples.exampleCount))
      * LAPACK.dsyrk(test.stackedGradients, transposed: true)
    expectRatio(
      .difference(try ExactFisher(test.samples).gram(), expected), "\(test)", seed: test.seed)
  }

  @Test("P-32: F and its Gram matrix share their non-zero eigenvalues", arguments: cases)
  func spectraAgree(test: CurvatureCase) throws {
    let gram = try LAPACK.dsyevd(try ExactFisher(test.samples).gram()).values.elements
    let fisher = try LAPACK.dsyevd(test.fisher).values.elements
    let count = min(gram.count, fisher.count)
    expectRatio(
      .difference(Vector(gram.suffix(count)), Vector(fisher.suffix(count))), "\(test)",
      seed: test.seed)
  }

  @Test("P-34, P-35: solves and log-determinants down to λ = 1e-8 λmax", arguments: cases)
  func gramSolvesLikeTheDenseForm(test: CurvatureCase) throws {
    let fisher = ExactFisher(test.samples)
    let largest = try LAPACK.dsyevd(test.fisher).values.elements.last ?? 0
    for relative in [1, 1e-2, 1e-5, 1e-8] {
      let λ = relative * largest
      let damped = try fisher.dampedGram(.exact, λ)
      try expectDampedLaws(
        damped, expected: test.fisher.addingToDiagonal(λ), "λ = \(relative) λmax, \(test)",
        seed: test.seed)
      let solution = damped.solve(test.gradient).flattened
      let matrix = test.fisher.addingToDiagonal(λ)
      expectRatio(.solve(matrix, solution, test.gradient.flattened), "\(relative), \(test)")
    }
  }

  @Test("The range form solves U w without cancellation", arguments: cases)
  func rangeForm(test: CurvatureCase) throws {
    let fisher = ExactFisher(test.samples)
    let largest = try LAPACK.dsyevd(test.fisher).values.elements.last ?? 0
    var generator = Generator(seed: test.seed)
    let w = generator.vector(test.samples.exampleCount * test.samples.columnCount)
    let right = fisher.combine(w)
    let scale = 1 / Double(test.samples.exampleCount).squareRoot()
    let u = scale * test.stackedGradients
    expectRatio(.difference(right.flattened, LAPACK.dgemm(u, w)), "U w, \(test)")
    expectRatio(
      .difference(fisher.project(right), LAPACK.dgemm(u, right.flattened, transposeA: true)),
      "Uᵀ v, \(test)")
    for relative in [1, 1e-4, 1e-8] {
      let λ = relative * largest
      let matrix = test.fisher.addingToDiagonal(λ)
      let solution = try fisher.dampedGram(.exact, λ).solve(imageOf: w).flattened
      expectRatio(
        solutionRatio(
          solution, try LAPACK.dposv(matrix, LAPACK.dgemm(u, w)), condition: 1 / relative),
        "λ = \(relative) λmax, \(test)", seed: test.seed)
    }
    // Rule none: F⁺ U w, the shortest solution of F x = U w.
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
