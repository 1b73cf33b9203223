import Curvature
import DenseAlgebra

/// Operations and memory of CG-FAC and of the direct method for one layer, by formula.
///
/// n = d_A d_G parameters, N examples, K back-propagated vectors of each; a multiplication and an
/// addition count as one each. Reference: the specification, section 6.2.
public struct ConjugateGradientCost: Equatable, Sendable {
  public let inputSize: Int
  public let outputSize: Int
  public let examples: Int
  public let columns: Int

  public init(inputSize: Int, outputSize: Int, examples: Int, columns: Int) {
    self.inputSize = inputSize
    self.outputSize = outputSize
    self.examples = examples
    self.columns = columns
  }

  private var dA: Double { Double(inputSize) }
  private var dG: Double { Double(outputSize) }
  private var n: Double { dA * dG }
  private var batch: Double { Double(examples) }
  private var k: Double { Double(columns) }

  /// n, the number of parameters.
  public var parameters: Int { inputSize * outputSize }

  /// Reading 1 without factors: the cheaper of 4nN + 4d_G N²K (V X first) and 4nNK + 4d_A N²K (Yᵀ V
  /// first).
  public var implicitProduct: Double {
    min(inputsFirst, 4 * n * batch * k + 4 * dA * batch * batch * k)
  }
  /// Reading 1 with V X first, as `ImplicitKroneckerOperator` computes it: 4nN + 4d_G N²K.
  public var inputsFirst: Double { 4 * n * batch + 4 * dG * batch * batch * k }
  /// Reading 2: 4nN + 4d_G N K.
  public var exactProduct: Double { 4 * n * batch + 4 * dG * batch * k }
  /// G V A with formed factors: 2n(d_A + d_G).
  public var formedProduct: Double { 2 * n * (dA + dG) }
  /// A and G, of which one triangle is computed: N(d_A² + K d_G²).
  public var formingFactors: Double { batch * (dA * dA + k * dG * dG) }

  /// Steps of conjugate gradients, each with five vector operations of 2n.
  public func iteration(steps: Double, product: Double) -> Double { steps * (product + 10 * n) }

  /// The note's direct method at one step: factors, two eigendecompositions of 9d³, four products.
  public var directEigen: Double {
    formingFactors + 9 * (dA * dA * dA + dG * dG * dG) + 4 * n * (dA + dG)
  }
  /// KFAC's: factors, two Cholesky factors of d³/3, two solves of 2n(d_A + d_G) together.
  ///
  /// It solves (A + δI) ⊗ (G + δ'I), not A ⊗ G + λI.
  public var directCholesky: Double {
    formingFactors + (dA * dA * dA + dG * dG * dG) / 3 + 2 * n * (dA + dG)
  }
  /// The same with factors that are made every `interval` steps.
  public func directCholesky(every interval: Int) -> Double {
    let solve = 2 * n * (dA + dG)
    return (directCholesky - solve) / Double(interval) + solve
  }

  /// Numbers held by reading 1 without factors, besides the step itself: N(d_A + K d_G) + N²K.
  public var implicitMemory: Double { batch * (dA + k * dG) + batch * batch * k }
  /// Numbers held by the direct method: d_A² + d_G².
  public var directMemory: Double { dA * dA + dG * dG }

  /// The batch N below which a product without factors takes fewer operations than one with formed
  /// factors, their formation not counted.
  ///
  /// The larger root of the two orders of multiplication: 4nN + 4d_G K N² = 2n(d_A + d_G), and
  /// 4nKN + 4d_A K N² = 2n(d_A + d_G); for K = 1 it solves 2N(1 + N/max(d_A, d_G)) = d_A + d_G.
  public static func breakEvenBatch(
    inputSize: Int, outputSize: Int, columns: Int, inputsFirstOnly: Bool = false
  ) -> Double {
    let (dA, dG, k) = (Double(inputSize), Double(outputSize), Double(columns))
    func root(_ linear: Double, _ quadratic: Double) -> Double {
      // quadratic·N² + linear·N = dA + dG, after division by 2n.
      (-linear + (linear * linear + 4 * quadratic * (dA + dG)).squareRoot()) / (2 * quadratic)
    }
    let inputsFirst = root(2, 2 * k / dA)
    return inputsFirstOnly ? inputsFirst : max(inputsFirst, root(2 * k, 2 * k / dG))
  }
}

/// The operator of reading 1 with formed factors: v ↦ cvec(G V A) + λ v.
///
/// The same map as `ImplicitKroneckerOperator`, so conjugate gradients take the same steps up to
/// round-off. Reference: the specification, section 6.1.
public struct FormedKroneckerOperator: LinearOperator {
  public let a: Matrix
  public let g: Matrix
  public let lambda: Double

  public init(a: Matrix, g: Matrix, lambda: Double) {
    self.a = a
    self.g = g
    self.lambda = lambda
  }

  public var rowCount: Int { a.rowCount * g.rowCount }
  public var columnCount: Int { rowCount }

  public func apply(_ x: Vector) -> Vector {
    let v = Matrix(rowCount: g.rowCount, columnCount: a.rowCount, storage: x.elements)
    var result = g * v * a
    result.add(lambda, times: v)
    return Vector(result.storage)
  }
}
