import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// Small networks on which KFAC is exact, and their neighbours on which it is not.
struct KFACExactness {
  static let widths = [7, 5, 3, 3]
  static let exampleCount = 11

  struct Row {
    let setting: String
    let count: Int
    let activation: Activation
    let likelihood: Likelihood
    let fisher: String
    /// ‖F_ℓ − A ⊗ G‖/‖F_ℓ‖: the worst hidden layer (nil where F_ℓ is zero), and the last layer.
    let hidden: Double?
    let last: Double
    /// The same for the whole matrix, where all blocks are Kronecker products.
    let whole: Double
  }

  static func rows() throws -> [Row] {
    let softmax = Likelihood.categorical
    let gaussian = Likelihood.gaussian(variance: 1)
    let sampled = FisherKind.monteCarlo(samples: 3, seed: 5)
    return [
      try row("one example", softmax, .tanh, .exact, pick: [0]),
      try row("one example", softmax, .tanh, sampled, pick: [0]),
      try row("one example", softmax, .tanh, .empirical, pick: [0]),
      try row("two examples", softmax, .tanh, .exact, pick: [0, 1]),
      try row("all examples", softmax, .tanh, .exact),
      try row(
        "copies of one example", softmax, .tanh, .exact, pick: Array(repeating: 0, count: 11)),
      try row("deep linear", gaussian, .identity, .exact),
      try row("deep linear", gaussian, .identity, sampled),
      try row("deep linear", gaussian, .identity, .empirical),
      try row("deep linear", softmax, .identity, .exact),
      try row("nonlinear", gaussian, .tanh, .exact),
      try row("last layer zero", softmax, .tanh, .exact, zeroLast: true),
    ]
  }

  private static func row(
    _ setting: String, _ likelihood: Likelihood, _ activation: Activation, _ kind: FisherKind,
    pick: [Int]? = nil, zeroLast: Bool = false
  ) throws -> Row {
    let all = try Dataset.teacher(
      widths: widths, activation: .tanh, likelihood: likelihood, count: exampleCount, seed: 3)
    let data = pick.map(all.subset) ?? all
    var network = try Network.multilayerPerceptron(
      widths: widths, activation: activation, initialization: .normal(standardDeviation: 0.5),
      seed: 4)
    if zeroLast {
      let last = network.parameters.count - 1
      network.parameters[last].weights = 0 * network.parameters[last].weights
    }
    let samples = GradientSamples(network, data, likelihood: likelihood, kind: kind)
    let layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    let fisher = try ExactFisher(samples).dense(within: .standard)
    let kronecker = wholeKronecker(layers)
    let offsets = samples.layout.offsets
    let errors = layers.indices.map { index -> Double? in
      let range = offsets[index]..<offsets[index] + layers[index].layout.count
      let exact = fisher.block(rows: range, columns: range)
      if exact.maximumMagnitude == 0 { return nil }
      return KFACMeasurement.relativeError(
        kronecker.block(rows: range, columns: range), exact)
    }
    let name =
      switch kind {
      case .exact: "exact"
      case .monteCarlo: "Monte Carlo"
      case .empirical: "empirical"
      }
    return Row(
      setting: setting, count: data.count, activation: activation, likelihood: likelihood,
      fisher: name, hidden: errors.dropLast().compactMap { $0 }.max(),
      last: errors[errors.count - 1] ?? 0,
      whole: KFACMeasurement.relativeError(kronecker, fisher))
  }

  /// All blocks E[ā āᵀ] ⊗ E[g gᵀ], those between two layers too.
  private static func wholeKronecker(_ layers: [LayerSamples]) -> Matrix {
    let offsets = ParameterLayout(blocks: layers.flatMap(\.layout.blocks)).offsets
    let size = layers.reduce(0) { $0 + $1.layout.count }
    var matrix = Matrix(rowCount: size, columnCount: size)
    for (l, first) in layers.enumerated() {
      for (m, second) in layers.enumerated() {
        let scale = 1 / Double(first.exampleCount)
        let a = scale * first.inputs.timesTransposed(second.inputs)
        var g = Matrix(rowCount: first.outputSize, columnCount: second.outputSize)
        for (left, right) in zip(first.gradients, second.gradients) {
          g.add(scale, times: left.timesTransposed(right))
        }
        matrix.setBlock(row: offsets[l], column: offsets[m], to: Matrix.kronecker(a, g))
      }
    }
    return matrix
  }

  static func table() throws -> ResultTable {
    var table = ResultTable(
      "exactness",
      "Relative Frobenius errors of Kronecker products on networks 7-5-3-3; 0 is round-off.",
      [
        ("setting", "what is special"), ("examples", "N"), ("activation", "of the hidden layers"),
        ("loss", "the likelihood"), ("fisher", "which Fisher"),
        ("hidden", "worst error of a hidden layer's block; empty where that block is zero"),
        ("last", "error of the last layer's block"),
        ("whole", "error of the whole matrix with Kronecker products between layers too"),
      ])
    for row in try rows() {
      let loss = row.likelihood == .categorical ? "softmax" : "Gaussian"
      table.append([
        .text(row.setting), .integer(row.count), .text(row.activation.rawValue), .text(loss),
        .text(row.fisher), row.hidden.map { .number($0) } ?? .empty, .number(row.last),
        .number(row.whole),
      ])
    }
    return table
  }
}

/// One layer's factors with a wrong power of N, and the damped steps they give.
struct KFACScales {
  static let lambda = 1e-2

  /// Name, catalogue number, and the powers of N on A and on G.
  static let variants: [(name: String, mistake: String, a: Int, g: Int)] = [
    ("means", "none", 0, 0), ("A summed", "M-01", 1, 0), ("G summed", "M-04", 0, 1),
    ("both summed", "M-01 and M-04", 1, 1),
    ("G of the mean loss, averaged", "M-02", 0, -2),
    ("G of the mean loss, summed", "M-03", 0, -1),
  ]

  /// The variants on samples of layer 3 for one, two and N examples.
  static func table(
    one: GradientSamples, two: GradientSamples, all: GradientSamples, gradient: Matrix
  ) throws -> ResultTable {
    var table = ResultTable(
      "scales", "Layer 3's A ⊗ G with a wrong power of N; steps damped by factored Tikhonov.",
      [
        ("variant", "what is computed"), ("mistake", "its number in the catalogue"),
        ("power", "the product is N to this power times the right one"),
        ("error1", "relative Frobenius error against the exact block, one example"),
        ("error2", "the same, two examples"),
        ("errorAll", "the same, the whole batch"),
        ("cosine", "cosine of the angle between the damped step and the right one"),
        ("length", "the damped step's length over the right one's"),
      ])
    let right = try step(LayerSamples(all, block: 0), variants[0], gradient)
    for variant in variants {
      let step = try step(LayerSamples(all, block: 0), variant, gradient)
      let errors = try [one, two, all].map { samples in
        let kfac = try block(LayerSamples(samples, block: 0), variant).dense(within: .standard)
        return KFACMeasurement.relativeError(kfac, try KFACMeasurement.exactBlock(samples))
      }
      let cosine = step.dot(right) / (step.frobeniusNorm * right.frobeniusNorm)
      table.append(
        [.text(variant.name), .text(variant.mistake), .integer(variant.a + variant.g)]
          + errors.map { .number($0) }
          + [.number(cosine), .number(step.frobeniusNorm / right.frobeniusNorm)])
    }
    return table
  }

  private typealias Variant = (name: String, mistake: String, a: Int, g: Int)

  private static func power(_ count: Int, _ exponent: Int) -> Double {
    let product = (0..<abs(exponent)).reduce(1.0) { product, _ in product * Double(count) }
    return exponent < 0 ? 1 / product : product
  }

  private static func block(_ layer: LayerSamples, _ variant: Variant) -> KroneckerBlock {
    let factors = KFACFactors(layer)
    return KroneckerBlock(
      kind: .kfac, layout: layer.layout,
      a: KroneckerFactor(power(layer.exampleCount, variant.a) * factors.a),
      g: KroneckerFactor(power(layer.exampleCount, variant.g) * factors.g))
  }

  private static func step(_ layer: LayerSamples, _ variant: Variant, _ gradient: Matrix) throws
    -> Matrix
  {
    let damped = try block(layer, variant).damped(.pi, lambda)
    return damped.solve(ParameterVector(blocks: [gradient])).blocks[0]
  }
}
