import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks
import Optimization

/// What chapter 07 measures on the trained network.
struct EKFACMeasurement {
  static let likelihood = Likelihood.categorical
  static let batch = 256
  /// λ of the trained KFAC, on each factor.
  static let trainingLambda = 0.3
  static let learningRate = 0.1
  /// λ of the damped inverses and steps that are compared.
  static let lambda = 0.01
  static let iterations = [0, 10, 50, 200]
  /// The basis of the staleness study is that of the first of these.
  static let staleIterations = [50, 55, 60, 80, 120, 200]
  /// The layer of the detailed pictures, and its state.
  static let (layer, iteration) = (3, 50)

  static let methods = [
    "diagonal", "KFAC", "EKFAC", "best Kronecker", "EKFAC in the best Kronecker's basis",
  ]

  /// Layers 2, 3 and 4 before the step of an iteration, on one fixed batch.
  struct State {
    let iteration: Int
    let layers: [LayerSamples]
    let gradient: ParameterVector
  }

  let states: [State]
  let errors, moments, permuted, stale: ResultTable

  init(_ data: Dataset, progress: @Sendable (String, Int, Int) -> Void) throws {
    states = try EKFACMeasurement.train(data, progress)
    errors = try EKFACMeasurement.errors(states, progress)
    let state = states.first { $0.iteration == EKFACMeasurement.iteration }!
    let samples = state.layers[EKFACMeasurement.layer - 2]
    moments = try EKFACMeasurement.moments(samples)
    permuted = try EKFACMeasurement.permuted(
      samples, gradient: state.gradient.blocks[EKFACMeasurement.layer - 1])
    stale = try EKFACMeasurement.stale(states)
  }

  private static func train(_ data: Dataset, _ progress: @Sendable (String, Int, Int) -> Void)
    throws -> [State]
  {
    var options = KroneckerPreconditioner.Options()
    options.lambda = .constant(trainingLambda)
    options.factorInterval = .constant(5)
    options.inverseInterval = .constant(5)
    var optimizer = PreconditionedDescent(
      try KroneckerPreconditioner(options, name: "kfac"),
      DescentRule(learningRate: .constant(learningRate)))
    var network = try Network.multilayerPerceptron(
      widths: [784, 20, 20, 20, 10], activation: .relu, initialization: .he, seed: 1)
    var batches = BatchSequence(count: data.count, batch: batch, seed: 1)
    let fixed = data.subset(batches.next())
    let wanted = iterations + staleIterations
    let last = wanted.max() ?? 0
    var states: [State] = []
    for iteration in 0...last {
      if wanted.contains(iteration) {
        progress("training", iteration, last)
        let samples = GradientSamples(
          network, fixed, likelihood: likelihood, kind: .exact, blocks: [1, 2, 3])
        states.append(
          State(
            iteration: iteration,
            layers: samples.blocks.indices.map { LayerSamples(samples, block: $0) },
            gradient: LossGradient(network, fixed, likelihood).gradient))
      }
      if iteration < last {
        network = try optimizer.step(network, data.subset(batches.next()), likelihood)
      }
    }
    return states
  }

  /// The structures in the order of `methods`.
  static func structures(_ samples: LayerSamples) throws -> [any MatrixStructure] {
    let nearest = try KroneckerBlock.nearestKronecker(samples)
    return [
      DiagonalBlock(samples), KroneckerBlock.kfac(samples), try EigenbasisBlock.ekfac(samples),
      nearest, try EigenbasisBlock.ekfac(samples, basisOf: (nearest.a, nearest.g)),
    ]
  }

  static func exactBlock(_ samples: LayerSamples) throws -> Matrix {
    let u = samples.scaledGradients
    return u.timesOwnTranspose
  }

  private static func errors(
    _ states: [State], _ progress: @Sendable (String, Int, Int) -> Void
  ) throws -> ResultTable {
    var table = ResultTable(
      "errors", "How far approximations of a layer's exact Fisher block are from it.",
      [
        ("iteration", "steps of training before the measurement"),
        ("layer", "layer, counted from 1"), ("method", "approximation"),
        ("frobenius", "‖F̂ − F‖ / ‖F‖, Frobenius norm, undamped"),
        ("inverse", "the same for the inverses of F̂ + λI and F + λI, λ = \(lambda)"),
        ("efficiency", "η of the damped step: its best decrease of the model over the exact one's"),
      ])
    let chosen = states.filter { iterations.contains($0.iteration) }
    for (count, state) in chosen.enumerated() {
      progress("errors", count, chosen.count)
      for (index, samples) in state.layers.enumerated() {
        let exact = try exactBlock(samples)
        let reference = DenseStructure(
          kind: .blockDiagonal, layout: samples.layout, matrix: exact)
        let damped = try reference.damped(.exact, lambda)
        let dense = try DenseDampedReference(damped, within: .standard)
        let gradient = ParameterVector(blocks: [state.gradient.blocks[index + 1]])
        let steps = DampedReference(damped, gradient: gradient)
        for (name, structure) in zip(methods, try structures(samples)) {
          let approximate = try structure.damped(.exact, lambda)
          let inverse = dense.relativeInverseError(
            of: try approximate.denseInverse(within: .standard))
          let efficiency = steps.metrics(ofStep: approximate.solve(gradient))
            .first { $0.metric == .efficiency }
          table.append([
            .integer(state.iteration), .integer(index + 2), .text(name),
            .number(try structure.dense(within: .standard).relativeError(to: exact)),
            .number(inverse.value), efficiency.map { .number($0.value) } ?? .empty,
          ])
        }
      }
    }
    return table
  }

  /// KFAC's products γᵢ αⱼ beside the exact second moments, largest product first.
  private static func moments(_ samples: LayerSamples) throws -> ResultTable {
    var table = ResultTable(
      "moments",
      "Layer \(layer) after \(iteration) steps: eigenvalues of A ⊗ G and the second moments of EKFAC.",
      [
        ("i", "eigenvector of G, counted from 0 in the order of ascending eigenvalues"),
        ("j", "eigenvector of A, counted likewise"),
        ("product", "γᵢ αⱼ, the eigenvalue of A ⊗ G"),
        ("moment", "S of row i and column j: the exact second moment of the gradient there"),
      ])
    let ekfac = try EigenbasisBlock.ekfac(samples)
    let products = try productsInBasis(samples)
    let order = products.storage.indices.sorted {
      (-products.storage[$0], $0) < (-products.storage[$1], $1)
    }
    for index in order {
      table.append([
        .integer(index % products.rowCount), .integer(index / products.rowCount),
        .number(products.storage[index]), .number(ekfac.secondMoments.storage[index]),
      ])
    }
    return table
  }

  static func productsInBasis(_ samples: LayerSamples) throws -> Matrix {
    let factors = KFACFactors(samples)
    let (_, α) = try KroneckerFactor(factors.a).eigendecomposition()
    let (_, γ) = try KroneckerFactor(factors.g).eigendecomposition()
    return Matrix(rowCount: γ.count, columnCount: α.count) { γ[$0] * α[$1] }
  }

  /// The right numbers at wrong places.
  private static func permuted(_ samples: LayerSamples, gradient: Matrix) throws -> ResultTable {
    var table = ResultTable(
      "permuted", "EKFAC of layer \(layer) with its second moments at other places.",
      [
        ("variant", "what stands on the diagonal in the eigenbasis"),
        ("trace", "tr F̂ / tr F"), ("frobenius", "‖F̂ − F‖ / ‖F‖, Frobenius norm"),
        ("efficiency", "η of the step with λ = \(lambda)"),
      ])
    let right = try EigenbasisBlock.ekfac(samples)
    let s = right.secondMoments
    let (rows, columns) = (s.rowCount, s.columnCount)
    let mean = s.storage.reduce(0, +) / Double(s.storage.count)
    var random = SplitMix64(seed: 7)
    let order = random.permutation(s.storage.count)
    let variants: [(String, Matrix)] = [
      ("S with each moment at its place", s),
      ("KFAC: products instead of moments", try productsInBasis(samples)),
      (
        "S read by rows instead of columns",
        Matrix(rowCount: rows, columnCount: columns) {
          s.storage[$0 * columns + $1]
        }
      ),
      (
        "S with its rows in reverse order",
        Matrix(rowCount: rows, columnCount: columns) {
          s[rows - 1 - $0, $1]
        }
      ),
      (
        "S in random order",
        Matrix(rowCount: rows, columnCount: columns) {
          s.storage[order[$1 * rows + $0]]
        }
      ),
      ("the mean of S everywhere", Matrix(rowCount: rows, columnCount: columns, repeating: mean)),
    ]
    let exact = try exactBlock(samples)
    let reference = DenseStructure(kind: .blockDiagonal, layout: samples.layout, matrix: exact)
    let vector = ParameterVector(blocks: [gradient])
    let steps = DampedReference(try reference.damped(.exact, lambda), gradient: vector)
    for (name, moments) in variants {
      let block = EigenbasisBlock(
        kind: .ekfac, layout: samples.layout, inputBasis: right.inputBasis,
        outputBasis: right.outputBasis, secondMoments: moments)
      let step = try block.damped(.exact, lambda).solve(vector)
      let efficiency = steps.metrics(ofStep: step).first { $0.metric == .efficiency }
      table.append([
        .text(name), .number(moments.storage.reduce(0, +) / exact.trace),
        .number(try block.dense(within: .standard).relativeError(to: exact)),
        efficiency.map { .number($0.value) } ?? .empty,
      ])
    }
    return table
  }

  /// A basis that grows old while the second moments are renewed, or not.
  private static func stale(_ states: [State]) throws -> ResultTable {
    var table = ResultTable(
      "stale",
      "Relative Frobenius errors for layer \(layer), with parts that were made at an earlier step.",
      [
        ("steps", "steps since the parts were made"), ("kfacOld", "KFAC with old A and G"),
        ("ekfacOld", "EKFAC with old basis and old moments"),
        ("ekfacRenewed", "EKFAC with old basis and moments of today"),
        ("kfacNew", "KFAC with A and G of today"),
        ("ekfacNew", "EKFAC with basis and moments of today"),
      ])
    let chosen = states.filter { staleIterations.contains($0.iteration) }
    let old = chosen[0].layers[layer - 2]
    let kfac = KroneckerBlock.kfac(old)
    let ekfac = try EigenbasisBlock.ekfac(old)
    let (kfacMatrix, ekfacMatrix) = (
      try kfac.dense(within: .standard), try ekfac.dense(within: .standard)
    )
    for (index, state) in chosen.enumerated()
    where index == 0 || state.iteration != chosen[index - 1].iteration {
      let samples = state.layers[layer - 2]
      let exact = try exactBlock(samples)
      let renewed = try EigenbasisBlock.ekfac(samples, basisOf: (kfac.a, kfac.g))
      let (kfacNew, ekfacNew) = (
        KroneckerBlock.kfac(samples), try EigenbasisBlock.ekfac(samples)
      )
      table.append([
        .integer(state.iteration - chosen[0].iteration),
        .number(kfacMatrix.relativeError(to: exact)), .number(ekfacMatrix.relativeError(to: exact)),
        .number(try renewed.dense(within: .standard).relativeError(to: exact)),
        .number(try kfacNew.dense(within: .standard).relativeError(to: exact)),
        .number(try ekfacNew.dense(within: .standard).relativeError(to: exact)),
      ])
    }
    return table
  }
}
