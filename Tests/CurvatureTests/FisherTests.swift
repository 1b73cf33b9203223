import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The exact Fisher matrix and its definitions (spec 2.3, 3.1).
@Suite("The Fisher information matrix")
struct FisherTests {
  /// Jₙ, C × P, by one pullback of each unit cotangent; the rows of a block are cvec(Σ g āᵀ).
  static func jacobians(_ network: Network, _ inputs: Matrix) -> [Matrix] {
    let tape = network.forward(inputs)
    let c = network.outputCount
    let layout = network.layout
    var result = [Matrix](
      repeating: Matrix(rowCount: c, columnCount: layout.count), count: inputs.columnCount)
    for output in 0..<c {
      let unit = Matrix(rowCount: c, columnCount: inputs.columnCount) { i, _ in i == output ? 1 : 0
      }
      for (use, g) in zip(tape.uses, network.pullback(unit, through: tape)) {
        let offset = layout.offsets[use.block]
        for column in 0..<g.columnCount {
          for j in 0..<use.inputs.rowCount {
            for i in 0..<g.rowCount {
              result[column / use.positions][output, offset + j * g.rowCount + i] +=
                g[i, column] * use.inputs[j, column]
            }
          }
        }
      }
    }
    return result
  }

  @Test("P-20: the exact Fisher is the Gauss–Newton matrix (1/N) Σ JᵀHJ")
  func fisherIsGaussNewton() {
    property("P-20", .equal, oracle: "dgemm, J by unit pullbacks", over: NetworkCase.exact) {
      test, checks in
      let curvature = test.curvature
      let source = curvature.source
      let outputs = source.network.forward(source.data.inputs).output
      let size = curvature.samples.layout.count
      var gaussNewton = Matrix(rowCount: size, columnCount: size)
      // JᵀHJ may cancel: the round-off is that of the absolute values.
      var magnitudes = gaussNewton
      for (example, jacobian) in Self.jacobians(source.network, source.data.inputs).enumerated() {
        let hessian = source.likelihood.hessian(outputs.column(example))
        func add(_ j: Matrix, _ h: Matrix, to sum: inout Matrix) {
          sum.add(
            1 / Double(source.data.count),
            times: LAPACK.dgemm(j, LAPACK.dgemm(h, j), transposeA: true))
        }
        add(jacobian, hessian, to: &gaussNewton)
        add(jacobian.map(\.magnitude), hessian.map(\.magnitude), to: &magnitudes)
      }
      let fisher = try ExactFisher(curvature.samples).dense(within: .standard)
      checks.equal(fisher, gaussNewton, scale: floored(magnitudes))
    }
  }

  @Test(
    "The dense Fisher is (1/N) Σ u uᵀ for every Fisher kind, and so are the layer blocks",
    arguments: CurvatureCase.varied)
  func fisherFollowsItsDefinition(test: CurvatureCase) throws {
    let fisher = ExactFisher(test.samples)
    expectRatio(
      .difference(try fisher.dense(within: .standard), test.fisher), "\(test)", seed: test.seed)
    for (layer, defined) in zip(test.layers, test.defined) {
      let root = 1 / Double(defined.exampleCount).squareRoot()
      expectRatio(
        .difference(layer.scaledGradients, root * defined.gradients), "\(test)", seed: test.seed)
      #expect(layer.inputSize == defined.inputSize && layer.outputSize == defined.outputSize)
      #expect(layer.positions == defined.positions && layer.name == defined.block.name)
    }
  }

  @Test("A selection of layers gives the principal sub-matrix")
  func selectedLayersAreASubmatrix() throws {
    let test = CurvatureCase(
      RandomNetwork(.tied, .tanh, .categorical, seed: 12, exampleCount: 8))
    let chosen = GradientSamples(
      test.source.network, test.source.data, likelihood: .categorical, kind: .exact, blocks: [2, 1])
    let whole = test.fisher
    let offsets = test.samples.layout.offsets
    let indices = [2, 1].flatMap { block in
      (0..<test.samples.layout.blocks[block].count).map { offsets[block] + $0 }
    }
    let expected = Matrix(rowCount: indices.count, columnCount: indices.count) {
      whole[indices[$0], indices[$1]]
    }
    expectRatio(.difference(try ExactFisher(chosen).dense(within: .standard), expected))
  }

  @Test(
    "P-29: Monte-Carlo Fishers average to the exact one; four times the samples halve the error")
  func monteCarloConverges() throws {
    let source = RandomNetwork(.perceptron, .tanh, .categorical, seed: 16, exampleCount: 8)
    let exact = CurvatureCase(source).fisher
    func error(_ samples: Int) -> Double {
      let seeds = 1...40 as ClosedRange<UInt64>
      let squares = seeds.map { seed -> Double in
        let kind = FisherKind.monteCarlo(samples: samples, seed: seed)
        let error = frobenius(CurvatureCase(source, kind).fisher - exact)
        return error * error
      }
      return (squares.reduce(0, +) / 40).squareRoot()
    }
    let (few, many) = (error(4), error(16))
    // A root mean square of 40 draws is known to about 1/√80 = 11 %.
    #expect(abs(few / many - 2) < 0.5)
  }

  @Test("P-30: the Fisher is symmetric and xᵀFx = ‖Uᵀx‖²; its eigenvalues are not negative")
  func fisherIsPositiveSemidefinite() {
    property(
      "P-30", .equal, oracle: "dgemm", claim: "F and F̃ are symmetric, and xᵀFx = ‖Uᵀx‖²",
      over: NetworkCase.all
    ) { test, checks in
      let curvature = test.curvature
      let fisher = ExactFisher(curvature.samples)
      let matrix = try fisher.dense(within: .standard)
      let size = matrix.rowCount
      checks.equal(matrix, matrix.transposed, scale: floored(matrix), "symmetric")
      var generator = Generator(seed: test.seed)
      let x = generator.vector(size)
      let image = LAPACK.dgemm(curvature.stackedGradients, x, transposeA: true)
      let expected = inner(image, image) / Double(test.exampleCount)
      let scale = floored(matrix) * inner(x, x)
      let vector = ParameterVector(x, layout: fisher.layout)
      checks.equal(
        fisher.apply(vector).dot(vector), expected, size: size, scale: scale, "xᵀFx by apply")
      let projection = fisher.project(vector)
      checks.equal(
        projection.dot(projection), expected, size: size, scale: scale, "‖Uᵀx‖² by project")
      checks.equal(
        inner(x, LAPACK.dgemm(matrix, x)), expected, size: size, scale: scale, "xᵀFx, dense")
    }
    property(
      "P-30", .inequality, oracle: "dsyev", claim: "no eigenvalue of F or F̃ is negative",
      over: NetworkCase.all
    ) { test, checks in
      let matrix = try ExactFisher(test.curvature.samples).dense(within: .standard)
      let values = try LAPACK.dsyev(matrix).values.elements
      checks.atMost(-values[0], 0, size: matrix.rowCount, scale: floored(matrix))
    }
  }

  @Test("P-31: the rank is at most NK, and at most N(C − 1) for the exact softmax Fisher")
  func rankIsBounded() {
    property("P-31", .inequality, oracle: "dgesvd", over: NetworkCase.all) { test, checks in
      let curvature = test.curvature
      let samples = curvature.samples
      let isSoftmax = test.likelihood == .categorical && test.kind == .exact
      let bound = test.exampleCount * (samples.columnCount - (isSoftmax ? 1 : 0))
      let fisher = ExactFisher(samples)
      let u = curvature.stackedGradients
      let values = try LAPACK.dgesvd(u).values.elements
      // The library's F, whose eigenvalues are the squares: those beyond the bound are round-off.
      let squares = try LAPACK.dsyev(try fisher.dense(within: .standard)).values.elements
      let size = squares.count
      for (index, square) in squares.reversed().enumerated() where index >= bound {
        checks.atMost(
          abs(square), 0, size: size, scale: max(squares[size - 1], 1e-290), "eigenvalue \(index)")
      }
      for (index, value) in values.enumerated() where index >= bound {
        checks.atMost(value, 0, size: size, scale: max(values[0], 1e-290), "σ \(index)")
      }
      checks.holds(try fisher.damped(.none, 0).rank <= bound, "the rank of rule none")
    }
  }

  @Test("P-36: the mean gradient is U w, in the range of F and of F̃")
  func gradientIsInTheRange() {
    property(
      "P-36", .equal, oracle: "closed form of w",
      over: NetworkCase.all.filter { [.exact, .empirical].contains($0.kind) }
    ) { test, checks in
      let curvature = test.curvature
      let source = curvature.source
      let outputs = source.network.forward(source.data.inputs).output
      let root = Double(test.exampleCount).squareRoot()
      // √N wₙ with Sₙwₙ = ∇z: −e_y/√p_y, (z − y)/σ, and (q − y)/√(q(1 − q)) = ±exp(∓z/2).
      let losses = source.likelihood.losses(outputs, source.data.targets)
      let weights = Matrix(rowCount: test.exampleCount, columnCount: outputs.rowCount) { n, c in
        switch (source.likelihood, source.data.targets) {
        case (.categorical, .labels(let labels)):
          return labels[n] == c ? -exponential(losses[n] / 2) : 0
        case (.gaussian(let variance), .values(let y)):
          return (outputs[c, n] - y[c, n]) / variance.squareRoot()
        case (.bernoulli, .values(let y)):
          return y[c, n] == 1 ? -exponential(-outputs[c, n] / 2) : exponential(outputs[c, n] / 2)
        default: preconditionFailure("targets of the wrong kind")
        }
      }
      let w =
        test.kind == .exact
        ? (1 / root) * Vector(weights.storage) : Vector(repeating: 1 / root, count: losses.count)
      let combined = ExactFisher(curvature.samples).combine(w).flattened
      let magnitudes = LAPACK.dgemm(
        curvature.stackedMagnitudes, Vector(w.elements.map(\.magnitude)))
      checks.equal(
        combined, curvature.gradient.flattened,
        scale: exponentSensitivity(source.network, source.data.inputs) / root
          * floored(Matrix(column: magnitudes)))
    }
  }

  @Test("P-47: the blocks of the inverse dominate the inverses of the blocks")
  func blocksOfTheInverseDominate() {
    property("P-47", .inequality, oracle: "dpotri", over: NetworkCase.all, share: 0.5) {
      test, checks in
      let curvature = test.curvature
      let samples = curvature.samples
      let largest = max(try largestEigenvalue(curvature.fisher), 1e-100)
      let λ = largest * test.pick([1, 1e-2, 1e-4])
      // The entries of an inverse may err by κ ε ‖inverse‖.
      let κ = largest / λ + 1
      let expected = try LAPACK.dpotri(curvature.fisher.addingToDiagonal(λ))
      let scale = κ * LAPACK.norm1(expected)
      let inverse = try ExactFisher(samples).damped(.exact, λ).denseInverse(within: .standard)
      checks.equal(inverse, expected, scale: scale, "F⁻¹")
      let layers = try StructureKind.blockDiagonal.build(samples).damped(.exact, λ)
        .denseInverse(within: .standard)
      for (offset, block) in zip(samples.layout.offsets, samples.layout.blocks) {
        let range = offset..<offset + block.count
        let difference =
          inverse.block(rows: range, columns: range) - layers.block(rows: range, columns: range)
        checks.atMost(
          0, try LAPACK.dsyev(difference).values[0], size: inverse.rowCount, scale: scale,
          block.name)
      }
    }
  }
}
