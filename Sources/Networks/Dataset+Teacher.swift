import DenseAlgebra

extension Dataset {
  /// A seeded data set whose targets a random multilayer perceptron, the teacher, has drawn.
  ///
  /// Inputs are independent normal numbers with mean 0.5 and variance 1 (a mean other than zero, so
  /// that means and second moments differ); the teacher has Glorot weights; the target of each
  /// example is drawn from the distribution the teacher gives it. `widths` runs from inputs to
  /// outputs. Throws where the widths make no network.
  public static func teacher(
    widths: [Int], activation: Activation, likelihood: Likelihood, count: Int, seed: UInt64
  ) throws(NetworkError) -> Dataset {
    var generator = SplitMix64(seed: seed)
    let teacher = try Network.multilayerPerceptron(
      widths: widths, activation: activation, initialization: .glorot, seed: generator.next())
    let inputs = Matrix(
      rowCount: widths[0], columnCount: count,
      storage: (0..<widths[0] * count).map { _ in 0.5 + generator.normal() })
    let outputs = teacher.forward(inputs).output
    return Dataset(
      name: "teacher", inputs: inputs,
      targets: likelihood.sampledTargets(outputs, using: &generator))
  }
}
