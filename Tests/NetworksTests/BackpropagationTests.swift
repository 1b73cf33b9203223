import DenseAlgebra
import Networks
import TestSupport
import Testing

@Suite("Backpropagation against central differences")
struct BackpropagationTests {
  /// For each example, the derivative of its loss along a random direction δ of all parameters is
  /// ⟨uₙ, δ⟩, uₙ being the column of the empirical gradient samples.
  @Test("P-17: backpropagation is the limit of central differences, with an error O(h²)")
  func perExampleGradientsAreTheLimitOfCentralDifferences() {
    property(
      "P-17", .limit, oracle: "central differences", over: NetworkCase.exact.filter(\.isOffTheKinks)
    ) { value, checks in
      let problem = value.problem
      let direction = problem.direction(seed: value.seed + 100)
      let samples = GradientSamples(
        problem.network, problem.data, likelihood: problem.likelihood, kind: .empirical)
      let exact = samples.parameterGradients.transposedTimes(direction.flattened)
      let (step, change, magnitude) = problem.step(along: direction, within: 0x1p-8)
      func losses(_ scale: Double) -> [Double] {
        problem.likelihood.losses(
          problem.network.adding(direction, scale: scale).forward(problem.data.inputs).output,
          problem.data.targets)
      }
      func slopes(_ h: Double) -> [Double] {
        zip(losses(h), losses(-h)).map { ($0 - $1) / (2 * h) }
      }
      let (wide, narrow) = (slopes(2 * step), slopes(step))
      let size = magnitude + (losses(0).map(\.magnitude).max() ?? 0)
      // The losses round by ε of their size; the next term of a slope is of fifth order in the change.
      let fifth = 64 * change * change * change * change * change
      for n in 0..<problem.data.count {
        checks.order(
          2, wide: wide[n], narrow: narrow[n], limit: exact[n],
          floor: (128 * .ulpOfOne * size + fifth) / step, "example \(n)")
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

  /// z = W₂ W₁ x + x, the x through a branch without parameters whose node stands between the two layers:
  /// Jᵀv is W₂ᵀv at the first layer and v at the second, with integers to the bit.
  @Test("A branch without parameters between two layers takes nothing from their cotangents")
  func branchesWithoutParametersAreLeftOut() throws {
    let w = Matrix(rows: [[1, 2], [3, 5]])
    let network = try Network(
      inputShape: .vector(2),
      nodes: [
        Node(.dense(parameters: 0), inputs: [0]), Node(.activation(.identity), inputs: [0]),
        Node(.dense(parameters: 1), inputs: [1]), Node(.addition, inputs: [3, 2]),
      ],
      parameters: [
        ParameterBlock(name: "first", weights: .identity(2), hasBias: false),
        ParameterBlock(name: "second", weights: w, hasBias: false),
      ])
    let v = Matrix(rows: [[1, -1, 4], [2, 7, 0]])
    let pulled = network.pullback(
      v, through: network.forward(Matrix(rowCount: 2, columnCount: 3, repeating: 1)))
    #expect(pulled == [Matrix(rows: [[7, 20, 4], [12, 33, 8]]), v])
  }
}
