import DenseAlgebra
import Foundation
import Networks
import TestSupport
import Testing

/// Spec 10.2, P-24 … P-27 and P-36: which Fisher matrix reads the targets, and what the gradient has
/// to do with it.
@Suite("Fisher matrices, targets and the gradient")
struct FisherTargetTests {
  /// The same inputs with another target for every example.
  private func otherTargets(_ problem: RandomNetwork) -> Dataset {
    let targets: Targets
    switch problem.data.targets {
    case .labels(let labels):
      targets = .labels(labels.map { ($0 + 1) % problem.network.outputCount })
    case .values(let values):
      targets = .values(values.map { problem.likelihood == .bernoulli ? 1 - $0 : $0 + 1 })
    }
    return Dataset(name: "other", inputs: problem.data.inputs, targets: targets)
  }

  private func samples(
    _ problem: RandomNetwork, _ data: Dataset, _ kind: FisherKind
  ) -> GradientSamples {
    GradientSamples(problem.network, data, likelihood: problem.likelihood, kind: kind)
  }

  @Test("P-24: the exact and the Monte-Carlo Fisher do not read the labels")
  func theExactFisherIgnoresTheTargets() {
    property("P-24", .equal, oracle: "itself, other labels", over: NetworkCase.all) {
      value, checks in
      let problem = value.problem
      let other = otherTargets(problem)
      for kind in [FisherKind.exact, .monteCarlo(samples: 3, seed: value.seed)] {
        checks.holds(
          samples(problem, other, kind) == samples(problem, problem.data, kind),
          "the same bits, \(kind)")
      }
    }
  }

  @Test("P-24: the empirical Fisher depends on the labels")
  func theEmpiricalFisherReadsTheTargets() {
    property("P-24", .counterProperty, oracle: "itself, other labels", over: NetworkCase.generic) {
      value, checks in
      let problem = value.problem
      checks.different(
        samples(problem, otherTargets(problem), .empirical).fisher, problem.fisher(.empirical))
    }
  }

  @Test("P-25: the empirical Fisher is not the exact one")
  func theEmpiricalFisherIsAnotherMatrix() {
    property("P-25", .counterProperty, oracle: "the exact Fisher", over: NetworkCase.generic) {
      value, checks in
      let problem = value.problem
      checks.different(problem.fisher(.empirical), problem.fisher())
    }
  }

  /// The same problem with y = z under a Gaussian.
  private func interpolated(_ problem: RandomNetwork) -> Dataset {
    Dataset(
      name: "fitted", inputs: problem.data.inputs,
      targets: .values(problem.network.forward(problem.data.inputs).output))
  }

  @Test("P-26: at Gaussian interpolation the empirical Fisher vanishes")
  func theEmpiricalFisherVanishesAtInterpolation() {
    property("P-26", .equal, oracle: "closed form", over: NetworkCase.gaussian) { value, checks in
      let problem = value.problem
      let fisher = samples(problem, interpolated(problem), .empirical).fisher
      checks.holds(fisher.maximumMagnitude == 0, "F̃ = 0, exactly")
    }
  }

  @Test("P-26: and the exact one does not")
  func theExactFisherStaysAtInterpolation() {
    let generic = NetworkCase.generic.with { $0.likelihood = .gaussian(variance: 0.7) }
    property("P-26", .counterProperty, oracle: "the empirical Fisher", over: generic) {
      value, checks in
      let problem = value.problem
      let fitted = interpolated(problem)
      let exact = samples(problem, fitted, .exact).fisher
      checks.different(exact, samples(problem, fitted, .empirical).fisher)
      checks.holds(exact == problem.fisher(), "F itself is unchanged, bit for bit")
    }
  }

  /// Central differences of the gradient along δ tend to Fδ.
  @Test("P-27: with zero residual the Hessian is the exact Fisher, differences err by O(h²)")
  func atInterpolationTheHessianIsTheExactFisher() {
    let cases = NetworkCase.gaussian.filter(\.isOffTheKinks)
    property("P-27", .limit, oracle: "central differences of the gradient", over: cases) {
      value, checks in
      let problem = value.problem
      let fitted = interpolated(problem)
      let fisher = problem.fisher()
      let direction = problem.direction(seed: value.seed + 2)
      let exact = LAPACK.dgemm(fisher, direction.flattened)
      let (step, change, magnitude) = problem.step(along: direction, within: 0x1p-8)
      func slope(_ h: Double) -> Vector {
        let ends = [h, -h].map {
          LossGradient(
            problem.network.adding(direction, scale: $0), fitted, problem.likelihood
          ).gradient.flattened
        }
        return (1 / (2 * h)) * (ends[0] - ends[1])
      }
      // A residual rounds by ε of the outputs and comes back through ‖J‖ = √(σ² tr F); the next term
      // is of fifth order in the change of the values.
      let fifth = 64 * change * change * change * change * change
      checks.order(
        2, wide: slope(2 * step), narrow: slope(step), limit: exact,
        floor: (128 * .ulpOfOne * magnitude + fifth) * fisher.trace.squareRoot() / step)
    }
  }

  /// With these weights: for the empirical samples 1/N each; for the exact ones w with Sₙwₙ = vₙ, that
  /// is −e_y/√p_y, (z − y)/σ, and (q − y)/√(q(1 − q)) = ∓exp(∓z/2). Exponentials are known to |z|ε.
  @Test("P-36: ∇h is in the range of the exact and of the empirical Fisher")
  func theGradientIsACombinationOfTheColumns() {
    property("P-36", .equal, oracle: "closed form", over: NetworkCase.exact) { value, checks in
      let problem = value.problem
      let count = problem.data.count
      let gradient = LossGradient(problem.network, problem.data, problem.likelihood).gradient
      let exactWeights = rangeWeights(problem)
      let ones = Vector(repeating: 1, count: count)
      for (kind, weights) in [(FisherKind.exact, exactWeights), (.empirical, ones)] {
        let u = samples(problem, problem.data, kind).parameterGradients
        let combined = (1 / Double(count)) * LAPACK.dgemm(u, weights)
        let largest = weights.elements.map(\.magnitude).max() ?? 0
        checks.ratio(
          Ratio(
            Matrix(column: combined), against: Matrix(column: gradient.flattened),
            size: u.columnCount, scale: LAPACK.norm1(u) * largest
          ).over(condition: kind == .exact ? 1 + problem.largestOutput : 1), "\(kind)")
      }
    }
  }

  private func rangeWeights(_ problem: RandomNetwork) -> Vector {
    let outputs = problem.network.forward(problem.data.inputs).output
    let losses = problem.likelihood.losses(outputs, problem.data.targets)
    let weights = Matrix(rowCount: outputs.columnCount, columnCount: outputs.rowCount) { n, c in
      switch (problem.likelihood, problem.data.targets) {
      case (.categorical, .labels(let labels)): labels[n] == c ? -exp(losses[n] / 2) : 0
      case (.gaussian(let variance), .values(let y)):
        (outputs[c, n] - y[c, n]) / variance.squareRoot()
      case (.bernoulli, .values(let y)):
        y[c, n] == 0 ? exp(outputs[c, n] / 2) : -exp(-outputs[c, n] / 2)
      default: preconditionFailure("targets of the wrong kind")
      }
    }
    return Vector(weights.storage)
  }

  /// Weight decay adds ηθ, which the columns do not span when there are fewer of them than parameters.
  @Test("P-36: with weight decay it is not")
  func theGradientWithWeightDecayIsNotInTheRange() {
    let generic = NetworkCase.generic.filter {
      let problem = $0.problem
      return 2 * problem.data.count * problem.network.outputCount < problem.network.layout.count
    }
    property("P-36", .counterProperty, oracle: "dgesvd", over: generic) { value, checks in
      let problem = value.problem
      let u = samples(problem, problem.data, .exact).parameterGradients
      let gradient = LossGradient(problem.network, problem.data, problem.likelihood).gradient
      let decayed = gradient.flattened + 0.1 * problem.network.parameterVector.flattened
      let svd = try LAPACK.dgesvd(u)
      let rank = svd.values.elements.count { $0 > 1e-12 * svd.values[0] }
      let basis = svd.left.block(rows: 0..<u.rowCount, columns: 0..<rank)
      let projected = LAPACK.dgemm(basis, LAPACK.dgemm(basis, decayed, transposeA: true))
      checks.different(projected, decayed)
    }
  }
}
