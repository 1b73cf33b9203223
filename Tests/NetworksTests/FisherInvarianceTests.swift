import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Spec 10.2, P-37, P-38, P-44 … P-46: what leaves a Fisher matrix unchanged, or moves it about.
@Suite("What leaves a Fisher matrix unchanged")
struct FisherInvarianceTests {
  @Test("P-37: repeating or reordering the examples leaves F, A, G, ∇h and the loss unchanged")
  func repeatedAndReorderedExamplesGiveTheSameMeans() {
    property("P-37", .equal, oracle: "itself", over: NetworkCase.exact, share: 0.5) {
      value, checks in
      let problem = value.problem
      let count = problem.data.count
      var random = SplitMix64(seed: value.seed)
      let thrice = (0..<3 * count).map { $0 % count }
      for indices in [thrice, random.permutation(count)] {
        let data = problem.data.subset(indices)
        for kind in [FisherKind.exact, .empirical] {
          let samples = [problem.data, data].map {
            GradientSamples(problem.network, $0, likelihood: problem.likelihood, kind: kind)
          }
          checks.sameFisher(samples[1].fisher, samples[0].fisher, "F, \(kind)")
          for block in samples[0].blocks.indices {
            let factors = samples.map { $0.secondMoments(block) }
            // Sums over positions too: as many terms as the samples have columns.
            let terms = samples[1].blocks[block].uses.reduce(0) { $0 + $1.inputs.columnCount }
            for (first, second, name) in [
              (factors[0].a, factors[1].a, "A"), (factors[0].g, factors[1].g, "G, \(kind)"),
            ] {
              checks.ratio(
                Ratio(second, against: first, size: terms, scale: floored(first)), name)
            }
          }
        }
        let mean = LossGradient(problem.network, problem.data, problem.likelihood)
        let other = LossGradient(problem.network, data, problem.likelihood)
        // A mean gradient may cancel: relative to the largest one of an example.
        let u = GradientSamples(
          problem.network, problem.data, likelihood: problem.likelihood, kind: .empirical
        ).parameterGradients
        checks.equal(
          other.gradient.flattened, mean.gradient.flattened, scale: floored(u), "∇h")
        checks.equal(other.loss, mean.loss, size: count, "loss")
        checks.holds(other.losses == indices.map { mean.losses[$0] }, "each loss, bit for bit")
      }
    }
  }

  @Test("P-38: a Gaussian's Fisher is that of variance 1 over σ²")
  func gaussianFisherIsInverselyProportionalToTheVariance() {
    let cases = NetworkCase.exact.with { $0.likelihood = .gaussian(variance: 1) }
    property("P-38", .equal, oracle: "closed form", over: cases) { value, checks in
      let problem = value.problem
      for variance in [0.7, 4, 1e-2, 1e150, 1e-150] {
        let samples = GradientSamples(
          problem.network, problem.data, likelihood: .gaussian(variance: variance), kind: .exact)
        checks.sameFisher(variance * samples.fisher, problem.fisher(), "σ² = \(variance)")
      }
    }
  }

  /// The coin's logit z₂ − z₁ rounds by ε of the logits, and its probability by as much relatively.
  /// The two classes pull back ±(w₂ − w₁) as a sum of two vectors: the rounding is that of ‖w‖.
  @Test("P-44: two classes are one coin on the difference of the logits, in every hidden block")
  func twoClassesAreOneCoin() {
    let cases = NetworkCase.exact.with { $0.likelihood = .categorical }.filter {
      $0.problem.network.outputCount == 2
    }
    property("P-44", .equal, oracle: "the Bernoulli Fisher", over: cases) { value, checks in
      let problem = value.problem
      let last = problem.network.parameters.count - 1
      let block = problem.network.parameters[last]
      let difference = Matrix(rowCount: 1, columnCount: block.weights.columnCount) {
        block.weights[1, $1] - block.weights[0, $1]
      }
      let inputs = 0..<(block.weights.columnCount - (block.hasBias ? 1 : 0))
      let cancellation =
        LAPACK.norm1(block.weights.block(rows: 0..<2, columns: inputs))
        / max(LAPACK.norm1(difference.block(rows: 0..<1, columns: inputs)), .leastNormalMagnitude)
      let coin = try Network(
        inputShape: problem.network.inputShape, nodes: problem.network.nodes,
        parameters: problem.network.parameters[..<last] + [
          ParameterBlock(name: "coin", weights: difference, hasBias: block.hasBias)
        ])
      let hidden = Array(0..<last)
      let two = GradientSamples(
        problem.network, problem.data, likelihood: .categorical, kind: .exact, blocks: hidden)
      let one = GradientSamples(
        coin, problem.data, likelihood: .bernoulli, kind: .exact, blocks: hidden)
      checks.sameFisher(
        two.fisher, one.fisher, sensitivity: max(1, cancellation) * (1 + problem.largestOutput))
    }
  }

  @Test("P-45: an input that is always zero gives zero rows and columns of A and F")
  func aZeroInputFeatureGivesZeroRows() {
    property("P-45", .equal, oracle: "closed form", over: NetworkCase.layered) { value, checks in
      let problem = value.problem
      let feature = Int(value.seed % UInt64(problem.data.inputs.rowCount))
      let inputs = problem.data.inputs
      let samples = GradientSamples(
        problem.network,
        Dataset(
          name: "zero",
          inputs: Matrix(rowCount: inputs.rowCount, columnCount: inputs.columnCount) {
            $0 == feature ? 0 : inputs[$0, $1]
          }, targets: problem.data.targets),
        likelihood: problem.likelihood, kind: value.kind)
      let (a, fisher) = (samples.secondMoments(0).a, samples.fisher)
      let rows = samples.blocks[0].rowCount
      checks.holds(
        a.column(feature).norm == 0 && a.row(feature).norm == 0, "row and column of A are zero")
      for parameter in feature * rows..<(feature + 1) * rows {
        checks.holds(
          fisher.column(parameter).norm == 0 && fisher.row(parameter).norm == 0,
          "row and column \(parameter) of F are zero")
      }
      if value.edge == .none && value.architecture == .perceptron {
        checks.holds(fisher.maximumMagnitude > 0, "the others are not")
      }
    }
  }

  /// The sums of a layer are taken in another order: outputs move by ε of their size, and
  /// probabilities by as much relatively.
  @Test("P-46: permuting hidden units permutes F")
  func permutingHiddenUnitsPermutesTheFisherMatrix() {
    property("P-46", .equal, oracle: "itself", over: NetworkCase.layered) { value, checks in
      let problem = value.problem
      let (network, origin) = permuted(problem.network, seed: value.seed)
      let fisher = GradientSamples(
        network, problem.data, likelihood: problem.likelihood, kind: value.kind
      ).fisher
      let plain = problem.fisher(value.kind)
      checks.sameFisher(
        fisher,
        Matrix(rowCount: plain.rowCount, columnCount: plain.rowCount) {
          plain[origin[$0], origin[$1]]
        }, sensitivity: 1 + problem.largestOutput)
    }
  }

  @Test("P-46: and it does move F")
  func permutingHiddenUnitsMovesTheFisherMatrix() {
    property("P-46", .counterProperty, oracle: "itself", over: NetworkCase.generic) {
      value, checks in
      let problem = value.problem
      let (network, origin) = permuted(problem.network, seed: value.seed)
      let fisher = GradientSamples(
        network, problem.data, likelihood: problem.likelihood, kind: .exact
      ).fisher
      checks.holds(origin != Array(origin.indices), "the order changes")
      checks.different(fisher, problem.fisher())
    }
  }

  /// The network with the units of every hidden layer in another order, and the parameter of the
  /// original that each of its parameters is.
  private func permuted(_ network: Network, seed: UInt64) -> (network: Network, origin: [Int]) {
    var random = SplitMix64(seed: seed)
    var result = network
    var origin: [Int] = []
    var inputOrder = Array(0..<network.parameters[0].inputCount)
    for (index, block) in network.parameters.enumerated() {
      let rows = block.weights.rowCount
      var order = Array(0..<rows)
      // Not the identity where there is a choice.
      if index < network.parameters.count - 1 {
        while rows > 1 && order == Array(0..<rows) { order = random.permutation(rows) }
      }
      let columns = inputOrder + (block.hasBias ? [block.inputCount] : [])
      result.parameters[index].weights = Matrix(rowCount: rows, columnCount: columns.count) {
        block.weights[order[$0], columns[$1]]
      }
      let offset = origin.count
      for column in columns { for row in order { origin.append(offset + column * rows + row) } }
      inputOrder = order
    }
    return (result, origin)
  }
}

extension GradientSamples {
  /// A = (1/N) Σ ā āᵀ and G = (1/N) Σ g gᵀ over the uses, positions and columns of a block.
  func secondMoments(_ block: Int) -> (a: Matrix, g: Matrix) {
    let block = blocks[block]
    var a = Matrix(rowCount: block.columnCount, columnCount: block.columnCount)
    var g = Matrix(rowCount: block.rowCount, columnCount: block.rowCount)
    for use in block.uses {
      a.add(1 / Double(exampleCount), times: LAPACK.dsyrk(use.inputs))
      for column in use.gradients {
        g.add(1 / Double(exampleCount), times: LAPACK.dsyrk(column))
      }
    }
    return (a, g)
  }
}
