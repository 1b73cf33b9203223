import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// On linear regression KFAC is Newton's method, on a deep linear network it is not (P-60, P-61).
@Suite("One undamped KFAC step and least squares")
struct LeastSquaresTests {
  /// A regression with at least three examples more than unknowns of one output.
  struct Regression: Sendable, CustomStringConvertible {
    var inputs: Int
    var outputs: Int
    var surplus: Int
    var variance: Double
    /// The size of the first guess.
    var distance: Double
    var seed: UInt64

    var exampleCount: Int { inputs + 1 + surplus }
    var description: String {
      "\(inputs) inputs, \(outputs) outputs, N = \(exampleCount), σ² = \(variance), "
        + "start \(distance), seed \(seed)"
    }

    static let all = Cases<Regression>(
      edges: [
        Regression(inputs: 1, outputs: 1, surplus: 3, variance: 1, distance: 1, seed: 1),
        Regression(inputs: 6, outputs: 4, surplus: 13, variance: 2.5, distance: 5, seed: 2),
        Regression(inputs: 3, outputs: 2, surplus: 5, variance: 0.01, distance: 1e4, seed: 3),
        Regression(inputs: 2, outputs: 3, surplus: 8, variance: 100, distance: 0, seed: 4),
      ],
      smaller: { value in
        [\Regression.inputs, \.outputs].flatMap { size in
          (1..<max(value[keyPath: size], 1)).map {
            var copy = value
            copy[keyPath: size] = $0
            return copy
          }
        }
      },
      draw: {
        Regression(
          inputs: 1 + $0.below(6), outputs: 1 + $0.below(4), surplus: 3 + $0.below(12),
          variance: [0.01, 0.7, 2.5, 100][$0.below(4)], distance: [0, 0.1, 5, 1e3][$0.below(4)],
          seed: $0.next() % 100_000)
      })

    var data: Dataset {
      var generator = Generator(seed: seed)
      return Dataset(
        name: "regression", inputs: generator.normal(inputs, exampleCount),
        targets: .values(generator.normal(outputs, exampleCount)))
    }

    /// The inputs with the homogeneous 1, one example per row.
    var design: Matrix {
      let x = data.inputs
      return Matrix(rowCount: exampleCount, columnCount: inputs + 1) {
        $1 < inputs ? x[$1, $0] : 1
      }
    }

    /// The least-squares [W b] by `dgels`, one output at a time.
    var solution: Matrix {
      get throws {
        guard case .values(let y) = data.targets else { preconditionFailure("values wanted") }
        var weights = Matrix(rowCount: outputs, columnCount: inputs + 1)
        for output in 0..<outputs {
          let row = try LAPACK.dgels(design, y.row(output))
          for j in 0...inputs { weights[output, j] = row[j] }
        }
        return weights
      }
    }
  }

  @Test("P-60: on linear regression one undamped KFAC step lands on the solution from anywhere")
  func linearRegressionTakesOneStep() {
    property("P-60", .equal, oracle: "dgels", over: Regression.all) { test, checks in
      var generator = Generator(seed: test.seed + 50)
      let start = try Network.multilayerPerceptron(
        weights: [test.distance * generator.normal(test.outputs, test.inputs + 1)], activations: [])
      let expected = try test.solution
      let singular = try LAPACK.dgesvd(test.design).values.elements
      let root = singular[0] / singular[singular.count - 1]
      // A = X Xᵀ/N has κ(X)²: what its inverse does to the round-off of the gradient.
      let scale = root * root * (LAPACK.norm1(start.parameters[0].weights) + LAPACK.norm1(expected))
      for rule in [DampingRule.none, .factor, .exact] {
        var optimizer = NaturalGradientDescent(
          learningRate: 1, structure: .kfac, rule: rule, lambda: 0)
        let end = try optimizer.step(start, test.data, .gaussian(variance: test.variance))
        checks.equal(end.parameters[0].weights, expected, scale: scale, "\(rule), over κ(X)²")
      }
    }
  }

  @Test("P-61: a deep linear network is not solved by one step")
  func deepLinearNetworksAreNotSolved() {
    property("P-61", .counterProperty, oracle: "dgels", over: Regression.all.generic) {
      test, checks in
      var generator = Generator(seed: test.seed + 50)
      let start = try Network.multilayerPerceptron(
        weights: [
          generator.normal(test.outputs, test.inputs + 1),
          generator.normal(test.outputs, test.outputs + 1),
        ], activations: [.identity])
      var optimizer = NaturalGradientDescent(
        learningRate: 1, structure: .kfac, rule: .none, lambda: 0)
      let end = try optimizer.step(start, test.data, .gaussian(variance: test.variance))
      let best = LAPACK.dgemm(try test.solution, test.design, transposeB: true)
      checks.different(end.forward(test.data.inputs).output, best, relative: 1e-4)
    }
  }
}
