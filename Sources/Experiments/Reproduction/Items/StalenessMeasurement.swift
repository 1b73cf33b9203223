import Curvature
import DenseAlgebra
import Networks

/// What a step loses by curvature of another moment, against fresh curvature of the same structure.
public struct StalenessMeasurement: Sendable {
  /// A structure with the rule it is damped by, and what of it is stale.
  public enum Method: String, CaseIterable, Sendable {
    /// A ⊗ G, factors stale, rule pi.
    case kfac
    /// THOR's split with the paper's rule, factors stale.
    case split = "kfac-split"
    /// Stale basis, second moments of the batch at hand.
    case ekfacFreshMoments = "ekfac, fresh moments"
    /// Basis and second moments stale.
    case ekfac = "ekfac, all stale"

    var rule: DampingRule {
      switch self {
      case .kfac: .pi
      case .split: .factor
      case .ekfacFreshMoments, .ekfac: .exact
      }
    }
  }

  public struct Point: Sendable {
    public let method: Method
    public let lambda: Double
    /// ‖û − u‖ / ‖u‖ in the norm of the fresh damped structure, u its step.
    public let error: Double
    /// η of the stale step against the exact Fisher of the batch, F + λI.
    public let staleEfficiency: Double
    /// η of the fresh step.
    public let freshEfficiency: Double

    /// η of the stale step divided by that of the fresh one; over 1 where the stale one is better.
    public var kept: Double { staleEfficiency / freshEfficiency }
  }

  public let points: [Point]

  /// Compares steps from the samples of another moment with those from fresh ones.
  ///
  /// `fresh` and `stale` are samples of the same layers; the gradient and `fisher`, the exact Fisher of
  /// all layers, are of the moment at hand.
  public init(
    fresh: GradientSamples, stale: GradientSamples, gradient: ParameterVector,
    references: [(lambda: Double, reference: DampedReference)], splitSize: Int = 10
  ) throws {
    let layers = (fresh: StepStudy.layers(fresh), stale: StepStudy.layers(stale))
    let factors = (
      fresh: layers.fresh.map { KFACFactors($0) }, stale: layers.stale.map { KFACFactors($0) }
    )
    func ekfac(_ samples: [LayerSamples], _ basis: [KFACFactors]) throws -> any Structure {
      LayerwiseStructure(
        try zip(samples, basis).map { samples, basis in
          try EigenbasisBlock.ekfac(
            samples, basisOf: (KroneckerFactor(basis.a), KroneckerFactor(basis.g)))
        })
    }
    func kronecker(_ factors: [KFACFactors], _ split: Int?) -> any Structure {
      StepStudy.kronecker(factors, fresh.layout, split: split)
    }
    let freshEKFAC = try ekfac(layers.fresh, factors.fresh)
    let structures: [(Method, fresh: any Structure, stale: any Structure)] = [
      (.kfac, kronecker(factors.fresh, nil), kronecker(factors.stale, nil)),
      (.split, kronecker(factors.fresh, splitSize), kronecker(factors.stale, splitSize)),
      (.ekfacFreshMoments, freshEKFAC, try ekfac(layers.fresh, factors.stale)),
      (.ekfac, freshEKFAC, try ekfac(layers.stale, factors.stale)),
    ]
    var points: [Point] = []
    for (λ, exact) in references {
      for (method, fresh, stale) in structures {
        let own = DampedReference(try fresh.damped(method.rule, λ), gradient: gradient)
        let step = try stale.damped(method.rule, λ).solve(gradient)
        guard
          let error = StepStudy.value(.relativeFisherNorm, in: own.metrics(ofStep: step)),
          let staleη = StepStudy.value(.efficiency, in: exact.metrics(ofStep: step)),
          let freshη = StepStudy.value(.efficiency, in: exact.metrics(ofStep: own.step))
        else { continue }
        points.append(
          Point(
            method: method, lambda: λ, error: error, staleEfficiency: staleη,
            freshEfficiency: freshη))
      }
    }
    self.points = points
  }

  /// ‖F' − F‖ / ‖F‖ of block-diagonal matrices, F the newer one.
  public static func drift(
    from old: LayerwiseStructure<DenseStructure>, to new: LayerwiseStructure<DenseStructure>
  ) -> Double {
    let sum = zip(old.blocks, new.blocks)
      .map { MatrixComparison(of: $0.matrix, with: $1.matrix) }.reduce(MatrixComparison(), +)
    return (sum.squaredDifference / sum.squaredReference).squareRoot()
  }

  /// How the paper's "changes rapidly in the first few iterations and then tends to be stable" fares.
  ///
  /// Reproduced: a late change below 10 %, less than half of the early one. In form only: less than
  /// half, but 10 % or more. Not found: anything else.
  public static func verdict(early: Double, late: Double) -> Claim.Verdict {
    guard late < early / 2 else { return .notFound }
    return late < 0.1 ? .reproduced : .inFormOnly
  }
}
