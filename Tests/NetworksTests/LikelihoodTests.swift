import DenseAlgebra
import Networks
import TestSupport
import Testing

@Suite("Likelihoods at saturated outputs, against 50-digit numbers")
struct LikelihoodTests {
  @Test(arguments: CategoricalCase.all) func categorical(_ example: CategoricalCase) {
    let outputs = Matrix(
      rowCount: 3, columnCount: 3, storage: example.logits + example.logits + example.logits)
    let targets = Targets.labels([0, 1, 2])
    let name = "logits \(example.logits)"
    expectEntrywise(
      Likelihood.categorical.losses(outputs, targets), example.losses, ulps: 4, "losses, \(name)")
    expectEntrywise(
      Likelihood.categorical.gradient(outputs, targets), example.gradients, ulps: 4,
      "gradient, \(name)")
    let roots = Likelihood.categorical.hessianRoots(outputs)
    for n in 0..<3 {
      expectEntrywise(root(roots, example: n), example.roots, ulps: 6, "root, \(name)")
    }
    expectEntrywise(
      Likelihood.categorical.hessian(Vector(example.logits)), example.hessian, ulps: 6,
      "Hessian, \(name)")
  }

  @Test(arguments: BernoulliCase.all) func bernoulli(_ example: BernoulliCase) {
    let outputs = Matrix(rows: [[example.logit, example.logit]])
    let targets = Targets.values(Matrix(rows: [[0, 1]]))
    let name = "logit \(example.logit)"
    expectEntrywise(
      Likelihood.bernoulli.losses(outputs, targets), example.losses, ulps: 4, "losses, \(name)")
    expectEntrywise(
      Likelihood.bernoulli.gradient(outputs, targets).storage, example.gradients, ulps: 4,
      "gradient, \(name)")
    let roots = Likelihood.bernoulli.hessianRoots(outputs)[0]
    expectEntrywise(roots.storage, [example.root, example.root], ulps: 4, "root, \(name)")
    expectEntrywise(
      Likelihood.bernoulli.hessian(Vector([example.logit])), Matrix(rows: [[example.hessian]]),
      ulps: 4, "Hessian, \(name)")
  }

  /// S Sᵀ keeps entrywise relative accuracy where diag(p) − ppᵀ, in the same arithmetic, does not.
  @Test(arguments: CategoricalCase.all)
  func theRootTimesItsTransposeIsTheHessianEntryByEntry(_ example: CategoricalCase) {
    let outputs = Matrix(rowCount: 3, columnCount: 1, storage: example.logits)
    let s = root(Likelihood.categorical.hessianRoots(outputs), example: 0)
    expectEntrywise(
      s.timesOwnTranspose, example.hessian, ulps: 16, "S Sᵀ at logits \(example.logits)")
  }

  @Test func diagonalMinusOuterProductLosesNearlyAllDigitsAtAGapOfThirty() {
    let example = CategoricalCase.all[2]
    let p = example.gradients[0, 1]  // rounded from 50 digits, as good as a double can be
    let naive = p - p * p
    #expect(((naive - example.hessian[0, 0]) / example.hessian[0, 0]).magnitude > 1e-5)
  }

  @Test("P-18: S Sᵀ = H for every likelihood, entry by entry, also at outputs of ±500")
  func rootTimesTransposeIsTheHessian() {
    property("P-18", .equal, oracle: "dsyrk", over: OutputCase.all) { value, checks in
      let hessian = value.likelihood.hessian(value.output)
      let product = LAPACK.dsyrk(value.root)
      checks.equal(product, hessian, "norm")
      // Each entry sums C products of one size: no cancellation beyond that.
      for j in 0..<hessian.columnCount {
        for i in 0..<hessian.rowCount {
          checks.equal(product[i, j], hessian[i, j], size: hessian.rowCount, "(\(i), \(j))")
        }
      }
      // And H is the closed form, where that does not cancel.
      checks.equal(hessian, value.textbookHessian, scale: value.scale, "closed form")
    }
  }

  /// Where all probabilities agree S is symmetric, so the logits must lie apart.
  @Test("P-19: SᵀS, the other order, is not the softmax Hessian")
  func transposeTimesRootIsNotTheSoftmaxHessian() {
    let generic = OutputCase.all.generic.filter {
      let z = $0.output.elements
      return $0.likelihood == .categorical && z.count > 1 && z.max()! - z.min()! > 0.1
        && z.max()! - z.min()! < 100
    }
    property("P-19", .counterProperty, oracle: "dsyrk", over: generic) { value, checks in
      checks.different(
        LAPACK.dsyrk(value.root, transposed: true), value.likelihood.hessian(value.output))
    }
  }

  /// Central differences of the loss give the gradient, of the gradient the Hessian, with errors
  /// that fall by four when the step is halved.
  @Test(arguments: RandomNetwork.likelihoods)
  func gradientAndHessianAreDerivatives(_ likelihood: Likelihood) {
    var generator = Generator(seed: 77)
    let outputs = generator.normal(3, 4)
    let targets = likelihood.sampledTargets(outputs, using: &generator.random)
    let gradient = likelihood.gradient(outputs, targets)
    for i in 0..<3 {
      func moved(_ step: Double) -> Matrix {
        Matrix(rowCount: 3, columnCount: 4) { outputs[$0, $1] + ($0 == i ? step : 0) }
      }
      func lossSlope(_ step: Double) -> [Double] {
        zip(
          likelihood.losses(moved(step), targets), likelihood.losses(moved(-step), targets)
        ).map { ($0 - $1) / (2 * step) }
      }
      func gradientSlope(_ step: Double) -> Matrix {
        (1 / (2 * step))
          * (likelihood.gradient(moved(step), targets) - likelihood.gradient(moved(-step), targets))
      }
      let (wide, narrow) = (lossSlope(0x1p-8), lossSlope(0x1p-9))
      let (wideGradient, narrowGradient) = (gradientSlope(0x1p-8), gradientSlope(0x1p-9))
      for n in 0..<4 {
        expectSecondOrder(wide[n], narrow[n], exact: gradient[i, n], "\(likelihood) gradient")
        let hessian = likelihood.hessian(outputs.column(n))
        for j in 0..<3 {
          expectSecondOrder(
            wideGradient[j, n], narrowGradient[j, n], exact: hessian[j, i],
            "\(likelihood) Hessian (\(j), \(i))")
        }
      }
    }
  }

  /// The Gaussian's loss has no constant: at y = z it is zero, and scales as 1/σ².
  @Test func gaussianLossIsHalfTheSquaredDistanceOverTheVariance() {
    let outputs = Matrix(rows: [[1, 2], [3, -1]])
    let targets = Targets.values(Matrix(rows: [[1, 0], [3, 3]]))
    #expect(Likelihood.gaussian(variance: 2).losses(outputs, targets) == [0, 5])
    #expect(
      Likelihood.gaussian(variance: 2).gradient(outputs, targets)
        == Matrix(rows: [[0, 1], [0, -2]]))
  }

  /// A target between the outcomes is the mean of both: −log p is affine in y.
  @Test func bernoulliAcceptsTargetsBetweenTheOutcomes() {
    let outputs = Matrix(rows: [[0.5]])
    let loss = Likelihood.bernoulli.losses(outputs, .values(Matrix(rows: [[0.25]])))
    let both = BernoulliCase.all[4].losses
    expectEntrywise(loss, [0.75 * both[0] + 0.25 * both[1]], ulps: 4)
  }

  private func root(_ roots: [Matrix], example n: Int) -> Matrix {
    Matrix(rowCount: roots.count, columnCount: roots.count) { i, c in roots[c][i, n] }
  }

  /// The errors of steps 2⁻⁸ and 2⁻⁹ are in the ratio 4, up to fourth order and round-off.
  private func expectSecondOrder(
    _ wide: Double, _ narrow: Double, exact: Double, _ name: String
  ) {
    let wideError = wide - exact
    #expect(
      (wideError - 4 * (narrow - exact)).magnitude
        <= 0.01 * wideError.magnitude + 100 * .ulpOfOne * 0x1p9,
      "\(name): errors \(wideError), \(narrow - exact)")
  }
}
