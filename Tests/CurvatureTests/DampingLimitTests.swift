import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// What a damped step tends to for large and for small λ, and at which rate (spec 4.6).
@Suite("Limits of the damping")
struct DampingLimitTests {
  @Test("P-67: at large λ the step tends to V/λ (D1, D3, D4) or V/λ² (D2)")
  func largeDampingIsGradientDescent() {
    property("P-67", .limit, oracle: "order in 1/λ", over: FactorCase.positiveDefinite) {
      test, checks in
      let block = DampingTests.block(test)
      let v = ParameterVector(blocks: [test.rightHandSide])
      let (a, g) = (LAPACK.norm1(test.a.matrix), LAPACK.norm1(test.g.matrix))
      let traces = test.a.matrix.trace * test.g.matrix.trace
      for rule in [DampingRule.sqrt, .factor, .pi, .exact] {
        // The shift of a factor, 1000 times the factor: √λ (D1, D3 balanced), λ (D2), and λ against
        // A ⊗ G (D4). The error is of first order in its inverse.
        func λ(_ factor: Double) -> Double {
          switch rule {
          case .sqrt: factor * factor * max(a, g) * max(a, g)
          case .pi: factor * factor * traces
          case .factor: factor * max(a, g)
          case .exact, .none: factor * a * g
          }
        }
        func error(_ factor: Double) throws -> Double {
          let scale = rule == .factor ? λ(factor) * λ(factor) : λ(factor)
          return (scale * (try block.damped(rule, λ(factor)).solve(v)) - v).norm / v.norm
        }
        let (first, second) = (try error(1e3), try error(1e4))
        // e(x) = c x (1 + O(x)), x = 1e-3 and 1e-4: the order is known to a few 1e-3.
        let order = (logarithm(first) - logarithm(second)) / logarithm(10)
        checks.bounded(abs(order - 1), atMost: 0.01, "|order − 1|, \(rule)")
        checks.bounded(second, atMost: 1e-3, "error, \(rule)")
      }
    }
  }

  @Test("P-68: as λ → 0, D4 tends to the pseudo-inverse's solution for V in the range")
  func smallDampingIsThePseudoInverse() {
    // Kinds whose rank is clear and whose κ is small: the order is measured above the round-off.
    let clear: Set<MatrixKind> = [.identity, .rankOne, .rankDeficient, .repeated, .toeplitz]
    let cases = FactorCase.semidefinite.filter {
      clear.contains($0.a.kind) && clear.contains($0.g.kind)
        && $0.a.matrix.trace > 0 && $0.g.matrix.trace > 0
    }
    property("P-68", .limit, oracle: "dgesvd, order in λ", over: cases) { test, checks in
      let (a, g) = (test.a.matrix, test.g.matrix)
      let matrix = kronecker(a, g)
      let block = DampingTests.block(a, g)
      let right = LAPACK.dgemm(LAPACK.dgemm(g, test.rightHandSide), a)
      let inRange = ParameterVector(blocks: [right])
      let pseudo = try block.damped(.none, 0).solve(inRange)

      let svd = try LAPACK.dgesvd(matrix)
      let kept = svd.values.elements.filter { $0 > 1e-9 * svd.values[0] }
      let smallest = kept[kept.count - 1]
      var coordinates = LAPACK.dgemm(svd.left, inRange.flattened, transposeA: true)
      for i in 0..<coordinates.count {
        coordinates[i] = i < kept.count ? coordinates[i] / svd.values[i] : 0
      }
      let expected = LAPACK.dgemm(svd.right, coordinates)
      checks.ratio(
        solutionRatio(pseudo.flattened, expected, condition: kept[0] / smallest),
        "pseudo-inverse, over κ")

      // Each component is multiplied by s/(s + λ): the relative error is at most λ/smallest.
      func error(_ relative: Double) throws -> Double {
        (try block.damped(.exact, relative * smallest).solve(inRange) - pseudo).norm / pseudo.norm
      }
      let (first, second) = (try error(1e-3), try error(1e-4))
      checks.bounded(first, atMost: 1e-3, "error at 1e-3")
      checks.bounded(second, atMost: 1e-4, "error at 1e-4")
      let order = (logarithm(first) - logarithm(second)) / logarithm(10)
      checks.bounded(abs(order - 1), atMost: 0.01, "|order − 1|")
    }
  }
}
