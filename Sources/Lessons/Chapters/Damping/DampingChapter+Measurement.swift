import Curvature
import DenseAlgebra
import Experiments
import Networks
import Optimization
import RealModule

/// One layer's factors in their eigenbases, where every damping rule is a quotient of numbers.
struct DampingLayer: Sendable {
  let name: String
  let factors: KFACFactors
  let gradient: Matrix
  /// α, the eigenvalues of A, and γ, those of G; ascending, clamped at 0.
  let alpha, gamma: [Double]
  /// Q_Gᵀ V Q_A, d_G × d_A.
  let rotated: Matrix
  private let a, g: KroneckerFactor

  init(name: String, factors: KFACFactors, gradient: Matrix) throws {
    self.name = name
    self.factors = factors
    self.gradient = gradient
    a = KroneckerFactor(factors.a)
    g = KroneckerFactor(factors.g)
    let (qA, α) = try a.eigendecomposition()
    let (qG, γ) = try g.eigendecomposition()
    alpha = α
    gamma = γ
    rotated = qG.transposedTimes(gradient) * qA
  }

  /// The two shifts of a rule that factors.
  func shifts(_ rule: DampingRule, _ lambda: Double) -> (a: Double, g: Double)? {
    rule.shifts(a: a, g: g, lambda: lambda)
  }

  /// The eigenvalues of the damped matrix, entry (i, j) that of γᵢ and αⱼ.
  func spectrum(_ rule: DampingRule, _ lambda: Double) -> Matrix {
    if let shift = shifts(rule, lambda) {
      return Matrix(rowCount: gamma.count, columnCount: alpha.count) { i, j in
        (alpha[j] + shift.a) * (gamma[i] + shift.g)
      }
    }
    let added = rule == .exact ? lambda : 0
    return Matrix(rowCount: gamma.count, columnCount: alpha.count) { i, j in
      alpha[j] * gamma[i] + added
    }
  }

  /// The spectrum of (A + λI) ⊗ λI: G is left out.
  func spectrumWithoutG(_ lambda: Double) -> Matrix {
    Matrix(rowCount: gamma.count, columnCount: alpha.count) { _, j in
      (alpha[j] + lambda) * lambda
    }
  }

  /// λ ⟨A ⊗ I + I ⊗ G⟩ and λ² against A ⊗ G: the traces of the three terms of Eq. 6's expansion.
  func traces(_ lambda: Double) -> (product: Double, cross: Double, square: Double) {
    let (traceA, traceG) = (factors.a.trace, factors.g.trace)
    let (dA, dG) = (Double(alpha.count), Double(gamma.count))
    return (traceA * traceG, lambda * (dG * traceA + dA * traceG), lambda * lambda * dA * dG)
  }
}

/// How two damped matrices of the same layers compare, in the inverse and in the step.
struct DampedPair: Sendable {
  private var inverseDifference = 0.0
  private var inverseSquare = 0.0
  private var slope = 0.0
  private var energy = 0.0
  private var stepEnergy = 0.0
  private var stepSquare = 0.0
  private var referenceSquare = 0.0
  private var inner = 0.0

  /// Adds a layer: the eigenvalues of both and the gradient in the common eigenbasis.
  mutating func add(_ spectrum: Matrix, reference: Matrix, gradient: Matrix) {
    for index in spectrum.storage.indices {
      let (s, r) = (spectrum.storage[index], reference.storage[index])
      let v = gradient.storage[index]
      let difference = 1 / s - 1 / r
      inverseDifference += difference * difference
      inverseSquare += 1 / (r * r)
      slope += v * v / s
      energy += v * v / s * r / s
      stepEnergy += v * v / r
      stepSquare += v * v / (s * s)
      referenceSquare += v * v / (r * r)
      inner += v * v / (s * r)
    }
  }

  /// ‖Ĉ⁻¹ − C⁻¹‖ / ‖C⁻¹‖.
  var inverseError: Double { (inverseDifference / inverseSquare).squareRoot() }
  /// The share of the model's best decrease that the step keeps at its best length.
  var efficiency: Double { slope * slope / (energy * stepEnergy) }
  var lengthRatio: Double { (stepSquare / referenceSquare).squareRoot() }
  /// The angle between the two steps, in degrees.
  var angle: Double {
    let cosine = inner / (stepSquare * referenceSquare).squareRoot()
    return Double.acos(min(1, max(-1, cosine))) * 180 / .pi
  }
}

/// Chapter 06's network: layers 2 to 4 of the paper's Figure 4 after a few steps of KFAC.
struct DampingStudy: Sendable {
  static let widths = [784, 20, 20, 20, 10]
  static let batch = 256
  static let iteration = 10
  static let trainingLambda = 0.3
  static let likelihood = Likelihood.categorical
  static let compared: [DampingRule] = [.factor, .pi, .sqrt]
  /// Where the rules are compared with each other.
  static let lambdas: [Double] = (-24...8).map { Double.pow(10, Double($0) / 4) }
  /// Where they are compared with the exact block, which needs a dense inverse.
  static let denseLambdas: [Double] = (-10...2).map { Double.pow(10, Double($0) / 2) }
  /// λ of the fixed reference, at which each rule may choose its own λ.
  static let fixedLambda = 0.01

  /// One rule at one λ against A ⊗ G + λI.
  struct Point: Sendable {
    let rule: DampingRule
    let lambda, inverseError, efficiency, lengthRatio, angle: Double
  }

  /// One rule at one λ against the exact blocks F + λI, and against F + 0.01 I.
  struct DensePoint: Sendable {
    let rule: DampingRule
    let lambda, inverseError, efficiency, fixedEfficiency: Double
  }

  let layers: [DampingLayer]
  let points: [Point]
  let dense: [DensePoint]

  init(_ context: ChapterContext) throws {
    let (network, data) = try DampingStudy.state(context)
    let samples = GradientSamples(
      network, data, likelihood: DampingStudy.likelihood, kind: .exact, blocks: [1, 2, 3])
    let gradient = LossGradient(network, data, DampingStudy.likelihood).gradient
    let parts = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    let layers = try zip(parts, gradient.blocks.dropFirst()).map {
      try DampingLayer(name: $0.name, factors: KFACFactors($0), gradient: $1)
    }
    self.layers = layers
    points = DampingStudy.lambdas.flatMap { lambda in
      DampingStudy.compared.map { rule in
        let pair = DampingStudy.pair(layers, rule, lambda)
        return Point(
          rule: rule, lambda: lambda, inverseError: pair.inverseError,
          efficiency: pair.efficiency, lengthRatio: pair.lengthRatio, angle: pair.angle)
      }
    }
    let tail = ParameterVector(blocks: Array(gradient.blocks.dropFirst()))
    dense = try DampingStudy.dense(parts, tail, context)
  }

  /// A rule at a λ against exact damping of the same A ⊗ G.
  static func pair(_ layers: [DampingLayer], _ rule: DampingRule, _ lambda: Double) -> DampedPair {
    var pair = DampedPair()
    for layer in layers {
      pair.add(
        layer.spectrum(rule, lambda), reference: layer.spectrum(.exact, lambda),
        gradient: layer.rotated)
    }
    return pair
  }

  /// Eq. 6 at a λ against the same with G left out: (A + λI) ⊗ λI.
  static func withoutG(_ layers: [DampingLayer], _ lambda: Double) -> DampedPair {
    var pair = DampedPair()
    for layer in layers {
      pair.add(
        layer.spectrumWithoutG(lambda), reference: layer.spectrum(.factor, lambda),
        gradient: layer.rotated)
    }
    return pair
  }

  /// The λ at which Eq. 6's step has the largest angle to the exactly damped one.
  ///
  /// The largest of the grid, refined by golden section between its neighbours.
  var mostDifferent: (lambda: Double, pair: DampedPair) {
    let angles = points.filter { $0.rule == .factor }
    guard let best = angles.indices.max(by: { angles[$0].angle < angles[$1].angle }) else {
      preconditionFailure("no λ")
    }
    var low = Double.log(angles[max(0, best - 1)].lambda)
    var high = Double.log(angles[min(angles.count - 1, best + 1)].lambda)
    func angle(_ logarithm: Double) -> Double {
      DampingStudy.pair(layers, .factor, Double.exp(logarithm)).angle
    }
    let ratio = (5.0.squareRoot() - 1) / 2
    for _ in 0..<40 {
      let (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
      if angle(left) < angle(right) { low = left } else { high = right }
    }
    let lambda = Double.exp((low + high) / 2)
    return (lambda, DampingStudy.pair(layers, .factor, lambda))
  }

  private static func dense(
    _ parts: [LayerSamples], _ gradient: ParameterVector, _ context: ChapterContext
  ) throws -> [DensePoint] {
    let kfac = LayerwiseStructure(parts.map { KroneckerBlock.kfac($0) })
    let blocks = LayerwiseStructure(
      parts.map { part in
        DenseStructure(
          kind: .blockDiagonal, layout: part.layout,
          matrix: part.scaledGradients.timesOwnTranspose.symmetrized)
      })
    let fixed = DampedReference(try blocks.damped(.exact, fixedLambda), gradient: gradient)
    return try Parallel.map(denseLambdas.count, "dense inverses", context.progress) { index in
      let lambda = denseLambdas[index]
      let damped = try blocks.damped(.exact, lambda)
      let reference = DampedReference(damped, gradient: gradient)
      let inverses = try blocks.blocks.map {
        try $0.damped(.exact, lambda).denseInverse(within: .standard)
      }
      let square = inverses.reduce(0) { $0 + $1.dot($1) }
      return try (compared + [.exact]).map { rule in
        let step = try kfac.damped(rule, lambda).solve(gradient)
        var difference = 0.0
        for (block, inverse) in zip(kfac.blocks, inverses) {
          let own = try block.damped(rule, lambda).denseInverse(within: .standard)
          let change = own - inverse
          difference += change.dot(change)
        }
        func efficiency(_ target: DampedReference) -> Double {
          target.metrics(ofStep: step).first { $0.metric == .efficiency }?.value ?? .nan
        }
        return DensePoint(
          rule: rule, lambda: lambda, inverseError: (difference / square).squareRoot(),
          efficiency: efficiency(reference), fixedEfficiency: efficiency(fixed))
      }
    }.flatMap { $0 }
  }

  /// The network before step 10, and that step's batch.
  private static func state(_ context: ChapterContext) throws -> (Network, Dataset) {
    let data = context.fashionMNIST.dataset
    var options = KroneckerPreconditioner.Options()
    options.lambda = .constant(trainingLambda)
    options.factorInterval = .constant(5)
    options.inverseInterval = .constant(5)
    var optimizer = PreconditionedDescent(
      try KroneckerPreconditioner(options, name: "kfac"),
      DescentRule(learningRate: .constant(0.1)))
    var network = try Network.multilayerPerceptron(
      widths: widths, activation: .relu, initialization: .he, seed: 1)
    var batches = BatchSequence(count: data.count, batch: batch, seed: 6)
    var examples = data.subset(batches.next())
    for step in 0..<iteration {
      network = try optimizer.step(network, examples, likelihood)
      examples = data.subset(batches.next())
      context.progress("training", step + 1, iteration)
    }
    return (network, examples)
  }
}
