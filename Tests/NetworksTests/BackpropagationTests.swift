import DenseAlgebra
import Networks
import TestSupport
import Testing

@Suite("Backpropagation against central differences")
struct BackpropagationTests {
  /// P-17. For each example, the derivative of its loss along a random direction δ of all parameters
  /// is ⟨uₙ, δ⟩, uₙ being the column of the empirical gradient samples. The error of the central
  /// difference with step 2ε is four times that with ε, up to O(ε⁴) and the round-off of the losses.
  @Test(arguments: RandomNetwork.everyCase)
  func perExampleGradientsAreTheLimitOfCentralDifferences(_ problem: RandomNetwork) {
    for seed in problem.seed..<problem.seed + 3 {
      let problem = RandomNetwork(
        problem.architecture, problem.activation, problem.likelihood, seed: seed)
      let direction = problem.direction(seed: seed + 100)
      let samples = GradientSamples(
        problem.network, problem.data, likelihood: problem.likelihood, kind: .empirical)
      let exact = samples.parameterGradients.transposedTimes(direction.flattened)
      let step = kinkFreeStep(problem, direction)
      let wide = difference(problem, direction, 2 * step)
      let narrow = difference(problem, direction, step)
      for n in 0..<problem.data.count {
        let wideError = wide.derivatives[n] - exact[n]
        let narrowError = narrow.derivatives[n] - exact[n]
        let roundOff = 100 * Double.ulpOfOne * wide.magnitude / step
        #expect(
          (wideError - 4 * narrowError).magnitude <= 0.1 * wideError.magnitude + roundOff,
          "\(problem), example \(n): errors \(wideError) and \(narrowError), exact \(exact[n])")
      }
    }
  }

  /// The mean of the per-example gradients, summed in another order.
  @Test(arguments: RandomNetwork.everyCase)
  func lossGradientIsTheMeanOfThePerExampleGradients(_ problem: RandomNetwork) {
    let mean = LossGradient(problem.network, problem.data, problem.likelihood)
    let samples = GradientSamples(
      problem.network, problem.data, likelihood: problem.likelihood, kind: .empirical)
    let ones = Vector(repeating: 1 / Double(problem.data.count), count: problem.data.count)
    expectRatio(
      .difference(mean.gradient.flattened, LAPACK.dgemm(samples.parameterGradients, ones)),
      "\(problem)")
    #expect(mean.loss == mean.losses.reduce(0, +) / Double(problem.data.count))
  }

  /// The derivative of every output along δ is ⟨Jᵀe_c, δ⟩: cotangents are arbitrary, not only loss
  /// gradients. An affine network has no higher terms, so the quotient is exact to round-off.
  @Test func pullbackOfAnAffineNetworkIsItsJacobian() {
    let problem = RandomNetwork(.biasFree, .identity, .gaussian(variance: 1), seed: 9)
    let last = problem.network.parameters.count - 1
    var direction = ParameterVector.zero(problem.network.layout)
    direction.blocks[last] = problem.direction(seed: 3).blocks[last]
    let tape = problem.network.forward(problem.data.inputs)
    let moved = problem.network.adding(direction, scale: 1).forward(problem.data.inputs)
    let exact = moved.output - tape.output
    for c in 0..<tape.output.rowCount {
      let cotangent = Matrix(
        rowCount: tape.output.rowCount, columnCount: tape.output.columnCount
      ) { i, _ in i == c ? 1 : 0 }
      let pulled = problem.network.pullback(cotangent, through: tape)
      let use = tape.uses[last]
      let derivative = LAPACK.dgemm(direction.blocks[last], use.inputs).hadamard(pulled[last])
      let sums = (0..<derivative.columnCount).map { derivative.column($0).elements.reduce(0, +) }
      expectRatio(
        Ratio(
          Matrix(column: Vector(sums)), against: Matrix(column: exact.row(c)),
          size: use.inputs.rowCount, scale: tape.output.map(\.magnitude).storage.reduce(1, +)))
    }
  }

  /// A step ε so small that no ReLU changes sides between θ − 2εδ and θ + 2εδ.
  private func kinkFreeStep(_ problem: RandomNetwork, _ direction: ParameterVector) -> Double {
    var step = 0x1p-9
    guard problem.activation == .relu else { return step }
    while step > 0x1p-20 {
      let sides = [-2.0, -1, 0, 1, 2].map { sign in
        let moved = problem.network.adding(direction, scale: sign * step)
        let tape = moved.forward(problem.data.inputs)
        return moved.nodes.enumerated().flatMap { index, node -> [Bool] in
          guard node.operation == .activation(.relu) else { return [] }
          return tape.values[node.inputs[0]].storage.map { $0 > 0 }
        }
      }
      if sides.allSatisfy({ $0 == sides[0] }) { return step }
      step /= 2
    }
    Issue.record("\(problem): a pre-activation lies on the kink")
    return step
  }

  /// Per example (loss(θ + εδ) − loss(θ − εδ))/(2ε), and the largest magnitude involved.
  private func difference(
    _ problem: RandomNetwork, _ direction: ParameterVector, _ step: Double
  ) -> (derivatives: [Double], magnitude: Double) {
    let losses = [1.0, -1].map { sign in
      let moved = problem.network.adding(direction, scale: sign * step)
      return problem.likelihood.losses(
        moved.forward(problem.data.inputs).output, problem.data.targets)
    }
    return (
      zip(losses[0], losses[1]).map { ($0 - $1) / (2 * step) },
      1 + losses[0].map(\.magnitude).max()!
    )
  }
}
