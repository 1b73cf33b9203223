import DenseAlgebra
import Foundation
import Networks
import TestSupport
import Testing

/// Spec 10.2, P-20 … P-23: what the exact Fisher matrix is equal to.
@Suite("Fisher matrices by definition and by enumeration")
struct FisherIdentityTests {
  @Test("P-20: the exact Fisher is the Gauss–Newton matrix (1/N) Σ JᵀHJ")
  func exactFisherIsTheGaussNewtonMatrix() {
    property(
      "P-20", .equal, oracle: "dgemm, J by one pullback per output", over: NetworkCase.exact
    ) { value, checks in
      let problem = value.problem
      let outputs = problem.network.forward(problem.data.inputs).output
      // H without its square root; the examples side by side in one product.
      let jacobians = basisJacobians(problem)
      let (count, c) = (problem.data.count, outputs.rowCount)
      var left = Matrix(rowCount: problem.network.layout.count, columnCount: count * c)
      var right = left
      for (n, jacobian) in jacobians.enumerated() {
        let hessian = problem.likelihood.hessian(outputs.column(n))
        left.setBlock(row: 0, column: n * c, to: LAPACK.dgemm(jacobian, hessian))
        right.setBlock(row: 0, column: n * c, to: jacobian)
      }
      checks.sameFisher(
        problem.fisher(), (1 / Double(count)) * LAPACK.dgemm(left, right, transposeB: true))
    }
  }

  /// The gradient at one label after the other, times the root of the label's probability, which
  /// exp(z) knows to |z|ε.
  @Test("P-21: the exact Fisher is the expectation of the label-wise outer product")
  func exactFisherIsTheExpectationOverEnumeratedLabels() {
    property("P-21", .equal, oracle: "enumeration", over: NetworkCase.discrete) { value, checks in
      let problem = value.problem
      let outputs = problem.network.forward(problem.data.inputs).output
      var columns: [Double] = []
      for n in 0..<problem.data.count {
        let input = problem.data.subset([n]).inputs
        for (target, probability) in outcomes(problem.likelihood, outputs.column(n)) {
          let one = Dataset(name: "one", inputs: input, targets: target)
          let gradient = LossGradient(problem.network, one, problem.likelihood).gradient.flattened
          columns += ((probability / Double(problem.data.count)).squareRoot() * gradient).elements
        }
      }
      let rows = problem.network.layout.count
      let u = Matrix(rowCount: rows, columnCount: columns.count / rows, storage: columns)
      checks.sameFisher(
        problem.fisher(), LAPACK.dsyrk(u), sensitivity: 1 + problem.largestOutput)
    }
  }

  /// Networks with at most 32 label vectors in all.
  private static let fewLabelVectors = NetworkCase.discrete.with {
    $0.widthLimit = 3
    $0.exampleCount = 1 + $0.exampleCount % 4
  }.filter {
    let problem = $0.problem
    let outcomes =
      $0.likelihood == .categorical
      ? Double(problem.network.outputCount) : pow(2, Double(problem.network.outputCount))
    return pow(outcomes, Double(problem.data.count)) <= 32
  }

  @Test("P-22: Σ_y Pr(y) F̃(y) = F over the label vectors of the whole batch")
  func expectationOfTheEmpiricalFisher() {
    property(
      "P-22", .equal, oracle: "enumeration", over: Self.fewLabelVectors, share: 0.5
    ) { value, checks in
      let problem = value.problem
      var expected = 0 * problem.fisher()
      for (data, probability) in labelVectors(problem) {
        let samples = GradientSamples(
          problem.network, data, likelihood: problem.likelihood, kind: .empirical)
        expected.add(probability, times: samples.fisher)
      }
      checks.sameFisher(
        expected, problem.fisher(), sensitivity: 1 + problem.largestOutput)
    }
  }

  /// Scores of different examples are independent and have mean zero.
  @Test("P-23: Σ_y Pr(y) N ∇h ∇hᵀ = F over the label vectors of the whole batch")
  func expectationOfTheOuterProductOfTheMeanGradient() {
    property(
      "P-23", .equal, oracle: "enumeration", over: Self.fewLabelVectors, share: 0.5
    ) { value, checks in
      let problem = value.problem
      var expected = 0 * problem.fisher()
      for (data, probability) in labelVectors(problem) {
        let mean = LossGradient(problem.network, data, problem.likelihood).gradient.flattened
        expected.add(
          probability * Double(data.count),
          times: LAPACK.dgemm(Matrix(column: mean), Matrix(column: mean), transposeB: true))
      }
      checks.sameFisher(
        expected, problem.fisher(), sensitivity: 1 + problem.largestOutput)
    }
  }

  /// Every label vector of the batch, with its probability.
  private func labelVectors(_ problem: RandomNetwork) -> [(data: Dataset, probability: Double)] {
    let outputs = problem.network.forward(problem.data.inputs).output
    var vectors: [(targets: [Targets], probability: Double)] = [([], 1)]
    for n in 0..<problem.data.count {
      let choices = outcomes(problem.likelihood, outputs.column(n))
      vectors = vectors.flatMap { vector in
        choices.map { (vector.targets + [$0.target], vector.probability * $0.probability) }
      }
    }
    return vectors.map {
      (Dataset(name: "y", inputs: problem.data.inputs, targets: joined($0.targets)), $0.probability)
    }
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
    let largest = output.elements.max() ?? 0
    let exponentials = output.elements.map { exp($0 - largest) }
    let sum = exponentials.reduce(0, +)
    return exponentials.enumerated().map { (.labels([$0.offset]), $0.element / sum) }
  case .bernoulli:
    return (0..<1 << output.count).map { bits in
      let y = (0..<output.count).map { Double(bits >> $0 & 1) }
      let probability = zip(y, output.elements).reduce(1.0) { product, coin in
        product / (1 + exp(coin.0 == 1 ? -coin.1 : coin.1))
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
