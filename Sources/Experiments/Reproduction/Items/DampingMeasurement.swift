import Curvature
import DenseAlgebra
import Networks

/// The five damping rules on the same Kronecker factors, judged against exact curvatures and the loss.
public struct DampingMeasurement: Sendable {
  /// What λ the reference F + λI has.
  public enum ReferenceDamping: Hashable, Sendable {
    /// The rule's own λ, so that at a large λ both sides are gradient descent.
    case same
    /// A λ of its own, so that the rule's λ can be chosen for it.
    case fixed(Double)
  }

  /// One step against one reference.
  public struct Point: Sendable {
    public let rule: DampingRule
    /// The rule's λ; of no meaning for `none`.
    public let lambda: Double
    /// `full` or `blocks`.
    public let reference: Reference
    public let damping: ReferenceDamping
    public let efficiency: Double
    public let fisherCosine: Double
    public let lengthRatio: Double
  }

  /// The loss decrease that a step reaches at its best length.
  public struct Decrease: Sendable {
    public let rule: DampingRule
    public let lambda: Double
    /// On the batch that the step is of.
    public let batch: Double
    /// On other examples, at the length that was best for the batch.
    public let heldOut: Double
  }

  public let points: [Point]
  public let decreases: [Decrease]

  /// Measures every rule at every λ on KFAC's factors of one batch.
  ///
  /// `decrease` gives the loss decreases (batch, held out) of a step at a length; nil leaves the loss out.
  public init(
    _ samples: GradientSamples, gradient: ParameterVector, fisher: DenseStructure,
    lambdas: [Double], fixed: [Double],
    decrease: (
      batch: (ParameterVector, Double) -> Double, heldOut: (ParameterVector, Double) -> Double
    )? = nil
  ) throws {
    let kfac = LayerwiseStructure(StepStudy.layers(samples).map { KroneckerBlock.kfac($0) })
    let blocks = StepStudy.blocks(of: fisher)
    func references(_ λ: Double) throws -> [(Reference, DampedReference)] {
      [
        (.full, DampedReference(try fisher.damped(.exact, λ), gradient: gradient)),
        (.blocks, DampedReference(try blocks.damped(.exact, λ), gradient: gradient)),
      ]
    }
    let fixedReferences = try fixed.map { (ReferenceDamping.fixed($0), try references($0)) }
    let first = fixed.min().map(ReferenceDamping.fixed) ?? .same
    var points: [Point] = []
    var decreases: [Decrease] = []
    for λ in lambdas {
      let targets = fixedReferences + [(.same, try references(λ))]
      for rule in DampingRule.allCases {
        let step = try kfac.damped(rule, λ).solve(gradient)
        var start = 1.0
        for (damping, pair) in targets {
          for (reference, target) in pair {
            let values = target.metrics(ofStep: step)
            guard let efficiency = StepStudy.value(.efficiency, in: values),
              let cosine = StepStudy.value(.fisherCosine, in: values),
              let ratio = StepStudy.value(.lengthRatio, in: values),
              let best = StepStudy.value(.bestStepLength, in: values)
            else { continue }
            // The reference with the least damping gives the longest first guess.
            if damping == first && reference == .full && best > 0 && best.isFinite { start = best }
            points.append(
              Point(
                rule: rule, lambda: λ, reference: reference, damping: damping,
                efficiency: efficiency, fisherCosine: cosine, lengthRatio: ratio))
          }
        }
        if let decrease {
          let best = LineSearch.best(from: start) { decrease.batch(step, $0) }
          decreases.append(
            Decrease(
              rule: rule, lambda: λ, batch: best.decrease,
              heldOut: decrease.heldOut(step, best.length)))
        }
      }
    }
    self.points = points
    self.decreases = decreases
  }

  /// The λ with the largest value, and that value; the smaller λ of two that tie.
  public static func best(_ values: [(lambda: Double, value: Double)]) -> (
    lambda: Double, value: Double
  )? {
    values.max { ($0.value, -$0.lambda) < ($1.value, -$1.lambda) }
  }
}
