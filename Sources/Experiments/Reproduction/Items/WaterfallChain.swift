import Curvature
import DenseAlgebra
import Networks

/// The chain of approximations from the population's Fisher to the step that an optimizer takes.
public enum WaterfallChain {
  /// One link; each is added to all those before it.
  public enum Link: String, CaseIterable, Sendable {
    /// The batch's exact Fisher in place of the population's.
    case batch
    /// One drawn label for each example in place of the expectation over labels.
    case labels
    /// The layers' blocks alone.
    case blocks = "layer-blocks"
    /// A ⊗ G in place of each block.
    case kronecker
    /// Both factors cut to diagonal blocks (Eq. 10).
    case split
    /// The damping rule in place of F + λI.
    case damping = "damping-rule"
    /// Factors of an earlier step.
    case staleness
    /// Ten steps of conjugate gradients in place of the direct solve.
    case conjugateGradients = "cg-cut-off"

    /// What the link does, for captions.
    var name: String {
      switch self {
      case .batch: "batch for population"
      case .labels: "drawn labels"
      case .blocks: "layer blocks"
      case .kronecker: "Kronecker factors"
      case .split: "split"
      case .damping: "damping rule"
      case .staleness: "stale factors"
      case .conjugateGradients: "CG cut-off"
      }
    }
  }

  /// The step after one link of the chain, against the population's.
  public struct Point: Sendable {
    public let link: Link
    /// `exact` up to the split; then the rule of the chain.
    public let rule: DampingRule
    public let lambda: Double
    /// ‖û − u‖_Fλ / ‖u‖_Fλ with F the population's Fisher and u = F_λ⁻¹∇h.
    public let error: Double
    /// The error minus that of the chain without this link.
    public let increment: Double
    /// ‖û − û'‖_Fλ / ‖u‖_Fλ with û' the step without this link: at least |increment|.
    public let change: Double
    /// η.
    public let efficiency: Double
  }

  /// The batch's gradient as a stand-in for the population's, at one λ.
  public struct GradientError: Sendable {
    public let lambda: Double
    /// ‖F_λ⁻¹(∇h_batch − ∇h)‖_Fλ / ‖F_λ⁻¹∇h‖_Fλ, F and ∇h of the population.
    public let error: Double
    public let efficiency: Double
  }

  /// What the chain is measured on.
  public struct Setting: Sendable {
    public var network: Network
    public var batch: Dataset
    public var population: Dataset
    public var likelihood = Likelihood.categorical
    /// The seed of the drawn labels.
    public var labelSeed: UInt64 = 1
    public var split = 10
    /// Factors of an earlier step; nil leaves the link out.
    public var older: [KFACFactors]?
    public var lambdas: [Double]
    /// The rules with which the chain goes on after the split.
    public var rules: [DampingRule] = [.factor, .pi]
    public var iteration = ConjugateGradient(maximumIterations: 10)

    public init(network: Network, batch: Dataset, population: Dataset, lambdas: [Double]) {
      self.network = network
      self.batch = batch
      self.population = population
      self.lambdas = lambdas
    }
  }

  /// The factors of the drawn labels on a batch: what the chain's Kronecker link has.
  public static func factors(
    _ network: Network, _ batch: Dataset, _ likelihood: Likelihood, seed: UInt64
  ) -> [KFACFactors] {
    let samples = GradientSamples(
      network, batch, likelihood: likelihood, kind: .monteCarlo(samples: 1, seed: seed))
    return StepStudy.layers(samples).map { KFACFactors($0) }
  }

  /// The chain at every λ under every rule; the gradient is the batch's throughout.
  ///
  /// Reference: the specification, section 9 (F-norm error and η) with 4.6, 7.4 and 6.3 for the links.
  public static func measure(_ setting: Setting) throws -> (
    points: [Point], gradients: [GradientError]
  ) {
    func fisher(_ data: Dataset) throws -> DenseStructure {
      let samples = GradientSamples(
        setting.network, data, likelihood: setting.likelihood, kind: .exact)
      return DenseStructure(
        kind: .exact, layout: samples.layout,
        matrix: try ExactFisher(samples).dense(within: StepStudy.limit))
    }
    let population = try fisher(setting.population)
    let batch = try fisher(setting.batch)
    let drawn = GradientSamples(
      setting.network, setting.batch, likelihood: setting.likelihood,
      kind: .monteCarlo(samples: 1, seed: setting.labelSeed))
    let factors = StepStudy.layers(drawn).map { KFACFactors($0) }
    let layout = drawn.layout
    let gradient = LossGradient(setting.network, setting.batch, setting.likelihood).gradient
    let wholeGradient = LossGradient(setting.network, setting.population, setting.likelihood)
      .gradient
    let common: [(Link, any Structure)] = [
      (.batch, batch), (.labels, ExactFisher(drawn)),
      (.blocks, LayerwiseStructure(ExactFisher.blocks(of: drawn))),
      (.kronecker, StepStudy.kronecker(factors, layout, split: nil)),
      (.split, StepStudy.kronecker(factors, layout, split: setting.split)),
    ]
    var points: [Point] = []
    var gradients: [GradientError] = []
    for λ in setting.lambdas {
      let damped = try population.damped(.exact, λ)
      let reference = DampedReference(damped, gradient: gradient)
      var chain = Chain(reference: reference, lambda: λ)
      for (link, structure) in common {
        chain.add(link, .exact, try structure.damped(.exact, λ).solve(gradient))
      }
      points += chain.points
      for rule in setting.rules {
        var branch = chain
        branch.points = []
        var solver = try StepStudy.kronecker(factors, layout, split: setting.split)
          .damped(rule, λ)
        branch.add(.damping, rule, solver.solve(gradient))
        if let older = setting.older {
          solver = try StepStudy.kronecker(older, layout, split: setting.split).damped(rule, λ)
          branch.add(.staleness, rule, solver.solve(gradient))
        }
        branch.add(.conjugateGradients, rule, iterated(solver, gradient, setting.iteration))
        points += branch.points
      }
      let whole = DampedReference(damped, gradient: wholeGradient)
      let values = whole.metrics(ofStep: reference.step)
      if let error = StepStudy.value(.relativeFisherNorm, in: values),
        let efficiency = StepStudy.value(.efficiency, in: values)
      {
        gradients.append(GradientError(lambda: λ, error: error, efficiency: efficiency))
      }
    }
    return (points, gradients)
  }

  /// Conjugate gradients on each layer's damped matrix by itself.
  private static func iterated(
    _ damped: any DampedStructure, _ gradient: ParameterVector, _ iteration: ConjugateGradient
  ) -> ParameterVector {
    guard let parts = (damped as? DampedLayerwiseStructure)?.blocks else {
      preconditionFailure("the chain ends with layers of their own")
    }
    return ParameterVector(
      blocks: zip(parts, gradient.blocks).map { part, block in
        let solution = iteration.solve(DampedOperator(damped: part), Vector(block.storage))
        return Matrix(
          rowCount: block.rowCount, columnCount: block.columnCount,
          storage: solution.value.elements)
      })
  }

  /// The steps so far, and the last of them.
  private struct Chain {
    let reference: DampedReference
    let lambda: Double
    var points: [Point] = []
    var lastError = 0.0
    var lastStep: ParameterVector?

    mutating func add(_ link: Link, _ rule: DampingRule, _ step: ParameterVector) {
      let values = reference.metrics(ofStep: step)
      guard let error = StepStudy.value(.relativeFisherNorm, in: values),
        let efficiency = StepStudy.value(.efficiency, in: values)
      else { return }
      let moved = step - (lastStep ?? reference.step)
      let energy = max(moved.dot(reference.damped.apply(moved)), 0)
      let unit = reference.step.dot(reference.gradient)
      points.append(
        Point(
          link: link, rule: rule, lambda: lambda, error: error, increment: error - lastError,
          change: (energy / unit).squareRoot(), efficiency: efficiency))
      lastError = error
      lastStep = step
    }
  }
}

/// A damped matrix as an operator, for iterative solvers.
private struct DampedOperator: LinearOperator {
  let damped: any DampedStructure

  var rowCount: Int { damped.layout.count }
  var columnCount: Int { damped.layout.count }

  func apply(_ x: Vector) -> Vector {
    damped.apply(ParameterVector(x, layout: damped.layout)).flattened
  }
}
