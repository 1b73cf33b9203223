import DenseAlgebra
import Foundation

/// The normal distribution with mean μ and standard deviation σ, fitted to data by maximum likelihood.
struct NormalFit {
  /// What is known of the data: its mean and its variance.
  let dataMean, dataVariance: Double

  /// Four ways of writing the same distribution as two numbers.
  enum Coordinates: String, CaseIterable {
    case deviation = "(μ, σ)"
    case logarithm = "(μ, log σ)"
    case variance = "(μ, σ²)"
    case natural = "(μ/σ², −1/(2σ²))"
  }

  /// KL(p ‖ q) of two normal distributions, each (μ, σ).
  static func divergence(
    _ p: (mean: Double, deviation: Double), _ q: (mean: Double, deviation: Double)
  )
    -> Double
  {
    let ratio = p.deviation / q.deviation
    let shift = (p.mean - q.mean) / q.deviation
    return 0.5 * (ratio * ratio - 1 + shift * shift) - log(ratio)
  }

  /// The gradient of the mean loss in each kind of coordinates, at (μ, σ).
  func gradient(_ coordinates: Coordinates, mean μ: Double, deviation σ: Double) -> Vector {
    let v = σ * σ
    let s = dataVariance + (dataMean - μ) * (dataMean - μ)  // E(y − μ)²
    switch coordinates {
    case .deviation: return Vector([(μ - dataMean) / v, 1 / σ - s / (v * σ)])
    case .logarithm: return Vector([(μ - dataMean) / v, 1 - s / v])
    case .variance: return Vector([(μ - dataMean) / v, 0.5 / v - 0.5 * s / (v * v)])
    case .natural:  // expectations of the model minus those of the data, of y and y²
      return Vector([μ - dataMean, μ * μ + v - dataVariance - dataMean * dataMean])
    }
  }

  /// The Fisher matrix in each kind of coordinates, each from its own formula.
  static func fisher(_ coordinates: Coordinates, mean μ: Double, deviation σ: Double) -> Matrix {
    let v = σ * σ
    switch coordinates {
    case .deviation: return .diagonal([1 / v, 2 / v])
    case .logarithm: return .diagonal([1 / v, 2])
    case .variance: return .diagonal([1 / v, 0.5 / (v * v)])
    case .natural:  // the covariance of y and y²
      return Matrix(rows: [[v, 2 * μ * v], [2 * μ * v, 4 * μ * μ * v + 2 * v * v]])
    }
  }

  /// The Hessian of the mean loss in each kind of coordinates.
  func hessian(_ coordinates: Coordinates, mean μ: Double, deviation σ: Double) -> Matrix {
    let v = σ * σ
    let s = dataVariance + (dataMean - μ) * (dataMean - μ)
    let shift = μ - dataMean
    switch coordinates {
    case .deviation:
      let mixed = -2 * shift / (v * σ)
      return Matrix(rows: [[1 / v, mixed], [mixed, -1 / v + 3 * s / (v * v)]])
    case .logarithm:
      return Matrix(rows: [[1 / v, -2 * shift / v], [-2 * shift / v, 2 * s / v]])
    case .variance:
      let mixed = -shift / (v * v)
      return Matrix(rows: [[1 / v, mixed], [mixed, -0.5 / (v * v) + s / (v * v * v)]])
    case .natural: return NormalFit.fisher(.natural, mean: μ, deviation: σ)
    }
  }

  /// ∂(coordinates)/∂(μ, σ).
  static func jacobian(_ coordinates: Coordinates, mean μ: Double, deviation σ: Double) -> Matrix {
    let v = σ * σ
    switch coordinates {
    case .deviation: return .identity(2)
    case .logarithm: return .diagonal([1, 1 / σ])
    case .variance: return .diagonal([1, 2 * σ])
    case .natural: return Matrix(rows: [[1 / v, -2 * μ / (v * σ)], [0, 1 / (v * σ)]])
    }
  }

  /// (μ, σ) after a step in the coordinates.
  static func moved(
    _ coordinates: Coordinates, mean μ: Double, deviation σ: Double, by step: Vector
  ) -> (mean: Double, deviation: Double) {
    switch coordinates {
    case .deviation: return (μ + step[0], σ + step[1])
    case .logarithm: return (μ + step[0], σ * exp(step[1]))
    case .variance: return (μ + step[0], (σ * σ + step[1]).squareRoot())
    case .natural:
      let first = μ / (σ * σ) + step[0]
      let second = -0.5 / (σ * σ) + step[1]
      return (-0.5 * first / second, (-0.5 / second).squareRoot())
    }
  }

  enum Method: String, CaseIterable {
    case gradient
    case newton = "Newton"
    case natural = "natural gradient"
  }

  /// The direction of descent of a method, in the coordinates.
  func direction(
    _ method: Method, _ coordinates: Coordinates, mean μ: Double, deviation σ: Double
  ) throws -> Vector {
    let gradient = gradient(coordinates, mean: μ, deviation: σ)
    switch method {
    case .gradient: return -gradient
    case .newton:
      return try LUFactorization(hessian(coordinates, mean: μ, deviation: σ)).solve(-gradient)
    case .natural:
      // lesson: natural-direction
      let fisher = NormalFit.fisher(coordinates, mean: μ, deviation: σ)
      return try CholeskyFactorization(fisher).solve(-gradient)
    // end lesson
    }
  }
}

/// A loss with a bent valley that is a likelihood: data (1, 0) with mean (a, k(b − a²)), variance one.
struct BentValley {
  static let stiffness = 4.0
  static let start = Vector([-1.2, 1])

  static func mean(_ θ: Vector) -> Vector {
    Vector([θ[0], stiffness * (θ[1] - θ[0] * θ[0])])
  }

  /// The inverse of ``mean(_:)``.
  static func parameters(_ mean: Vector) -> Vector {
    Vector([mean[0], mean[1] / stiffness + mean[0] * mean[0]])
  }

  /// ½‖mean − (1, 0)‖².
  static func loss(_ θ: Vector) -> Double {
    let m = mean(θ)
    return 0.5 * ((m[0] - 1) * (m[0] - 1) + m[1] * m[1])
  }

  static func jacobian(_ θ: Vector) -> Matrix {
    Matrix(rows: [[1, 0], [-2 * stiffness * θ[0], stiffness]])
  }

  static func gradient(_ θ: Vector) -> Vector {
    let m = mean(θ)
    return jacobian(θ).transposedTimes(Vector([m[0] - 1, m[1]]))
  }

  /// JᵀJ: the Fisher matrix of two normal observations of variance one.
  static func fisher(_ θ: Vector) -> Matrix { jacobian(θ).gram }

  /// The Fisher matrix and the curvature of the mean, weighted with the residual.
  static func hessian(_ θ: Vector) -> Matrix {
    var hessian = fisher(θ)
    hessian[0, 0] -= 2 * stiffness * mean(θ)[1]
    return hessian
  }

  static func direction(_ method: NormalFit.Method, _ θ: Vector) throws -> Vector {
    let gradient = gradient(θ)
    switch method {
    case .gradient: return -gradient
    case .newton: return try LUFactorization(hessian(θ)).solve(-gradient)
    case .natural: return try CholeskyFactorization(fisher(θ)).solve(-gradient)
    }
  }

  /// The path of very small steps, about so many points at equal distances of the plane (a, b).
  static func path(_ method: NormalFit.Method, points count: Int) throws -> [Vector] {
    // Runge and Kutta's rule of fourth order; time runs until the loss is 1e-7.
    let step = method == .gradient ? 2e-3 : 1e-3
    var all = [start]
    while loss(all[all.count - 1]) > 1e-7 && all.count < 200_000 {
      let θ = all[all.count - 1]
      let k1 = try direction(method, θ)
      let k2 = try direction(method, θ + (step / 2) * k1)
      let k3 = try direction(method, θ + (step / 2) * k2)
      let k4 = try direction(method, θ + step * k3)
      all.append(θ + (step / 6) * (k1 + 2 * k2 + 2 * k3 + k4))
    }
    var lengths = [0.0]
    for (a, b) in zip(all, all.dropFirst()) {
      lengths.append(lengths[lengths.count - 1] + (b - a).norm)
    }
    let total = lengths[lengths.count - 1]
    return (0..<count).map { index in
      let wanted = total * Double(index) / Double(count - 1)
      return all[lengths.firstIndex { $0 >= wanted } ?? all.count - 1]
    }
  }

  /// Steps until the loss is below a bound; every step is halved until it lowers the loss enough.
  static func stepCount(_ method: NormalFit.Method, below bound: Double) throws -> Int {
    var θ = start
    for count in 0..<100_000 {
      if loss(θ) < bound { return count }
      let d = try direction(method, θ)
      let slope = gradient(θ).dot(d)
      var length = 1.0
      while loss(θ + length * d) > loss(θ) + 1e-4 * length * slope && length > 1e-12 { length /= 2 }
      θ.add(length, times: d)
    }
    return 100_000
  }

  /// The largest distance of points from the line between the first and the last, over its length.
  static func bend(_ points: [Vector]) -> Double {
    let (a, b) = (points[0], points[points.count - 1])
    let chord = (1 / (b - a).norm) * (b - a)
    let distances = points.map { point -> Double in
      let offset = point - a
      return (offset - offset.dot(chord) * chord).norm
    }
    return (distances.max() ?? 0) / (b - a).norm
  }
}
