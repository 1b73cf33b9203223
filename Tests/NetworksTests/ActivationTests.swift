import DenseAlgebra
import Networks
import Testing

@Suite("Activations")
struct ActivationTests {
  /// s, tanh with derivative, logistic with derivative, softplus (whose derivative is the logistic),
  /// from mpmath 1.3.0 with 1300 digits: tanh s, 1 − tanh² s, σ = 1/(1 + e⁻ˢ), σ(1 − σ), log(1 + eˢ).
  static let table: [(s: Double, tanh: [Double], logistic: [Double], softplus: Double)] = [
    (-700.0, [-1.0, 0.0], [9.85967654375977e-305, 9.85967654375977e-305], 9.85967654375977e-305),
    (
      -40.0, [-1.0, 7.219405551381661e-35], [4.248354255291589e-18, 4.248354255291589e-18],
      4.248354255291589e-18
    ),
    (
      -20.0, [-1.0, 1.6993417021166355e-17], [2.0611536181902037e-09, 2.061153613941849e-09],
      2.061153620314381e-09
    ),
    (
      -1.0, [-0.7615941559557649, 0.4199743416140261], [0.2689414213699951, 0.19661193324148185],
      0.3132616875182228
    ),
    (
      -9.313225746154785e-10, [-9.313225746154785e-10, 1.0], [0.49999999976716936, 0.25],
      0.693147180094284
    ),
    (0.0, [0.0, 1.0], [0.5, 0.25], 0.6931471805599453),
    (
      9.313225746154785e-10, [9.313225746154785e-10, 1.0], [0.5000000002328306, 0.25],
      0.6931471810256066
    ),
    (
      0.5, [0.46211715726000974, 0.7864477329659274], [0.6224593312018546, 0.2350037122015945],
      0.9740769841801067
    ),
    (
      1.0, [0.7615941559557649, 0.4199743416140261], [0.7310585786300049, 0.19661193324148185],
      1.3132616875182228
    ),
    (
      20.0, [1.0, 1.6993417021166355e-17], [0.9999999979388464, 2.061153613941849e-09],
      20.000000002061153
    ),
    (40.0, [1.0, 7.219405551381661e-35], [1.0, 4.248354255291589e-18], 40.0),
    (300.0, [1.0, 1.0601586212017243e-260], [1.0, 5.148200222412013e-131], 300.0),
    (700.0, [1.0, 0.0], [1.0, 9.85967654375977e-305], 700.0),
  ]

  @Test func keepFullRelativeAccuracyInBothTails() {
    for (s, tanh, logistic, softplus) in Self.table {
      func check(_ activation: Activation, _ expected: [Double]) {
        expectEntrywise(
          [activation.value(s), activation.derivative(s)], expected, ulps: 4,
          "\(activation) at \(s)")
      }
      check(.tanh, tanh)
      check(.logistic, logistic)
      check(.softplus, [softplus, logistic[0]])
      check(.identity, [s, 1])
      check(.relu, s > 0 ? [s, 1] : [0, 0])
    }
  }

  @Test func reluHasDerivativeZeroAtItsKink() {
    #expect(Activation.relu.derivative(0) == 0)
    #expect(Activation.relu.derivative(-0.0) == 0)
    #expect(Activation.relu.derivative(.leastNonzeroMagnitude) == 1)
  }

  @Test(arguments: Activation.allCases) func notANumberStaysNotANumber(_ activation: Activation) {
    #expect(activation.value(.nan).isNaN)
    if activation != .identity { #expect(activation.derivative(.nan).isNaN) }
  }
}
