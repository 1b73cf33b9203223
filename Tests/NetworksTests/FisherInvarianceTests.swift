import DenseAlgebra
import Networks
import TestSupport
import Testing

@Suite("What leaves a Fisher matrix unchanged, and what it annihilates")
struct FisherInvarianceTests {
  /// P-37: every quantity is a mean, so repeating or reordering the examples changes nothing.
  @Test(arguments: RandomNetwork.Architecture.allCases, RandomNetwork.likelihoods)
  func repeatedAndReorderedExamplesGiveTheSameMeans(
    _ architecture: RandomNetwork.Architecture, _ likelihood: Likelihood
  ) {
    let problem = RandomNetwork(architecture, .tanh, likelihood, seed: 14, exampleCount: 5)
    let gradient = LossGradient(problem.network, problem.data, likelihood)
    for indices in [[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4], [3, 1, 4, 0, 2]] {
      let data = problem.data.subset(indices)
      for kind in [FisherKind.exact, .empirical] {
        expectRatio(
          .difference(
            GradientSamples(problem.network, data, likelihood: likelihood, kind: kind).fisher,
            problem.fisher(kind)), "\(problem), \(kind)")
      }
      let other = LossGradient(problem.network, data, likelihood)
      expectRatio(.difference(other.gradient.flattened, gradient.gradient.flattened))
      expectRatio(.difference(Vector([other.loss]), Vector([gradient.loss])))
      #expect(other.losses == indices.map { gradient.losses[$0] })
    }
  }

  /// P-38.
  @Test func gaussianFisherIsInverselyProportionalToTheVariance() {
    let one = RandomNetwork(.residual, .tanh, .gaussian(variance: 1), seed: 15)
    let samples = GradientSamples(
      one.network, one.data, likelihood: .gaussian(variance: 4), kind: .exact)
    expectRatio(.difference(4 * samples.fisher, one.fisher()))
  }

  /// P-39: adding one number to all logits changes no probability.
  @Test(arguments: [RandomNetwork.Architecture.perceptron, .convolution, .residual, .pooling])
  func softmaxFisherAnnihilatesTheShiftOfAllLogits(_ architecture: RandomNetwork.Architecture) {
    for kind in [FisherKind.exact, .empirical, .monteCarlo(samples: 4, seed: 1)] {
      let problem = RandomNetwork(architecture, .tanh, .categorical, seed: 16)
      var shift = ParameterVector.zero(problem.network.layout)
      let last = shift.blocks.count - 1
      let columns = shift.blocks[last].columnCount
      for i in 0..<shift.blocks[last].rowCount { shift.blocks[last][i, columns - 1] = 1 }
      expectAnnihilates(problem.fisher(kind), shift.flattened, "\(problem)")

      let samples = GradientSamples(
        problem.network, problem.data, likelihood: .categorical, kind: kind)
      for g in samples.blocks[last].uses[0].gradients {
        let sums = (0..<g.columnCount).map { g.column($0).elements.reduce(0, +) }
        expectRatio(
          Ratio(
            Matrix(column: Vector(sums)), against: Matrix(rowCount: sums.count, columnCount: 1),
            size: g.rowCount, scale: LAPACK.norm1(g.transposed)), "1ᵀg of the last layer")
      }
    }
  }

  /// P-40, P-41: scaling a ReLU unit's incoming weights up and its outgoing ones down leaves the
  /// function alone; F annihilates that direction, the Kronecker product A ⊗ G does not.
  @Test(arguments: [2, 3, 5] as [UInt64])
  func reluFisherAnnihilatesTheRescalingOfAUnit(_ seed: UInt64) throws {
    let network = try Network.multilayerPerceptron(
      widths: [3, 4, 3, 2], activation: .relu, initialization: .normal(standardDeviation: 1),
      seed: seed)
    let data = try Dataset.teacher(
      widths: [3, 3, 2], activation: .tanh, likelihood: .categorical, count: 15, seed: seed)
    let samples = GradientSamples(network, data, likelihood: .categorical, kind: .exact)
    let fisher = samples.fisher
    for unit in 0..<3 {
      var direction = ParameterVector.zero(network.layout)
      for j in 0..<5 { direction.blocks[1][unit, j] = network.parameters[1].weights[unit, j] }
      for i in 0..<2 { direction.blocks[2][i, unit] = -network.parameters[2].weights[i, unit] }
      expectAnnihilates(fisher, direction.flattened, "seed \(seed), unit \(unit)")
    }
    // The unit that is active most often, so that its block of KFAC is not zero.
    let uses = [samples.blocks[1].uses[0], samples.blocks[2].uses[0]]
    let unit = (0..<3).max { a, b in
      uses[1].inputs.row(a).norm < uses[1].inputs.row(b).norm
    }!
    var quadratic = 0.0
    for (index, use) in uses.enumerated() {
      let a = (1 / 15.0) * LAPACK.dsyrk(use.inputs)
      var g = Matrix(rowCount: use.gradients[0].rowCount, columnCount: use.gradients[0].rowCount)
      for column in use.gradients { g.add(1 / 15.0, times: LAPACK.dsyrk(column)) }
      let weights = network.parameters[index + 1].weights
      let v = Matrix(rowCount: weights.rowCount, columnCount: weights.columnCount) { i, j in
        (index == 0 ? i : j) == unit ? (index == 0 ? 1 : -1) * weights[i, j] : 0
      }
      quadratic += v.dot(LAPACK.dgemm(LAPACK.dgemm(g, v), a))
    }
    #expect(quadratic > 1e-3 * LAPACK.norm1(fisher), "seed \(seed): \(quadratic)")
  }

  /// P-42: a bias-free ReLU or linear network is homogeneous in the weights of each layer, so wᵀFw is
  /// (1/N) Σ zᵀHz for each of them.
  @Test(arguments: [Activation.relu, .identity], RandomNetwork.likelihoods)
  func homogeneousLayersHaveOneQuadraticForm(_ activation: Activation, _ likelihood: Likelihood) {
    let problem = RandomNetwork(.biasFree, activation, likelihood, seed: 17, exampleCount: 12)
    let expected = outputForm(problem)
    #expect(expected > 0)
    for block in problem.network.parameters.indices {
      expectQuadraticForm(problem, block: block, is: expected)
    }
  }

  /// P-43: the output is linear in the last block, bias included, whatever comes before.
  @Test(
    arguments: [RandomNetwork.Architecture.perceptron, .residual, .pooling, .sequence],
    RandomNetwork.likelihoods)
  func theLastBlockHasTheQuadraticFormOfTheOutputs(
    _ architecture: RandomNetwork.Architecture, _ likelihood: Likelihood
  ) {
    let problem = RandomNetwork(architecture, .tanh, likelihood, seed: 18)
    expectQuadraticForm(
      problem, block: problem.network.parameters.count - 1, is: outputForm(problem))
  }

  /// P-44: two classes are one coin on the difference of the logits, in every hidden block.
  @Test func twoClassesAreOneCoin() throws {
    let problem = RandomNetwork(.perceptron, .tanh, .categorical, seed: 19, outputCount: 2)
    let last = problem.network.parameters.count - 1
    let weights = problem.network.parameters[last].weights
    let coin = try Network(
      inputShape: problem.network.inputShape, nodes: problem.network.nodes,
      parameters: problem.network.parameters[..<last] + [
        ParameterBlock(
          name: "coin",
          weights: Matrix(rowCount: 1, columnCount: weights.columnCount) {
            weights[1, $1] - weights[0, $1]
          }, hasBias: true)
      ])
    let hidden = Array(0..<last)
    let two = GradientSamples(
      problem.network, problem.data, likelihood: .categorical, kind: .exact, blocks: hidden)
    let one = GradientSamples(
      coin, problem.data, likelihood: .bernoulli, kind: .exact, blocks: hidden)
    expectRatio(.difference(two.fisher, one.fisher))
  }

  /// P-45: an input that is always zero gives zero rows and columns of F.
  @Test func aZeroInputFeatureGivesZeroRows() throws {
    let network = try Network.multilayerPerceptron(
      widths: [3, 4, 2], activation: .tanh, initialization: .glorot, seed: 4)
    let data = try Dataset.teacher(
      widths: [3, 2], activation: .tanh, likelihood: .categorical, count: 8, seed: 2)
    let inputs = Matrix(rowCount: 3, columnCount: 8) { $0 == 1 ? 0 : data.inputs[$0, $1] }
    let fisher = GradientSamples(
      network, Dataset(name: "zero", inputs: inputs, targets: data.targets),
      likelihood: .categorical, kind: .exact
    ).fisher
    for parameter in 0..<fisher.rowCount {
      #expect((fisher.column(parameter).norm == 0) == (4..<8).contains(parameter))
    }
  }

  /// P-46: renumbering the hidden units renumbers the parameters, and F with them.
  @Test func permutingHiddenUnitsPermutesTheFisherMatrix() throws {
    var generator = Generator(seed: 20)
    let order = [2, 0, 3, 1]
    let (first, second) = (generator.normal(4, 4), generator.normal(2, 5))
    let network = try Network.multilayerPerceptron(weights: [first, second], activations: [.tanh])
    let permuted = try Network.multilayerPerceptron(
      weights: [
        Matrix(rowCount: 4, columnCount: 4) { first[order[$0], $1] },
        Matrix(rowCount: 2, columnCount: 5) { second[$0, $1 < 4 ? order[$1] : 4] },
      ], activations: [.tanh])
    let data = try Dataset.teacher(
      widths: [3, 2], activation: .tanh, likelihood: .categorical, count: 8, seed: 2)
    func fisher(_ network: Network) -> Matrix {
      GradientSamples(network, data, likelihood: .categorical, kind: .exact).fisher
    }
    // Parameter k of the permuted network is parameter origin[k] of the other: cvec orders.
    let origin: [Int] = (0..<26).map { parameter in
      if parameter < 16 { return parameter / 4 * 4 + order[parameter % 4] }
      let (column, row) = ((parameter - 16) / 2, parameter % 2)
      return 16 + (column < 4 ? order[column] : 4) * 2 + row
    }
    let plain = fisher(network)
    expectRatio(
      .difference(
        fisher(permuted),
        Matrix(rowCount: 26, columnCount: 26) { plain[origin[$0], origin[$1]] }))
    expectDifferent(fisher(permuted), plain, relative: 0.05)
  }

  /// ‖Fδ‖ at round-off: Fδ sums P products per entry.
  private func expectAnnihilates(_ fisher: Matrix, _ direction: Vector, _ name: String) {
    #expect(direction.norm > 0)
    let product = LAPACK.dgemm(fisher, direction)
    expectRatio(
      Ratio(
        Matrix(column: product), against: Matrix(rowCount: product.count, columnCount: 1),
        size: product.count, scale: LAPACK.norm1(fisher) * LAPACK.norm1(Matrix(column: direction))),
      name)
  }

  /// (1/N) Σ zᵀHz.
  private func outputForm(_ problem: RandomNetwork) -> Double {
    let outputs = problem.network.forward(problem.data.inputs).output
    return (0..<outputs.columnCount).reduce(0) { sum, n in
      let z = outputs.column(n)
      return sum + z.dot(LAPACK.dgemm(problem.likelihood.hessian(z), z))
        / Double(outputs.columnCount)
    }
  }

  private func expectQuadraticForm(
    _ problem: RandomNetwork, block: Int, is expected: Double
  ) {
    let fisher = GradientSamples(
      problem.network, problem.data, likelihood: problem.likelihood, kind: .exact, blocks: [block]
    ).fisher
    let w = Vector(problem.network.parameters[block].weights.storage)
    expectRatio(
      Ratio(
        Matrix(rows: [[w.dot(LAPACK.dgemm(fisher, w))]]), against: Matrix(rows: [[expected]]),
        size: w.count, scale: LAPACK.norm1(fisher) * w.dot(w)), "\(problem), block \(block)")
  }
}
