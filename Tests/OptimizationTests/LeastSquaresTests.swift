import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// On linear regression KFAC is Newton's method, on a deep linear network it is not (P-60, P-61).
@Suite("One undamped KFAC step and least squares")
struct LeastSquaresTests {
  static let inputs = 4
  static let outputs = 3
  static let examples = 12

  static func data(seed: UInt64) -> Dataset {
    var generator = Generator(seed: seed)
    return Dataset(
      name: "regression", inputs: generator.normal(inputs, examples),
      targets: .values(generator.normal(outputs, examples)))
  }

  /// The least-squares [W b] by `dgels`, one output at a time.
  static func solution(_ data: Dataset) throws -> Matrix {
    guard case .values(let y) = data.targets else { preconditionFailure("values wanted") }
    let design = Matrix(rowCount: examples, columnCount: inputs + 1) {
      $1 < inputs ? data.inputs[$1, $0] : 1
    }
    var weights = Matrix(rowCount: outputs, columnCount: inputs + 1)
    for output in 0..<outputs {
      let row = try LAPACK.dgels(design, y.row(output))
      for j in 0...inputs { weights[output, j] = row[j] }
    }
    return weights
  }

  @Test(
    "P-60: it lands on dgels's solution from anywhere",
    arguments: 1...5 as ClosedRange<UInt64>, [DampingRule.none, .factor, .exact])
  func linearRegressionTakesOneStep(seed: UInt64, rule: DampingRule) throws {
    let data = Self.data(seed: seed)
    var generator = Generator(seed: seed + 50)
    let start = try Network.multilayerPerceptron(
      weights: [5 * generator.normal(Self.outputs, Self.inputs + 1)], activations: [])
    var optimizer = NaturalGradientDescent(
      learningRate: 1, structure: .kfac, rule: rule, lambda: 0)
    let end = try optimizer.step(start, data, .gaussian(variance: 2.5))
    let expected = try Self.solution(data)
    let distance = (end.parameters[0].weights - expected).frobeniusNorm
    // The round-off of the step: κ(A) of 12 normal examples is below 1e3.
    expectAtMost(distance, 1e-11 * start.parameters[0].weights.frobeniusNorm, seed: seed)
  }

  @Test("P-61: a deep linear network is not solved by one step")
  func deepLinearNetworksAreNotSolved() throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      let data = Self.data(seed: seed)
      var generator = Generator(seed: seed + 50)
      let start = try Network.multilayerPerceptron(
        weights: [
          generator.normal(Self.outputs, Self.inputs + 1),
          generator.normal(Self.outputs, Self.outputs + 1),
        ], activations: [.identity])
      var optimizer = NaturalGradientDescent(
        learningRate: 1, structure: .kfac, rule: .none, lambda: 0)
      let end = try optimizer.step(start, data, .gaussian(variance: 1))
      let line = try Network.multilayerPerceptron(
        weights: [try Self.solution(data)], activations: [])
      let best = LossGradient(line, data, .gaussian(variance: 1)).loss
      #expect(LossGradient(end, data, .gaussian(variance: 1)).loss > 1.01 * best, "seed \(seed)")
    }
  }
}
