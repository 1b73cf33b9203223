import DenseAlgebra
import Foundation
import Networks
import TestSupport
import Testing

@Suite("Fisher matrices by definition, by enumeration and by finite differences")
struct FisherIdentityTests {
  /// P-20: F = (1/N) Σ JᵀHJ, J by one pullback per output, H without its square root.
  @Test(arguments: RandomNetwork.everyCase)
  func exactFisherIsTheGaussNewtonMatrix(_ problem: RandomNetwork) {
    let tape = problem.network.forward(problem.data.inputs)
    let jacobians = basisJacobians(problem)
    var expected = Matrix(
      rowCount: problem.network.layout.count, columnCount: problem.network.layout.count)
    for (n, jacobian) in jacobians.enumerated() {
      let hessian = problem.likelihood.hessian(tape.output.column(n))
      expected.add(
        1 / Double(problem.data.count),
        times: LAPACK.dgemm(LAPACK.dgemm(jacobian, hessian), jacobian, transposeB: true))
    }
    expectRatio(.difference(problem.fisher(), expected), "\(problem)")
  }

  /// P-21: the expectation over labels, one label after the other, of the empirical outer product.
  @Test(arguments: RandomNetwork.everyCase.filter { $0.likelihood.isDiscrete })
  func exactFisherIsTheExpectationOverEnumeratedLabels(_ problem: RandomNetwork) {
    let outputs = problem.network.forward(problem.data.inputs).output
    var expected = Matrix(
      rowCount: problem.network.layout.count, columnCount: problem.network.layout.count)
    for n in 0..<problem.data.count {
      for (target, probability) in outcomes(problem.likelihood, outputs.column(n)) {
        let one = Dataset(
          name: "one", inputs: problem.data.subset([n]).inputs, targets: target)
        let gradient = LossGradient(problem.network, one, problem.likelihood).gradient.flattened
        expected.add(
          probability / Double(problem.data.count),
          times: LAPACK.dgemm(Matrix(column: gradient), Matrix(column: gradient), transposeB: true))
      }
    }
    expectRatio(.difference(problem.fisher(), expected), "\(problem)")
  }

  /// P-22: Σ_y Pr(y) F̃(y) = F and P-23: Σ_y Pr(y) N ∇h ∇hᵀ = F over the label vectors of the whole
  /// batch: scores of different examples are independent with mean zero.
  @Test(arguments: [
    RandomNetwork(.perceptron, .tanh, .categorical, seed: 3, exampleCount: 3, outputCount: 3),
    RandomNetwork(.tiedSequence, .logistic, .bernoulli, seed: 4, exampleCount: 3, outputCount: 1),
    RandomNetwork(.convolution, .softplus, .bernoulli, seed: 5, exampleCount: 2, outputCount: 2),
  ])
  func expectationsOverWholeLabelVectorsAreTheFisherMatrix(_ problem: RandomNetwork) {
    let outputs = problem.network.forward(problem.data.inputs).output
    let single = (0..<problem.data.count).map { outcomes(problem.likelihood, outputs.column($0)) }
    var vectors: [(targets: [Targets], probability: Double)] = [([], 1)]
    for choices in single {
      vectors = vectors.flatMap { vector in
        choices.map { (vector.targets + [$0.target], vector.probability * $0.probability) }
      }
    }
    let size = problem.network.layout.count
    var ofEmpirical = Matrix(rowCount: size, columnCount: size)
    var ofMean = ofEmpirical
    for (targets, probability) in vectors {
      let data = Dataset(name: "y", inputs: problem.data.inputs, targets: joined(targets))
      let samples = GradientSamples(
        problem.network, data, likelihood: problem.likelihood, kind: .empirical)
      ofEmpirical.add(probability, times: samples.fisher)
      let mean = LossGradient(problem.network, data, problem.likelihood).gradient.flattened
      ofMean.add(
        probability * Double(data.count),
        times: LAPACK.dgemm(Matrix(column: mean), Matrix(column: mean), transposeB: true))
    }
    let exact = problem.fisher()
    expectRatio(.difference(ofEmpirical, exact), "empirical, \(problem)")
    expectRatio(.difference(ofMean, exact), "mean, \(problem)")
  }

  /// P-24, P-25: the exact matrix does not read the labels, the empirical one does, and they differ.
  @Test(arguments: RandomNetwork.likelihoods)
  func onlyTheEmpiricalFisherDependsOnTheTargets(_ likelihood: Likelihood) {
    let problem = RandomNetwork(.perceptron, .tanh, likelihood, seed: 8, exampleCount: 9)
    let outputs = problem.network.forward(problem.data.inputs).output
    var random = SplitMix64(seed: 99)
    let other = Dataset(
      name: "other", inputs: problem.data.inputs,
      targets: likelihood.sampledTargets(outputs, using: &random))
    #expect(other.targets != problem.data.targets)
    func samples(_ data: Dataset, _ kind: FisherKind) -> GradientSamples {
      GradientSamples(problem.network, data, likelihood: likelihood, kind: kind)
    }
    #expect(samples(other, .exact) == samples(problem.data, .exact))
    let monteCarlo = FisherKind.monteCarlo(samples: 3, seed: 1)
    #expect(samples(other, monteCarlo) == samples(problem.data, monteCarlo))
    let empirical = samples(problem.data, .empirical).fisher
    expectDifferent(samples(other, .empirical).fisher, empirical, relative: 0.05)
    expectDifferent(problem.fisher(), empirical, relative: 0.05)
  }

  /// P-26, P-27: with y = z the Gaussian's empirical Fisher vanishes, the exact one does not, and it
  /// is the Hessian: central differences of the gradient along δ tend to Fδ with O(ε²).
  @Test(
    arguments: RandomNetwork.Architecture.allCases, [Activation.tanh, .logistic, .softplus])
  func atGaussianInterpolationTheHessianIsTheExactFisher(
    _ architecture: RandomNetwork.Architecture, _ activation: Activation
  ) {
    let problem = RandomNetwork(architecture, activation, .gaussian(variance: 0.7), seed: 12)
    let fitted = Dataset(
      name: "fitted", inputs: problem.data.inputs,
      targets: .values(problem.network.forward(problem.data.inputs).output))
    let empirical = GradientSamples(
      problem.network, fitted, likelihood: problem.likelihood, kind: .empirical)
    #expect(LAPACK.norm1(empirical.fisher) == 0)

    let direction = problem.direction(seed: 2)
    let exact = LAPACK.dgemm(problem.fisher(), direction.flattened)
    #expect(exact.norm > 0)
    func slope(_ step: Double) -> Vector {
      let ends = [1.0, -1].map {
        LossGradient(
          problem.network.adding(direction, scale: $0 * step), fitted, problem.likelihood
        ).gradient.flattened
      }
      return (1 / (2 * step)) * (ends[0] - ends[1])
    }
    let wide = slope(0x1p-9) - exact
    let narrow = slope(0x1p-10) - exact
    let roundOff = 1000 * Double.ulpOfOne * exact.norm * 0x1p10
    #expect(
      (wide - 4 * narrow).norm <= 0.02 * wide.norm + roundOff,
      "\(problem): errors \(wide.norm), \(narrow.norm)")
    #expect(narrow.norm <= 1e-3 * exact.norm)
  }

  /// P-36: ∇h is in the range of U, with these weights: for the empirical samples 1/N each; for the
  /// exact ones wₙ with Sₙwₙ = vₙ, that is −e_y/√p_y, (z − y)/σ, (q − y)/√(q(1 − q)).
  @Test(arguments: RandomNetwork.everyCase)
  func theGradientIsACombinationOfTheExactColumns(_ problem: RandomNetwork) {
    let outputs = problem.network.forward(problem.data.inputs).output
    let (rows, count) = (outputs.rowCount, outputs.columnCount)
    let weights = Matrix(rowCount: count, columnCount: rows) { n, c in
      switch (problem.likelihood, problem.data.targets) {
      case (.categorical, .labels(let labels)):
        let loss = problem.likelihood.losses(outputs, problem.data.targets)[n]
        return labels[n] == c ? -exp(loss / 2) : 0
      case (.gaussian(let variance), .values(let y)):
        return (outputs[c, n] - y[c, n]) / variance.squareRoot()
      case (.bernoulli, .values(let y)):
        let q = Activation.logistic.value(outputs[c, n])
        return (q - y[c, n]) / (q * (1 - q)).squareRoot()
      default: preconditionFailure("targets of the wrong kind")
      }
    }
    let samples = GradientSamples(
      problem.network, problem.data, likelihood: problem.likelihood, kind: .exact)
    let u = samples.parameterGradients
    let combined = (1 / Double(count)) * LAPACK.dgemm(u, Vector(weights.storage))
    let gradient = LossGradient(problem.network, problem.data, problem.likelihood).gradient
    expectRatio(
      Ratio(
        Matrix(column: combined), against: Matrix(column: gradient.flattened),
        size: u.columnCount, scale: LAPACK.norm1(u) * weights.maximum), "\(problem)")
  }

  /// The Jacobian Jₙᵀ, P × C, of every example, by one pullback per output.
  private func basisJacobians(_ problem: RandomNetwork) -> [Matrix] {
    let tape = problem.network.forward(problem.data.inputs)
    let layout = problem.network.layout
    var result = Array(
      repeating: Matrix(rowCount: layout.count, columnCount: tape.output.rowCount),
      count: problem.data.count)
    for c in 0..<tape.output.rowCount {
      for n in 0..<problem.data.count {
        var cotangent = Matrix(
          rowCount: tape.output.rowCount, columnCount: problem.data.count)
        cotangent[c, n] = 1
        for (use, g) in zip(tape.uses, problem.network.pullback(cotangent, through: tape)) {
          let block = LAPACK.dgemm(g, use.inputs, transposeB: true)
          for (index, value) in block.storage.enumerated() {
            result[n][layout.offsets[use.block] + index, c] += value
          }
        }
      }
    }
    return result
  }
}

/// Every target of one example with outputs z, and its probability.
private func outcomes(
  _ likelihood: Likelihood, _ output: Vector
) -> [(target: Targets, probability: Double)] {
  switch likelihood {
  case .categorical:
    let exponentials = output.elements.map { exp($0) }
    let sum = exponentials.reduce(0, +)
    return exponentials.enumerated().map { (.labels([$0.offset]), $0.element / sum) }
  case .bernoulli:
    return (0..<1 << output.count).map { bits in
      let y = (0..<output.count).map { Double(bits >> $0 & 1) }
      let probability = zip(y, output.elements).reduce(1.0) { product, coin in
        let e = exp(coin.1)
        return product * (coin.0 == 1 ? e : 1) / (1 + e)
      }
      return (
        .values(Matrix(rowCount: output.count, columnCount: 1, storage: y)), probability
      )
    }
  case .gaussian: preconditionFailure("a Gaussian has no finite list of outcomes")
  }
}

/// The targets of single examples as the targets of a batch.
private func joined(_ targets: [Targets]) -> Targets {
  if case .labels = targets[0] {
    return .labels(
      targets.flatMap { target -> [Int] in
        if case .labels(let labels) = target { labels } else { [] }
      })
  }
  let columns = targets.map { target -> Matrix in
    if case .values(let values) = target { values } else { Matrix(rowCount: 0, columnCount: 0) }
  }
  return .values(
    Matrix(
      rowCount: columns[0].rowCount, columnCount: columns.count,
      storage: columns.flatMap(\.storage)))
}

extension Likelihood {
  fileprivate var isDiscrete: Bool {
    switch self {
    case .categorical, .bernoulli: true
    case .gaussian: false
    }
  }
}

extension Matrix {
  fileprivate var maximum: Double { storage.map(\.magnitude).max() ?? 0 }
}
