import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// What a step does to the network, when it is short (spec 9).
@Suite("Short steps follow the model")
struct StepLimitTests {
  /// Smooth networks with inputs of size one.
  static let smooth = NetworkCase.exact.filter {
    $0.activation != .relu && ($0.edge == .none || $0.edge == .repeatedExamples)
      && $0.problem.network.layout.count <= 100
  }

  /// The steps' largest part that is compared, and the smallest.
  static let lengths = [1.0, 0.5, 0.25, 0.01]

  /// At least ½: an error of first order falls a hundredfold from length 1 to 1/100, but the orders may
  /// cancel at one of the long steps, so the largest of three counts; a wrong limit has order 0.
  static func order(_ errors: [Double]) -> Double {
    let long = errors[0..<3].max() ?? 0
    return long == 0 ? 1 : -logarithm(errors[3] / long) / logarithm(100)
  }

  @Test("P-141: the reduction ratio ρ → 1 as the step → 0")
  func reductionRatioTendsToOne() {
    property("P-141", .limit, oracle: "dgemm, order of convergence", over: Self.smooth, share: 0.5)
    { test, checks in
      let curvature = test.curvature
      let source = curvature.source
      let fisher = curvature.fisher
      let λ = 0.1 * floored(fisher)
      let step = try ExactFisher(curvature.samples).damped(.exact, λ).solve(curvature.gradient)
      let u = step.flattened
      guard u.norm > 0 else {
        checks.holds(curvature.gradient.norm == 0, "no step for no gradient")
        return
      }
      let outputs = source.network.forward(source.data.inputs).output
      let loss = LossGradient(source.network, source.data, source.likelihood).loss
      let slope = inner(curvature.gradient.flattened, u)
      let energy = inner(u, LAPACK.dgemm(fisher.addingToDiagonal(λ), u))
      // The longest step changes a pre-activation by about 0.1.
      let unit = 0.1 / (u.norm * (1 + source.data.inputs.maximumMagnitude))
      let errors = Self.lengths.map { length -> Double in
        let α = length * unit
        let outcome = StepOutcome(
          source.network, source.data, source.likelihood, outputs: outputs, loss: loss, step: step,
          blocks: Array(step.blocks.indices), length: α)
        return abs(outcome.decrease / (α * slope - 0.5 * α * α * energy) - 1)
      }
      // The decrease is a difference of two losses.
      let roundOff =
        exponentSensitivity(source.network, source.data.inputs) * (1 + abs(loss)) * .ulpOfOne
        / (0.01 * unit * slope)
      if errors[3] > 100 * roundOff {
        checks.bounded(Self.order(errors), atLeast: 0.5, "order")
      } else {
        checks.bounded(errors[3], atMost: 100 * roundOff, "round-off")
      }
    }
  }

  @Test("P-28: the divergence of a step is ½ α² uᵀFu in the limit")
  func divergenceTendsToTheModel() {
    property(
      "P-28", .limit, oracle: "dgemm, order of convergence",
      claim: "the divergence that a step causes → ½ α² uᵀFu", over: Self.smooth, share: 0.3
    ) { test, checks in
      let curvature = test.curvature
      let source = curvature.source
      let step = source.direction(seed: test.seed)
      let u = step.flattened
      let energy = inner(u, LAPACK.dgemm(curvature.fisher, u))
      let outputs = source.network.forward(source.data.inputs).output
      let unit = 0.1 / (u.norm * (1 + source.data.inputs.maximumMagnitude))
      let errors = Self.lengths.map { length -> Double in
        let α = length * unit
        let outcome = StepOutcome(
          source.network, source.data, source.likelihood, outputs: outputs, loss: 0, step: step,
          blocks: Array(step.blocks.indices), length: α)
        return abs(outcome.divergence / (0.5 * α * α * energy) - 1)
      }
      // A divergence is a sum of terms of the size of its root: outputs err by ε, their difference is
      // of the size of the step.
      let change = (0.01 * unit) * energy.squareRoot()
      let roundOff =
        exponentSensitivity(source.network, source.data.inputs) * .ulpOfOne / change
      if errors[3] > 100 * roundOff {
        checks.bounded(Self.order(errors), atLeast: 0.5, "order")
      } else {
        checks.bounded(errors[3], atMost: 100 * roundOff, "round-off")
      }
    }
  }
}
