import DenseAlgebra
import Networks
import Testing

@Suite("A caller's mistake stops the program")
struct PreconditionTests {
  @Test func inForwardAndPullback() async {
    await #expect(processExitsWith: .failure) {
      _ = try perceptron().forward(Matrix(rowCount: 3, columnCount: 1))
    }
    await #expect(processExitsWith: .failure) {
      let network = try perceptron()
      let tape = network.forward(Matrix(rowCount: 2, columnCount: 4))
      _ = network.pullback(Matrix(rowCount: 3, columnCount: 3), through: tape)
    }
    await #expect(processExitsWith: .failure) {
      _ = try perceptron().adding(ParameterVector(blocks: []), scale: 1)
    }
  }

  @Test func inLikelihoods() async {
    await #expect(processExitsWith: .failure) {
      _ = Likelihood.categorical.losses(Matrix(rowCount: 2, columnCount: 1), .labels([2]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Likelihood.categorical.gradient(Matrix(rowCount: 2, columnCount: 1), .labels([0, 0]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Likelihood.bernoulli.gradient(Matrix(rowCount: 2, columnCount: 1), .labels([0]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Likelihood.gaussian(variance: 1)
        .losses(Matrix(rowCount: 2, columnCount: 1), .values(Matrix(rowCount: 1, columnCount: 1)))
    }
    await #expect(processExitsWith: .failure) {
      _ = Likelihood.gaussian(variance: 0).hessianRoots(Matrix(rowCount: 1, columnCount: 1))
    }
    await #expect(processExitsWith: .failure) {
      _ = Likelihood.categorical.divergence(
        from: Matrix(rowCount: 2, columnCount: 1), to: Matrix(rowCount: 2, columnCount: 2))
    }
  }

  @Test func inSamplesAndStarts() async {
    await #expect(processExitsWith: .failure) {
      _ = FisherKind.monteCarlo(samples: 0, seed: 1)
        .columns(Matrix(rowCount: 2, columnCount: 1), .labels([0]), .categorical)
    }
    await #expect(processExitsWith: .failure) {
      let empty = Dataset(
        name: "d", inputs: Matrix(rowCount: 2, columnCount: 0), targets: .labels([]))
      _ = LossGradient(try perceptron(), empty, .categorical)
    }
    await #expect(processExitsWith: .failure) {
      let data = Dataset(
        name: "d", inputs: Matrix(rowCount: 2, columnCount: 1), targets: .labels([0]))
      _ = GradientSamples(
        try perceptron(), data, likelihood: .categorical, kind: .exact, blocks: [0, 0])
    }
    await #expect(processExitsWith: .failure) {
      _ = try perceptron().initialized(.normal(standardDeviation: -1), seed: 1)
    }
    await #expect(processExitsWith: .failure) {
      _ = ParameterVector(.zero(3), layout: try perceptron().layout)
    }
  }
}

private func perceptron() throws -> Network {
  try .multilayerPerceptron(widths: [2, 3], activation: .tanh, initialization: .he, seed: 1)
}
