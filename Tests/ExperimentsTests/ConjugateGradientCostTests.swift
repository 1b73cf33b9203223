import Curvature
import DenseAlgebra
import Experiments
import Networks
import TestSupport
import Testing

@Suite("CG-FAC: costs, operators and steps")
struct ConjugateGradientCostTests {
  private func cost(_ dA: Int, _ dG: Int, _ n: Int, _ k: Int) -> ConjugateGradientCost {
    ConjugateGradientCost(inputSize: dA, outputSize: dG, examples: n, columns: k)
  }

  @Test func operationsAreThoseOfTheTable() {
    // Specification, section 6.2, with d_A = 5, d_G = 3, n = 15, N = 2, K = 4.
    let cost = cost(5, 3, 2, 4)
    #expect(cost.inputsFirst == 4 * 15 * 2 + 4 * 3 * 4 * 4)  // 312
    #expect(cost.implicitProduct == 312)  // the other order: 4·15·2·4 + 4·5·4·4 = 800
    #expect(cost.exactProduct == 4 * 15 * 2 + 4 * 3 * 2 * 4)
    #expect(cost.formedProduct == 2 * 15 * 8)
    #expect(cost.formingFactors == 2 * (25 + 4 * 9))
    #expect(cost.iteration(steps: 10, product: 312) == 10 * (312 + 150))
    #expect(cost.directEigen == 122 + 9 * (125 + 27) + 480)
    #expect(abs(cost.directCholesky - (122 + 152.0 / 3 + 240)) < 1e-9)
    #expect(abs(cost.directCholesky(every: 2) - ((122 + 152.0 / 3) / 2 + 240)) < 1e-9)
    #expect(cost.implicitMemory == 2 * (5 + 12) + 16)
    #expect(cost.directMemory == 34)
  }

  @Test func theOtherOrderIsCheaperForMoreOutputsThanInputs() {
    // 4·15·2 + 4·3·4 = 168 with Yᵀ V first (d_A = 3), 4·15·2 + 4·5·4 = 200 with V X first (d_G = 5).
    #expect(cost(3, 5, 2, 1).implicitProduct == 168)
    #expect(cost(3, 5, 2, 1).inputsFirst == 200)
  }

  @Test(arguments: [(785, 20), (21, 20), (20, 21), (512, 512), (1, 1)])
  func theBreakEvenBatchSolvesTheSpecificationsEquation(_ dA: Int, _ dG: Int) {
    // 2N(1 + N/max(d_A, d_G)) = d_A + d_G for K = 1.
    let n = ConjugateGradientCost.breakEvenBatch(inputSize: dA, outputSize: dG, columns: 1)
    let sum = Double(dA + dG)
    #expect(abs(2 * n * (1 + n / Double(max(dA, dG))) - sum) <= 1e-12 * sum)
  }

  @Test func theProductsCostTheSameAtTheBreakEvenBatch() {
    // d_A = d_G = 6, K = 1: 2N(1 + N/6) = 12 has the root N = 3(√5 − 1) = 3.708…: one more example loses.
    #expect(cost(6, 6, 3, 1).implicitProduct < cost(6, 6, 3, 1).formedProduct)
    #expect(cost(6, 6, 4, 1).implicitProduct > cost(6, 6, 4, 1).formedProduct)
    let n = ConjugateGradientCost.breakEvenBatch(inputSize: 6, outputSize: 6, columns: 1)
    #expect(abs(n - 3 * (5.0.squareRoot() - 1)) < 1e-13)
    // K = 4, V X first: 2N + 2·4/6 N² = 12 has the root (−2 + √(4 + 64))·3/8.
    let more = ConjugateGradientCost.breakEvenBatch(inputSize: 6, outputSize: 6, columns: 4)
    #expect(abs(more - (-2 + 68.0.squareRoot()) * 3 / 8) < 1e-12)
  }

  @Test func formedFactorsAreTheSameOperatorAsNone() throws {
    let options = ComparisonSample.options
    let run = try TrainingRun(
      seed: 4, data: ComparisonSample.data.get(), likelihood: .categorical, options: options,
      iterations: [0])
    let batch = try ComparisonSample.data.get().subset(run.states[0].batch)
    let samples = GradientSamples(
      run.states[0].network, batch, likelihood: .categorical, kind: .exact, blocks: [1])
    let layer = LayerSamples(samples, block: 0)
    let factors = KFACFactors(layer)
    let formed = FormedKroneckerOperator(a: factors.a, g: factors.g, lambda: 0.3)
    expectRatio(
      .difference(formed.dense(), ImplicitKroneckerOperator(layer, lambda: 0.3).dense()),
      "with and without factors")
  }

  @Test func theFirstStepWithinABoundIsCountedFromTheStart() {
    #expect(ConjugateGradientStudy.firstStep([4, 2, 1, 0.5], 1) == 2)
    #expect(ConjugateGradientStudy.firstStep([4, 2], 4) == 0)
    #expect(ConjugateGradientStudy.firstStep([4, 2], 1) == nil)
  }

  @Test func chebyshevsStepsAreThoseOfTheBound() {
    // κ = 9: ρ = 1/2, 2·3·2^−k ≤ 0.01 from k = 10 on (6/512 > 0.01 ≥ 6/1024).
    #expect(ConjugateGradientStudy.chebyshevSteps(condition: 9, tolerance: 0.01) == 10)
    #expect(ConjugateGradientStudy.chebyshevSteps(condition: 1, tolerance: 0.01) == 1)
  }

  @Test func noSolveTakesMoreStepsThanChebyshevAllows() throws {
    var options = ConjugateGradientStudy.Options()
    options.widths = [6, 5, 4, 3]
    options.batch = 40
    options.iterations = [0, 2]
    options.lambdas = [1, 1e-2]
    let study = try ConjugateGradientStudy(
      options, data: ComparisonSample.data.get(), seeds: [4, 9]
    ) { _, _, _ in }
    // 2 seeds, 2 states, 2 Fisher kinds, 3 layers, 2 operators, 2 λ.
    #expect(study.solves.count == 96)
    for solve in study.solves {
      let bound = ConjugateGradientStudy.chebyshevSteps(
        condition: solve.condition, tolerance: 1e-2)
      #expect(try #require(solve.steps[1]) <= bound, "\(solve)")
      #expect(solve.ownSteps == solve.steps[1], "\(solve)")
      #expect(solve.authorSteps <= 10)
      // ‖x − x*‖/‖x*‖ ≤ κ‖r‖/‖V‖ bounds the sine of the angle.
      func leastCosine(_ residual: Double) -> Double {
        let sine = min(1, solve.condition * residual)
        return (1 - sine * sine).squareRoot()
      }
      #expect(try #require(solve.ownCosine) >= leastCosine(0.01), "\(solve)")
      if solve.authorSteps < 10 {
        #expect(try #require(solve.authorCosine) >= leastCosine(0.1), "\(solve)")
      }
    }
    // The bound says something: at λ = 1 it is above 0.9 somewhere.
    #expect(study.solves.contains { $0.condition < 4 && $0.lambda == 1 })
    let readings = Dictionary(grouping: study.solves, by: \.layerOperator)
    // The readings are different matrices.
    #expect(readings[.kfac]?.map(\.condition) != readings[.exactBlock]?.map(\.condition))
  }

  @Test func aWarmStartIsTheLastSolutionAndSavesStepsWhereNothingChanges() throws {
    var options = WarmStartStudy.Options()
    options.training = ComparisonSample.options
    options.steps = 3
    options.lambdas = [0.1]
    let study = try WarmStartStudy(
      options, data: ComparisonSample.data.get(), seeds: [4]
    ) { _, _, _ in }
    // 3 courses, 2 operators, 1 λ, 4 policies, 3 steps.
    #expect(study.rows.count == 72)
    for row in study.rows where row.step == 0 || row.policy.rawValue.hasPrefix("cold") {
      #expect(row.startResiduals.allSatisfy { abs($0 - 1) < 1e-12 }, "\(row)")
    }
    func total(_ course: WarmStartStudy.Course, _ policy: WarmStartStudy.Policy) -> Int {
      MatrixFreeSolver.Operator.allCases.reduce(0) { sum, layerOperator in
        sum + study.iterations(course, layerOperator, lambda: 0.1, policy).reduce(0, +)
      }
    }
    // One batch and small steps: consecutive systems are nearly the same.
    #expect(total(.oneBatch, .warm) < total(.oneBatch, .cold))
    // The author's target is relative to the first residual, which takes the gain away.
    #expect(total(.oneBatch, .warmAuthor) > 0)
    #expect(study.gradientChanges.count == 6)
  }
}
