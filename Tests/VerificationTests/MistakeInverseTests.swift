import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes in forming inverses (the specification, section 11).
@Suite("Signatures of mistakes: inverses")
struct MistakeInverseTests {
  /// Every dumped inverse of a mistake: its name, wrong, right, the damped factor and its condition.
  private func inverses(_ signature: MistakeSignature) throws -> [(
    name: String, wrong: Matrix, right: Matrix, damped: Matrix, condition: Double
  )] {
    try signature.layers.flatMap { layer in
      let (a, g) = try signature.dampedFactors(layer)
      return try [("A", a), ("G", g)].map { factor, damped in
        let name =
          "\(layer).\(factor).inverse.\(signature.setting.rule.rawValue).\(signature.setting.lambda)"
        let (wrong, right) = try signature.pair(name)
        return (name, wrong, right, damped, LAPACK.norm1(damped) * LAPACK.norm1(right))
      }
    }
  }

  /// log |det M| from LAPACK's LU factors.
  private func logDeterminant(_ matrix: Matrix) throws -> Double {
    try LAPACK.dgetrf(matrix).factors.diagonal.reduce(0) { $0 + logarithm($1.magnitude) }
  }

  @Test("M-42: A'⁻¹ is not symmetric and has the right determinant")
  func rootTwice() throws {
    let signature = try MistakeSignature("M-42")
    for (name, wrong, _, damped, condition) in try inverses(signature) {
      expectDifferent(wrong, wrong.transposed, name)
      // The error of a log-determinant is at most that of the matrix times n κ.
      let budget = 30 * Double(damped.rowCount * damped.rowCount) * condition * .ulpOfOne
      expectAtMost(
        (try logDeterminant(wrong) + logDeterminant(damped)).magnitude, budget, name)
    }
    signature.expectUnchanged(.a, .g, .gradient)
  }

  @Test(
    "M-43 and M-44a: symmetric, with the right spectrum, but another matrix",
    arguments: ["M-43", "M-44a"])
  func rightSpectrum(_ id: String) throws {
    let signature = try MistakeSignature(id)
    for (name, wrong, right, _, condition) in try inverses(signature) {
      expectRatio(Ratio.symmetry(wrong).over(condition: condition), name)
      let values = try (LAPACK.dsyev(wrong).values, LAPACK.dsyev(right).values)
      expectRatio(Ratio.difference(values.0, values.1).over(condition: condition), name)
      expectDifferent(wrong, right, name)
    }
    signature.expectUnchanged(.a, .g, .gradient)
  }

  @Test("M-44a: Q A'⁻¹ Qᵀ is diagonal, the inverse eigenvalues in the order of Q's columns")
  func eigenvectorsAsRows() throws {
    for (name, wrong, _, damped, condition) in try inverses(MistakeSignature("M-44a")) {
      // Signs of eigenvectors do not cancel in Qᵀ Λ⁻¹ Q; the recipe makes largest entries positive.
      let decomposition = try LAPACK.dsyevd(damped)
      let q = positiveColumns(decomposition.vectors)
      let rotated = LAPACK.dgemm(LAPACK.dgemm(q, wrong), q, transposeB: true)
      let expected = Matrix.diagonal(decomposition.values.elements.map { 1 / $0 })
      expectRatio(Ratio.difference(rotated, expected).over(condition: condition), name)
    }
  }

  @Test("M-45a: the upper triangles of A' and G' are 0, and the inverses are right all the same")
  func halfFilledFactors() throws {
    let signature = try MistakeSignature("M-45a")
    for layer in signature.layers {
      for factor in ["A", "G"] {
        let (wrong, right) = try signature.pair("\(layer).\(factor)")
        #expect(wrong == right.lower && wrong != right)
      }
    }
    signature.expectUnchanged(.gradient, .inverse, .step, .secondMoments)
  }

  @Test("M-45b: the upper triangles of the inverses are 0, the lower ones right")
  func halfFilledInverses() throws {
    let signature = try MistakeSignature("M-45b")
    for (name, wrong, right, _, _) in try inverses(signature) {
      #expect(wrong == right.lower && wrong != right, "\(name)")
    }
    signature.expectUnchanged(.a, .g, .gradient)
  }

  @Test("M-46: U' = cU, c the ratio of the largest entries of the two inverses")
  func wrongMaximum() throws {
    let signature = try MistakeSignature("M-46")
    for layer in signature.layers {
      let damping = "inverse.pi.\(signature.setting.lambda)"
      let c =
        try LAPACK.dlange(signature.pair("\(layer).G.\(damping)").right, .maximum)
        / LAPACK.dlange(signature.pair("\(layer).A.\(damping)").right, .maximum)
      let (wrong, right) = try signature.step(layer)
      expectRatio(.difference(wrong, c * right), layer)
    }
    signature.expectUnchanged(.a, .g, .gradient, .inverse)
  }

  @Test(
    "M-67: the residual is about κ · 2⁻²⁴ and a hundred times larger for a hundredth of the shift")
  func singlePrecision() throws {
    func residuals(_ lambda: Double, _ id: String?) throws -> (value: Double, condition: Double) {
      var setting = CurvatureSetting.denseIllConditioned
      setting.lambda = lambda
      let dump =
        try id.map { try Mistake.with($0).dump(setting) } ?? CurvatureRecipe().dump(setting)
      let g = try #require(dump["layer3.G"]).addingToDiagonal(lambda.squareRoot())
      let inverse = try #require(dump["layer3.G.inverse.sqrt.\(lambda)"])
      let rest = LAPACK.dgemm(inverse, g) - .identity(5)
      return (LAPACK.norm1(rest), LAPACK.norm1(g) * LAPACK.norm1(inverse))
    }
    let (weak, strong) = (try residuals(1e-12, "M-67"), try residuals(1e-8, "M-67"))
    for residual in [weak, strong] {
      let unit = residual.condition * 0x1p-24
      #expect(residual.value < 5 * unit && residual.value > 0.01 * unit, "\(residual)")
    }
    #expect(weak.value / strong.value > 10 && weak.value / strong.value < 1000)
    let right = try residuals(1e-12, nil)
    expectAtMost(right.value, 30 * 5 * right.condition * .ulpOfOne)
  }
}

extension Matrix {
  /// The lower triangle.
  fileprivate var lower: Matrix {
    var result = self
    for j in 1..<columnCount { for i in 0..<j { result[i, j] = 0 } }
    return result
  }
}
