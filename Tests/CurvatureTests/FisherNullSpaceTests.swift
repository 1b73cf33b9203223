import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Directions in which the function does not change (spec 3.1): the Fisher annihilates them.
@Suite("The null space of the Fisher")
struct FisherNullSpaceTests {
  @Test("P-39: softmax annihilates the shift of all logits, and G of the last layer does too")
  func softmaxAnnihilatesTheShift() {
    property(
      "P-39", .equal, oracle: "closed form",
      over: NetworkCase.all.filter { $0.architecture != .biasFree }.with {
        $0.likelihood = .categorical
      }
    ) { test, checks in
      let curvature = test.curvature
      var shift = ParameterVector.zero(curvature.samples.layout)
      let last = shift.blocks.count - 1
      let bias = shift.blocks[last].columnCount - 1
      for i in 0..<shift.blocks[last].rowCount { shift.blocks[last][i, bias] = 1 }
      let zero = Vector.zero(shift.count)
      let size = Double(shift.blocks[last].rowCount)
      checks.equal(
        ExactFisher(curvature.samples).apply(shift).flattened, zero,
        scale: size * floored(curvature.fisher), "F e")
      let g = KFACFactors(curvature.layers[last]).g
      checks.equal(
        LAPACK.dgemm(g, Vector(repeating: 1, count: g.rowCount)), .zero(g.rowCount),
        scale: floored(g), "G 1")
    }
  }

  /// Unit `unit` of the last hidden layer: its incoming weights minus its outgoing ones.
  static func rescaling(_ network: Network, unit: Int) -> ParameterVector {
    var direction = ParameterVector.zero(network.layout)
    let last = network.parameters.count - 1
    let (incoming, outgoing) = (network.parameters[last - 1].weights, network.parameters[last])
    for j in 0..<incoming.columnCount { direction.blocks[last - 1][unit, j] = incoming[unit, j] }
    for i in 0..<outgoing.weights.rowCount {
      direction.blocks[last][i, unit] = -outgoing.weights[i, unit]
    }
    return direction
  }

  @Test("P-40: the Fisher annihilates the rescaling of a ReLU unit")
  func rescalingIsFlat() {
    property(
      "P-40", .equal, oracle: "closed form",
      over: NetworkCase.all.chains.with { $0.activation = .relu }
    ) { test, checks in
      let curvature = test.curvature
      let network = curvature.source.network
      let fisher = ExactFisher(curvature.samples)
      for unit in 0..<network.parameters[network.parameters.count - 2].weights.rowCount {
        let direction = Self.rescaling(network, unit: unit)
        checks.equal(
          fisher.apply(direction).flattened, .zero(direction.count),
          scale: floored(curvature.fisher) * LAPACK.norm1(Matrix(column: direction.flattened)),
          "unit \(unit)")
      }
    }
  }

  @Test("P-41: KFAC does not annihilate the rescaling of a ReLU unit")
  func kfacSeesTheRescaling() {
    // Some unit of the last hidden layer must be on for some example.
    let alive = NetworkCase.generic.with { $0.activation = .relu }.filter {
      let problem = $0.problem
      let values = problem.network.forward(problem.data.inputs).values
      return values[values.count - 2].maximumMagnitude > 0.1
    }
    property("P-41", .counterProperty, oracle: "closed form", over: alive) { test, checks in
      let curvature = test.curvature
      let network = curvature.source.network
      let kfac = LayerwiseStructure(curvature.layers.map { KroneckerBlock.kfac($0) })
      let scale = frobenius(try kfac.dense(within: .standard))
      let units = network.parameters[network.parameters.count - 2].weights.rowCount
      let seen = (0..<units).map { unit -> Double in
        let direction = Self.rescaling(network, unit: unit)
        return kfac.apply(direction).norm / (scale * direction.norm)
      }
      // F d is zero to round-off, 1e-16; a unit that is seldom on moves little.
      checks.bounded(seen.max() ?? 0, atLeast: 1e-6, "‖(A ⊗ G) d‖/(‖A ⊗ G‖ ‖d‖)")
    }
  }
}
