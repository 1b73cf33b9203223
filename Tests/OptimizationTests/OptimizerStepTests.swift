import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// The steps of the optimizers are their formulas.
@Suite("Optimizer steps")
struct OptimizerStepTests {
  static let sources: [RandomNetwork] = RandomNetwork.Architecture.allCases.enumerated().map {
    RandomNetwork(
      $1, Activation.allCases[$0 % 5], RandomNetwork.likelihoods[$0 % 3], seed: UInt64(40 + $0))
  }

  @Test("Gradient descent is θ − α∇h, and lowers the loss at a small rate", arguments: sources)
  func gradientDescent(source: RandomNetwork) throws {
    let gradient = LossGradient(source.network, source.data, source.likelihood)
    var optimizer = GradientDescent(learningRate: 1e-3)
    let next = try optimizer.step(source.network, source.data, source.likelihood)
    let expected = source.network.parameterVector.flattened - 1e-3 * gradient.gradient.flattened
    expectRatio(.difference(next.parameterVector.flattened, expected), "\(source)")
    let after = LossGradient(next, source.data, source.likelihood).loss
    if gradient.gradient.norm > 1e-3 { #expect(after < gradient.loss, "\(source)") }
    #expect(GradientDescent(learningRate: 1).name == "sgd")
  }

  @Test("Natural-gradient descent is θ − α F̂⁻¹∇h for every structure and rule", arguments: sources)
  func naturalGradientDescent(source: RandomNetwork) throws {
    let gradient = LossGradient(source.network, source.data, source.likelihood).gradient
    let options = StructureOptions(split: 2)
    for kind in [StructureKind.exact, .blockDiagonal, .diagonal, .kfac, .ekfac, .kfacSplit] {
      for fisher in [FisherKind.exact, .empirical] {
        let rule = kind == .kfac ? DampingRule.pi : .exact
        var optimizer = NaturalGradientDescent(
          learningRate: 0.2, structure: kind, options: options, rule: rule, lambda: 0.1,
          fisher: fisher)
        let next = try optimizer.step(source.network, source.data, source.likelihood)
        let samples = GradientSamples(
          source.network, source.data, likelihood: source.likelihood, kind: fisher)
        let matrix = try kind.build(samples, options).damped(rule, 0.1).dense(within: .standard)
        let right = gradient.flattened
        let before = source.network.parameterVector.flattened
        let step = -5 * (next.parameterVector.flattened - before)
        let expected = try LAPACK.dposv(matrix, right)
        // The step is read off θ′ − θ, which rounds at ‖θ‖.
        let slack = 1e-10 * expected.norm + 1e-14 * before.norm
        expectAtMost((step - expected).norm, slack, "\(kind) \(fisher), \(source)")
        #expect(optimizer.name == kind.rawValue)
      }
    }
  }

  @Test("Layers that are left out take the plain gradient step")
  func chosenLayersOnly() throws {
    let source = RandomNetwork(.perceptron, .tanh, .categorical, seed: 3, exampleCount: 9)
    let gradient = LossGradient(source.network, source.data, source.likelihood).gradient
    var optimizer = NaturalGradientDescent(
      learningRate: 0.2, structure: .kfac, rule: .factor, lambda: 0.1, blocks: [1])
    let next = try optimizer.step(source.network, source.data, source.likelihood)
    var gradientDescent = GradientDescent(learningRate: 0.2)
    let plain = try gradientDescent.step(source.network, source.data, source.likelihood)
    for index in source.network.parameters.indices {
      let moved = next.parameters[index].weights
      if index != 1 {
        #expect(moved == plain.parameters[index].weights)
        continue
      }
      let samples = GradientSamples(
        source.network, source.data, likelihood: .categorical, kind: .exact, blocks: [1])
      let step = try StructureKind.kfac.build(samples).damped(.factor, 0.1).solve(
        ParameterVector(blocks: [gradient.blocks[1]]))
      expectRatio(.difference(moved, source.network.parameters[1].weights - 0.2 * step.blocks[0]))
      expectDifferent(moved, plain.parameters[1].weights)
    }
  }

  @Test("A Monte-Carlo Fisher draws anew at every step, and the same run twice is the same")
  func freshLabelsAtEveryStep() throws {
    let source = RandomNetwork(.perceptron, .tanh, .categorical, seed: 5, exampleCount: 9)
    func optimizer() -> NaturalGradientDescent {
      NaturalGradientDescent(
        learningRate: 0.2, structure: .kfac, rule: .pi, lambda: 0.1,
        fisher: .monteCarlo(samples: 1, seed: 4))
    }
    var (first, second) = (optimizer(), optimizer())
    let one = try first.step(source.network, source.data, source.likelihood)
    let two = try first.step(source.network, source.data, source.likelihood)
    let oneAgain = try second.step(source.network, source.data, source.likelihood)
    let twoAgain = try second.step(source.network, source.data, source.likelihood)
    #expect(oneAgain == one && twoAgain == two)
    expectDifferent(one.parameterVector.flattened, two.parameterVector.flattened)
  }

  @Test("What cannot be damped is thrown, not trained on")
  func errorsReachTheCaller() {
    let source = RandomNetwork(.perceptron, .tanh, .categorical, seed: 5, exampleCount: 9)
    var optimizer = NaturalGradientDescent(
      learningRate: 0.2, structure: .ekfac, rule: .pi, lambda: 0.1)
    #expect(throws: CurvatureError.undefinedRule(structure: .ekfac, rule: .pi)) {
      _ = try optimizer.step(source.network, source.data, source.likelihood)
    }
  }
}
