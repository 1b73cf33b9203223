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
      for block in problem.network.parameters.indices {
        checkQuadraticForm(problem, block: block, &checks)
      }
    }
  }

  @Test("P-43: any network: w_LᵀF_Lw_L is (1/N) Σ zᵀHz for the last block, biases included")
  func theLastBlockHasTheQuadraticFormOfTheOutputs() {
    property("P-43", .equal, oracle: "closed form", over: NetworkCase.exact) { value, checks in
      let problem = value.problem
      checkQuadraticForm(problem, block: problem.network.parameters.count - 1, &checks)
    }
  }

  /// wᵀFw of one block against (1/N) Σ zᵀHz; both round in units of ‖F‖‖w‖².
  private func checkQuadraticForm(_ problem: RandomNetwork, block: Int, _ checks: inout Checks) {
    let outputs = problem.network.forward(problem.data.inputs).output
    let expected = (0..<outputs.columnCount).reduce(0) { sum, n in
      let z = outputs.column(n)
      return sum + z.dot(LAPACK.dgemm(problem.likelihood.hessian(z), z))
        / Double(outputs.columnCount)
    }
    let fisher = GradientSamples(
      problem.network, problem.data, likelihood: problem.likelihood, kind: .exact, blocks: [block]
    ).fisher
    let w = Vector(problem.network.parameters[block].weights.storage)
    checks.equal(
      w.dot(LAPACK.dgemm(fisher, w)), expected, size: w.count,
      scale: LAPACK.norm1(fisher) * w.dot(w), "block \(block)")
  }
}
