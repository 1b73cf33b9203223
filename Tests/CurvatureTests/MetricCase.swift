import Curvature
import DenseAlgebra
import Networks
import TestSupport

/// A damped block F_λ, an approximation of it and a gradient, all of size one.
struct MetricCase: Sendable {
  let name: String
  /// F_λ and F̂_λ.
  let reference: Matrix
  let approximation: Matrix
  /// ∇h of the layer with norm 1; where it vanishes, a random vector.
  let gradient: Vector
  /// κ(F_λ) and κ(F̂_λ).
  let conditions: (reference: Double, approximation: Double)

  init(_ name: String, _ reference: Matrix, _ approximation: Matrix, _ gradient: Vector) throws {
    self.name = name
    self.reference = reference
    self.approximation = approximation
    self.gradient = gradient
    conditions = (try condition(reference), try condition(approximation))
  }

  var size: Int { reference.rowCount }

  /// Steps, cosines and energies are known to n ε times this: a solve errs by κ, and the energy of an
  /// error can be κ times its square.
  var stepSensitivity: Double {
    let κ = conditions.reference + conditions.approximation
    return κ * κ.squareRoot()
  }

  /// log w of a generalised eigenvalue is known to n ε times this: ‖F_λ‖‖F̂_λ⁻¹‖/w_min.
  func eigenvalueSensitivity(smallest: Double) throws -> Double {
    LAPACK.norm1(reference) * LAPACK.norm1(try LAPACK.dpotri(approximation)) / smallest
  }

  /// The same pair with all quantities transformed: TFTᵀ and T∇h.
  func moved(by t: Matrix) throws -> MetricCase {
    func congruent(_ m: Matrix) -> Matrix {
      LAPACK.dgemm(LAPACK.dgemm(t, m), t, transposeB: true).symmetrized
    }
    return try MetricCase(
      name, congruent(reference), congruent(approximation), LAPACK.dgemm(t, gradient))
  }

  /// The same pair with another approximation.
  func with(approximation other: Matrix) throws -> MetricCase {
    try MetricCase(name, reference, other, gradient)
  }

  /// Stein divergence, Riemannian distance and κ by the library.
  var spectralMetrics: [MetricValue] {
    get throws {
      DenseDampedReference.metrics(
        ofGeneralizedEigenvalues:
          try MatrixMetricTests.reference(reference).generalizedEigenvalues(with: approximation))
    }
  }

  /// The library's metrics of the step F̂_λ⁻¹∇h.
  var stepMetrics: [MetricValue] {
    get throws {
      let damped = try MatrixMetricTests.damped(reference)
      let measured = DampedReference(
        damped, gradient: ParameterVector(gradient, layout: damped.layout))
      let step = try LAPACK.dposv(approximation, gradient)
      return measured.metrics(ofStep: ParameterVector(step, layout: damped.layout))
    }
  }
}

extension NetworkCase {
  /// Each layer with one approximation and one damping of its own size, which the seed picks.
  func metricCases() throws -> [MetricCase] {
    let curvature = curvature
    return try layers.map { layer in
      let salt = UInt64(layer.index)
      // Of the larger of F and A ⊗ G: dead units can make F by far the smaller one.
      let λ =
        pick([1, 0.1, 1e-2], salt: salt)
        * (layer.productScale() < 1e-100 ? 1 : max(layer.scale, layer.productScale()))
      let unit = 1 / (floored(layer.fisher) + λ)
      let block = layer.samples
      let (damped, name): (any DampedStructure, String) =
        switch pick(Array(0..<8), salt: 100 + salt) {
        case 0: (try KroneckerBlock.kfac(block).damped(.pi, λ), "kfac pi")
        case 1: (try KroneckerBlock.kfac(block).damped(.exact, λ), "kfac exact")
        case 2: (try EigenbasisBlock.ekfac(block).damped(.exact, λ), "ekfac")
        case 3: (try KroneckerBlock.kfacSplit(block, split: 2).damped(.pi, λ), "split pi")
        case 4: (try KroneckerBlock.tkfac(block).damped(.pi, λ), "tkfac pi")
        case 5: (try DiagonalBlock(block).damped(.exact, λ), "diagonal")
        case 6: (try UnitWiseBlock(block).damped(.exact, λ), "unit-wise")
        default: (try KLKroneckerBlock(block).damped(.exact, λ), "kl")
        }
      var generator = Generator(seed: seed)
      var gradient = Vector(curvature.gradient.blocks[layer.index].storage)
      if gradient.norm < 1e-100 { gradient = generator.vector(layer.size) }
      return try MetricCase(
        "\(name), \(layer.name)", unit * layer.fisher.addingToDiagonal(λ),
        unit * (try damped.dense(within: .standard)).symmetrized,
        (1 / gradient.norm) * gradient)
    }
  }
}
