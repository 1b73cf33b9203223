import DenseAlgebra
import Networks
import RealModule

/// A damped reference F_λ = F + λI with the exact step u = F_λ⁻¹∇h and its energy, computed once.
///
/// Only products and solves with F_λ are needed for steps, so a reference may be matrix-free.
/// Reference: the specification, section 9.
public struct DampedReference: Sendable {
  /// F_λ.
  public let damped: any DampedStructure
  /// ∇h, the mean gradient.
  public let gradient: ParameterVector
  /// u = F_λ⁻¹ ∇h.
  public let step: ParameterVector
  private let stepNorm: Double
  /// uᵀ F_λ u = ∇hᵀ u.
  private let stepEnergy: Double

  public init(_ damped: any DampedStructure, gradient: ParameterVector) {
    self.damped = damped
    self.gradient = gradient
    self.step = damped.solve(gradient)
    self.stepNorm = step.norm
    self.stepEnergy = gradient.dot(step)
  }

  /// The step metrics of an approximate step û; empty where a step is zero and no angle exists.
  public func metrics(ofStep approximate: ParameterVector) -> [MetricValue] {
    let energy = approximate.dot(damped.apply(approximate))
    guard stepEnergy > 0, energy > 0 else { return [] }
    let slope = gradient.dot(approximate)
    let difference = approximate - step
    // ûᵀ F_λ u = ûᵀ ∇h.
    let fisherCosine = slope / (energy * stepEnergy).squareRoot()
    let best = slope / energy
    return [
      MetricValue(.cosine, approximate.dot(step) / (approximate.norm * stepNorm)),
      MetricValue(.fisherCosine, fisherCosine),
      MetricValue(.efficiency, fisherCosine * fisherCosine),
      MetricValue(.lengthRatio, approximate.norm / stepNorm),
      MetricValue(
        .relativeFisherNorm,
        (max(difference.dot(damped.apply(difference)), 0) / stepEnergy).squareRoot()),
      MetricValue(.bestStepLength, best),
      MetricValue(.predictedDecreaseAtBest, 0.5 * best * slope),
    ]
  }
}

/// A damped reference as a dense matrix with its inverse, for the metrics of damped matrices.
public struct DenseDampedReference: Sendable {
  /// F_λ.
  public let matrix: Matrix
  /// F_λ⁻¹.
  public let inverse: Matrix
  private let inverseNorm: Double

  /// Forms both; throws `exceedsMemory` over the limit.
  public init(_ damped: any DampedStructure, within limit: MemoryLimit) throws(CurvatureError) {
    self.matrix = try damped.dense(within: limit)
    self.inverse = try damped.denseInverse(within: limit)
    self.inverseNorm = inverse.frobeniusNorm
  }

  /// ‖F̂_λ⁻¹ − F_λ⁻¹‖_F / ‖F_λ⁻¹‖_F.
  public func relativeInverseError(of approximateInverse: Matrix) -> MetricValue {
    MetricValue(
      .relativeInverseFrobenius, (approximateInverse - inverse).frobeniusNorm / inverseNorm)
  }

  /// ‖F̂_λ⁻¹ F_λ − I‖_F.
  public func inverseResidual(of approximateInverse: Matrix) -> MetricValue {
    MetricValue(
      .inverseResidual, (approximateInverse * matrix).addingToDiagonal(-1).frobeniusNorm)
  }

  /// The generalised eigenvalues w of (F_λ, F̂_λ), ascending: those of L̂⁻¹ F_λ L̂⁻ᵀ with F̂_λ = L̂ L̂ᵀ.
  ///
  /// Throws `notPositiveDefinite` where the approximation has no Cholesky factor.
  public func generalizedEigenvalues(with approximation: Matrix) throws(CurvatureError) -> Vector {
    let lower: Matrix
    do {
      lower = try CholeskyFactorization(approximation).lower
    } catch {
      throw CurvatureError.notPositiveDefinite(
        block: "the approximation", size: error.size, pivot: error.pivot, value: error.value)
    }
    let half = lower.solvingLower(matrix)
    let whole = lower.solvingLower(half.transposed)
    do {
      return try SymmetricEigendecomposition.values(of: whole.symmetrized)
    } catch {
      throw CurvatureError.iterationLimit(
        what: "the generalised eigenvalues", limit: error.limit)
    }
  }

  /// Stein divergence, Riemannian distance and κ from the generalised eigenvalues.
  ///
  /// Empty where an eigenvalue is not positive, which rounding can cause at a large condition number.
  public static func metrics(ofGeneralizedEigenvalues w: Vector) -> [MetricValue] {
    guard let smallest = w.elements.first, let largest = w.elements.last, smallest > 0 else {
      return []
    }
    // w − 1 − log w = δ − log(1 + δ) with δ = w − 1 loses nothing near w = 1.
    let stein = w.elements.reduce(0) { $0 + (($1 - 1) - Double.log(onePlus: $1 - 1)) }
    let squares = w.elements.reduce(0) { $0 + Double.log($1) * Double.log($1) }
    return [
      MetricValue(.stein, stein),
      MetricValue(.affineInvariant, squares.squareRoot()),
      MetricValue(.spectralRatio, largest / smallest),
    ]
  }
}
