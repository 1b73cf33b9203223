import Curvature
import DenseAlgebra
import Networks

/// How faithful approximations are, beside what their steps do to the loss, in one state.
public struct FidelityMeasurement: Sendable {
  /// An approximation by name with its damping rule.
  public struct Approximation: Hashable, Sendable {
    public let structure: StructureKind?
    public let rule: DampingRule

    /// Nil stands for the gradient itself.
    public init(_ structure: StructureKind?, _ rule: DampingRule) {
      self.structure = structure
      self.rule = rule
    }

    public var name: String { structure?.rawValue ?? "gradient" }

    /// From the exact Fisher to the bare gradient.
    public static let all: [Approximation] = [
      .init(.exact, .exact), .init(.blockDiagonal, .exact), .init(.blockTridiagonal, .pi),
      .init(.nearestKronecker, .exact), .init(.tkfac, .exact), .init(.ekfac, .exact),
      .init(.kfac, .exact), .init(.kfac, .pi), .init(.kfac, .sqrt), .init(.kfac, .factor),
      .init(.kfacSplit, .exact), .init(.kfacSplit, .pi), .init(.kfacSplit, .factor),
      .init(.unitWise, .exact), .init(.diagonal, .exact), .init(nil, .none),
    ]
  }

  /// How near an approximation is.
  public enum Fidelity: String, CaseIterable, Sendable {
    /// η against F + λI with the same λ.
    case efficiency = "eta"
    /// η against F + 0.01 I, for comparisons over different λ.
    case fixedEfficiency = "eta-at-0.01"
    /// −‖û − u‖_Fλ / ‖u‖_Fλ, so that larger is nearer.
    case fisherNorm = "minus-f-norm-error"
    /// −‖F̂ − F‖ / ‖F‖, undamped.
    case matrix = "minus-frobenius-error"
  }

  /// What the step does to the loss.
  public enum Outcome: String, CaseIterable, Sendable {
    case batchAtBest = "batch-at-best"
    case batchAtOne = "batch-at-1"
    case heldOutAtBest = "held-out-at-best"
    case heldOutAtOne = "held-out-at-1"
  }

  public struct Point: Sendable {
    public let approximation: Approximation
    public let lambda: Double
    public let fidelities: [Fidelity: Double]
    public let outcomes: [Outcome: Double]
    /// The length with the largest decrease on the batch.
    public let length: Double
  }

  public let points: [Point]

  /// The λ of the fidelity that compares over different λ.
  public static let fixedLambda = 0.01

  /// Measures every approximation at every λ.
  ///
  /// `decrease` gives h(θ) − h(θ − αû) on the batch and on other examples; the length for both is the
  /// best on the batch, or 1.
  public init(
    _ samples: GradientSamples, gradient: ParameterVector, fisher: DenseStructure,
    lambdas: [Double],
    decrease: (
      batch: (ParameterVector, Double) -> Double, heldOut: (ParameterVector, Double) -> Double
    )
  ) throws {
    var structures: [StructureKind: any Structure] = [.exact: fisher]
    structures[.blockDiagonal] = StepStudy.blocks(of: fisher)
    var errors: [StructureKind: Double] = [.exact: 0]
    for kind in Set(Approximation.all.compactMap(\.structure)) {
      let structure = try structures[kind] ?? kind.build(samples)
      structures[kind] = structure
      guard kind != .exact, let matrix = structure as? any MatrixStructure else { continue }
      let values = try MatrixReference(fisher.matrix)
        .metrics(of: matrix.dense(within: StepStudy.limit), includingSpectral: false)
      errors[kind] = StepStudy.value(.relativeFrobenius, in: values)
    }
    let fixed = DampedReference(
      try fisher.damped(.exact, FidelityMeasurement.fixedLambda), gradient: gradient)
    var points: [Point] = []
    for λ in lambdas {
      let reference = DampedReference(try fisher.damped(.exact, λ), gradient: gradient)
      for approximation in Approximation.all {
        var step = gradient
        if let kind = approximation.structure, let structure = structures[kind] {
          step =
            kind == .exact
            ? reference.step : try structure.damped(approximation.rule, λ).solve(gradient)
        }
        let values = reference.metrics(ofStep: step)
        guard let η = StepStudy.value(.efficiency, in: values),
          let error = StepStudy.value(.relativeFisherNorm, in: values),
          let start = StepStudy.value(.bestStepLength, in: values), start > 0, start.isFinite,
          let fixedη = StepStudy.value(.efficiency, in: fixed.metrics(ofStep: step))
        else { continue }
        var fidelities: [Fidelity: Double] = [
          .efficiency: η, .fixedEfficiency: fixedη, .fisherNorm: -error,
        ]
        if let kind = approximation.structure, let error = errors[kind] {
          fidelities[.matrix] = -error
        }
        let best = LineSearch.best(from: start) { decrease.batch(step, $0) }
        points.append(
          Point(
            approximation: approximation, lambda: λ, fidelities: fidelities,
            outcomes: [
              .batchAtBest: best.decrease, .batchAtOne: decrease.batch(step, 1),
              .heldOutAtBest: decrease.heldOut(step, best.length),
              .heldOutAtOne: decrease.heldOut(step, 1),
            ], length: best.length))
      }
    }
    self.points = points
  }

  /// Spearman's ρ of a fidelity with an outcome over some points; nil where it is not defined.
  public static func correlation(_ points: [Point], _ fidelity: Fidelity, _ outcome: Outcome)
    -> Double?
  {
    let pairs = points.compactMap { point -> (Double, Double)? in
      guard let x = point.fidelities[fidelity], let y = point.outcomes[outcome], x.isFinite,
        y.isFinite
      else { return nil }
      return (x, y)
    }
    return RankCorrelation.spearman(pairs.map(\.0), pairs.map(\.1))
  }
}
