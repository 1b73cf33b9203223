import DataFiles
import DenseAlgebra
import TestSupport
import Testing
import Verification

/// How close one array came to the certified one.
struct VectorComparison: CustomStringConvertible {
  /// What agreement means.
  enum Rule {
    /// Every bit (−0 is 0).
    case bits
    /// A mean of exact numbers of which the file holds the sum: times the divisor and rounded to the
    /// grid of the sum, every bit of the sum; and the ratio, with n = κ = 1.
    case sum(divisor: Int)
    /// ‖x − r‖ ≤ 30 n κ ε ‖r‖ in the Frobenius norm.
    case ratio(size: Int, condition: Double)
    /// The same for every entry by itself.
    case entries(size: Int, condition: Double)
  }

  static let limit = 30.0
  /// The residual in units of n κ ε; 0 where bits agree, and infinite where they differ.
  let ratio: Double
  let description: String

  init(_ actual: [Double], _ stored: NumericArray, _ rule: Rule) {
    guard actual.count == stored.elements.count else {
      ratio = .infinity
      description = "\(actual.count) numbers for the shape \(stored.shape)"
      return
    }
    var expected = stored.elements
    let unit: Double
    var isExact = true
    switch rule {
    case .bits:
      unit = .ulpOfOne
      isExact = actual == expected
    case .sum(let divisor):
      unit = .ulpOfOne
      isExact = VectorComparison.sums(actual, divisor, like: expected) == expected
      expected = expected.map { $0 / Double(divisor) }
    case .ratio(let size, let condition), .entries(let size, let condition):
      unit = Double(size) * condition * .ulpOfOne
    }
    let relative: Double
    if case .entries = rule {
      relative = zip(actual, expected).reduce(0) { worst, pair in
        let (x, r) = pair
        let error = x == r ? 0 : ((x - r) / r).magnitude
        return error.isNaN || worst.isNaN ? .nan : max(worst, error)
      }
    } else {
      relative = VectorComparison.relativeDifference(actual, expected)
    }
    ratio = isExact ? relative / unit : .infinity
    let worst =
      actual.indices.max {
        (actual[$0] - expected[$0]).magnitude < (actual[$1] - expected[$1]).magnitude
      } ?? 0
    description =
      actual.isEmpty
      ? "no numbers"
      : "ratio \(ratio), limit \(Self.limit); worst at \(worst) of \(stored.shape): "
        + "expected \(expected[worst]), got \(actual[worst])"
  }

  /// ‖x − r‖/‖r‖, both divided by the largest |r| first: squares of 1e-200 would be zero. With r = 0
  /// only x = 0 agrees.
  static func relativeDifference(_ actual: [Double], _ expected: [Double]) -> Double {
    let scale = expected.reduce(0) { max($0, $1.magnitude) }
    guard scale > 0 else { return actual.allSatisfy { $0 == 0 } ? 0 : .infinity }
    let difference = Vector(zip(actual, expected).map { $0 / scale - $1 / scale })
    return difference.norm / Vector(expected.map { $0 / scale }).norm
  }

  /// Our means as sums, on the grid 2⁻ᵖ that the stored sums lie on.
  ///
  /// A mean off by a few ε returns to its sum if the sum needs fewer than about 48 bits.
  private static func sums(_ means: [Double], _ divisor: Int, like stored: [Double]) -> [Double] {
    var grid = 1.0
    while stored.contains(where: { ($0 * grid).rounded() != $0 * grid }) { grid *= 2 }
    let largest = stored.reduce(0) { max($0, $1.magnitude) }
    #expect(largest * grid < 0x1p48)
    return means.map { ($0 * Double(divisor) * grid).rounded() / grid }
  }
}
