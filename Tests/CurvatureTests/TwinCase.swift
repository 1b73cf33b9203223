import Curvature
import DenseAlgebra
import Networks
import TestSupport

/// A two-layer network, 30 examples and a map of its inputs: one function in two coordinate systems.
struct TwinCase: Sendable, CustomStringConvertible {
  /// What is done to the inputs.
  enum Map: String, Sendable { case affine, orthogonal }

  var inputs: Int
  var hidden: Int
  var outputs: Int
  var likelihood: Likelihood
  /// Whether the second network has logistic units in place of tanh.
  var logistic: Bool
  var map: Map
  var seed: UInt64

  static let examples = 30

  var description: String {
    "\(inputs)-\(hidden)-\(outputs), \(likelihood), \(map) map, \(logistic ? "logistic" : "tanh"), "
      + "seed \(seed)"
  }

  static func cases(_ map: Map) -> Cases<TwinCase> {
    @Sendable func twin(
      _ inputs: Int, _ hidden: Int, _ outputs: Int, _ likelihood: Int, _ logistic: Bool,
      _ seed: UInt64
    ) -> TwinCase {
      TwinCase(
        inputs: inputs, hidden: hidden, outputs: outputs + (likelihood == 0 ? 1 : 0),
        likelihood: RandomNetwork.likelihoods[likelihood], logistic: logistic, map: map, seed: seed)
    }
    return Cases(
      edges: [
        twin(1, 1, 1, 1, false, 1), twin(1, 1, 1, 0, true, 2), twin(3, 4, 2, 1, true, 3),
        twin(3, 4, 2, 0, true, 4), twin(4, 2, 1, 2, false, 5),
      ],
      smaller: { value in
        var candidates: [TwinCase] = []
        for size in [\TwinCase.inputs, \.hidden, \.outputs] {
          let least = size == \.outputs && value.likelihood == .categorical ? 2 : 1
          for width in least..<max(value[keyPath: size], least) {
            var copy = value
            copy[keyPath: size] = width
            candidates.append(copy)
          }
        }
        if value.logistic {
          var copy = value
          copy.logistic = false
          candidates.append(copy)
        }
        return candidates
      },
      draw: { random in
        twin(
          1 + random.below(4), 1 + random.below(4), 1 + random.below(3), random.below(3),
          random.below(2) == 0, random.next() % 100_000)
      })
  }

  /// The two networks with their data.
  var twins: Twins {
    get throws {
      var generator = Generator(seed: seed)
      let first = generator.normal(hidden, inputs + 1)
      let second = generator.normal(outputs, hidden + 1)
      let x = generator.normal(inputs, Self.examples)
      let plain = try Network.multilayerPerceptron(weights: [first, second], activations: [.tanh])
      // W̄ x̄ = W̄ Ω⁻¹ (Ω x̄) with Ω = [Φ t; 0 1].
      var Φ = generator.orthogonal(inputs)
      var shift = Vector.zero(inputs)
      if map == .affine {
        let lengths = (0..<inputs).map { $0 % 2 == 0 ? 2.5 : 0.5 }
        Φ = LAPACK.dgemm(LAPACK.dgemm(Φ, .diagonal(lengths)), generator.orthogonal(inputs))
        shift = generator.vector(inputs)
      }
      var Ω = Matrix.identity(inputs + 1)
      Ω.setBlock(row: 0, column: 0, to: Φ)
      for i in 0..<inputs { Ω[i, inputs] = shift[i] }
      var moved = try LAPACK.dgesv(Ω.transposed, first.transposed).transposed
      var last = second
      if logistic {
        // tanh s = 2σ(2s) − 1.
        moved = 2 * moved
        for i in 0..<outputs {
          for j in 0..<hidden {
            last[i, hidden] -= second[i, j]
            last[i, j] = 2 * second[i, j]
          }
        }
      }
      let other = try Network.multilayerPerceptron(
        weights: [moved, last], activations: [logistic ? .logistic : .tanh])
      let image = LAPACK.dgemm(Φ, x)
      let mapped = Matrix(rowCount: inputs, columnCount: Self.examples) {
        image[$0, $1] + shift[$0]
      }
      let data = drawn(plain, x, likelihood, seed: seed)
      return Twins(
        networks: [plain, other],
        data: [data, Dataset(name: "Φx + t", inputs: mapped, targets: data.targets)],
        likelihood: likelihood)
    }
  }
}

/// One function as two networks, each with its own inputs.
struct Twins: Sendable {
  let networks: [Network]
  let data: [Dataset]
  let likelihood: Likelihood

  var samples: [GradientSamples] {
    zip(networks, data).map { GradientSamples($0, $1, likelihood: likelihood, kind: .exact) }
  }

  /// The two networks' outputs.
  var outputs: [Matrix] { zip(networks, data).map { $0.forward($1.inputs).output } }

  /// The two networks' outputs after one step of length ½ each, of all layers or of one.
  func outputsAfterStep(
    _ kind: StructureKind, _ rule: DampingRule, _ λ: Double, onlyLayer only: Int? = nil
  ) throws -> [Matrix] {
    try zip(zip(networks, data), samples).map { pair, samples in
      let (network, data) = pair
      let gradient = LossGradient(network, data, likelihood).gradient
      var step = try kind.build(samples).damped(rule, λ).solve(gradient)
      if let only {
        for index in step.blocks.indices where index != only {
          step.blocks[index] = 0 * step.blocks[index]
        }
      }
      return network.adding(step, scale: -0.5).forward(data.inputs).output
    }
  }

  /// The largest κ(A) κ(G) of any layer of either network; an exactly singular direction of G (the
  /// shift of all logits) does not count.
  var factorCondition: Double {
    get throws {
      var largest = 1.0
      for samples in samples {
        for index in samples.blocks.indices {
          let (a, g) = DefinedLayer(samples, block: index).factors()
          largest = max(largest, try condition(a) * (try conditionOnRange(g)))
        }
      }
      return largest
    }
  }

  /// The largest κ of any exact block, on its range.
  var blockCondition: Double {
    get throws {
      var largest = 1.0
      for samples in samples {
        for index in samples.blocks.indices {
          largest = max(
            largest, try conditionOnRange(DefinedLayer(samples, block: index).fisher))
        }
      }
      return largest
    }
  }
}

/// λmax over the smallest eigenvalue that is not round-off (1e-13 λmax).
private func conditionOnRange(_ m: Matrix) throws -> Double {
  let values = try LAPACK.dsyevd(m).values.elements
  let kept = values.filter { $0 > 1e-13 * values[values.count - 1] }
  return kept.isEmpty ? 1 : kept[kept.count - 1] / kept[0]
}
