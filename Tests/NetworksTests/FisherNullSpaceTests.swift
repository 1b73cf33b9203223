import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Spec 10.2, P-39, P-40, P-42, P-43: directions that a Fisher matrix annihilates, and quadratic forms
/// known from the outputs alone.
@Suite("What a Fisher matrix annihilates")
struct FisherNullSpaceTests {
  /// Adding one number to all logits changes no probability; the last block must have biases.
  @Test("P-39: softmax: F annihilates the all-logit shift, and G_L 1 = 0")
  func softmaxFisherAnnihilatesTheShiftOfAllLogits() {
    let cases = NetworkCase.all.with {
      $0.likelihood = .categorical
      if $0.architecture == .biasFree { $0.architecture = .residual }
    }
    property("P-39", .equal, oracle: "closed form", over: cases) { value, checks in
      let problem = value.problem
      var shift = ParameterVector.zero(problem.network.layout)
      let last = shift.blocks.count - 1
      let columns = shift.blocks[last].columnCount
      for i in 0..<shift.blocks[last].rowCount { shift.blocks[last][i, columns - 1] = 1 }
      checks.annihilates(problem.fisher(value.kind), shift.flattened, "all-logit shift")

      let samples = GradientSamples(
        problem.network, problem.data, likelihood: .categorical, kind: value.kind)
      let g = samples.secondMoments(last).g
      checks.annihilates(g, Vector(repeating: 1, count: g.rowCount), "G_L 1")
    }
  }

  /// Scaling a unit's incoming weights up and its outgoing ones down leaves the function alone.
  @Test("P-40: ReLU: F annihilates the rescaling of a unit")
  func reluFisherAnnihilatesTheRescalingOfAUnit() {
    let cases = NetworkCase.layered.with { $0.activation = .relu }.filter(\.isOffTheKinks)
    property("P-40", .equal, oracle: "closed form", over: cases) { value, checks in
      let problem = value.problem
      let fisher = problem.fisher(value.kind)
      let parameters = problem.network.parameters
      for layer in 0..<parameters.count - 1 {
        for unit in 0..<parameters[layer].weights.rowCount {
          var direction = ParameterVector.zero(problem.network.layout)
          for j in 0..<parameters[layer].weights.columnCount {
            direction.blocks[layer][unit, j] = parameters[layer].weights[unit, j]
          }
          for i in 0..<parameters[layer + 1].weights.rowCount {
            direction.blocks[layer + 1][i, unit] = -parameters[layer + 1].weights[i, unit]
          }
          checks.annihilates(fisher, direction.flattened, "layer \(layer), unit \(unit)")
        }
      }
    }
  }

  /// The output of such a network is homogeneous of degree 1 in the weights of each layer.
  @Test("P-42: bias-free ReLU or linear: wᵀFw is (1/N) Σ zᵀHz for the weights of every layer")
  func homogeneousLayersHaveOneQuadraticForm() {
    let cases = NetworkCase.exact.with {
      $0.architecture = .biasFree
      if $0.activation != .identity { $0.activation = .relu }
    }
    property("P-42", .equal, oracle: "closed form", over: cases) { value, checks in
      let problem = value.problem
      var magnitudes = problem.network
      for block in magnitudes.parameters.indices {
        magnitudes.parameters[block].weights = magnitudes.parameters[block].weights.map(\.magnitude)
      }
      let outputs = magnitudes.forward(problem.data.inputs.map(\.magnitude)).output
      for block in problem.network.parameters.indices {
        checkQuadraticForm(problem, block: block, magnitudes: outputs, &checks)
      }
    }
  }

  @Test("P-43: any network: w_LᵀF_Lw_L is (1/N) Σ zᵀHz for the last block, biases included")
  func theLastBlockHasTheQuadraticFormOfTheOutputs() {
    property("P-43", .equal, oracle: "closed form", over: NetworkCase.exact) { value, checks in
      let problem = value.problem
      let last = problem.network.parameters.count - 1
      let tape = problem.network.forward(problem.data.inputs)
      let use = tape.uses[tape.uses.count - 1]
      // |W||ā|, the mean over positions where the outputs are one.
      let products = LAPACK.dgemm(
        problem.network.parameters[last].weights.map(\.magnitude), use.inputs.map(\.magnitude))
      let (rows, t) = (products.rowCount, use.positions)
      let magnitudes = Matrix(rowCount: rows, columnCount: problem.data.count) { i, n in
        (0..<t).reduce(0) { $0 + products[i, n * t + $1] } / Double(t)
      }
      checkQuadraticForm(problem, block: last, magnitudes: magnitudes, &checks)
    }
  }

  /// wᵀFw of one block against (1/N) Σ zᵀHz. With the magnitudes |z| ≤ z̄, in which weights and values
  /// do not cancel, both round in units of (1/N) Σ ‖H‖‖z̄‖².
  private func checkQuadraticForm(
    _ problem: RandomNetwork, block: Int, magnitudes: Matrix, _ checks: inout Checks
  ) {
    let outputs = problem.network.forward(problem.data.inputs).output
    var (expected, scale) = (0.0, 0.0)
    for n in 0..<outputs.columnCount {
      let z = outputs.column(n)
      let hessian = problem.likelihood.hessian(z)
      let size = LAPACK.norm1(Matrix(column: magnitudes.column(n)))
      expected += z.dot(LAPACK.dgemm(hessian, z)) / Double(outputs.columnCount)
      scale += LAPACK.norm1(hessian) * size * size / Double(outputs.columnCount)
    }
    let fisher = GradientSamples(
      problem.network, problem.data, likelihood: problem.likelihood, kind: .exact, blocks: [block]
    ).fisher
    let w = Vector(problem.network.parameters[block].weights.storage)
    checks.equal(
      w.dot(LAPACK.dgemm(fisher, w)), expected, size: w.count, scale: max(scale, 1e-290),
      "block \(block)")
  }
}
