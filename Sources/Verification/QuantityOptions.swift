import Curvature
import DenseAlgebra
import Networks

/// Which quantities of a network are computed, and how.
public struct QuantityOptions: Equatable, Sendable {
  /// The structures whose matrices and steps are written.
  public var structures = StructureKind.allCases
  /// The matrix-free operators whose steps are written.
  public var operators = MatrixFreeSolver.Operator.allCases
  /// The damping strengths λ, all at least 0.
  public var lambdas = [0.1, 0.001]
  /// The Fisher that everything is built from; the empirical one stands beside it in any case.
  public var fisher = FisherKind.exact
  /// The compared parameter blocks, counted from 0; nil for all.
  public var blocks: [Int]?
  /// The block size of `kfac-split`.
  public var split = 10
  /// The order of the rows and columns of matrices over parameters.
  public var vectorization = Vectorization.column
  /// Matrices over parameters and their eigenvalues; without them large layers work.
  public var includesDense = true
  /// The configuration of the conjugate gradients.
  public var iteration = ConjugateGradient()
  /// The most bytes that all matrices over parameters may take together, and any other one by itself.
  public var limit = MemoryLimit.standard

  public init() {}

  /// The name of a structure in names of quantities: the split carries its size.
  func name(of kind: StructureKind) -> String {
    kind == .kfacSplit ? "\(kind.rawValue)-\(split)" : kind.rawValue
  }

  /// The same without repetitions, which would give two arrays one name.
  var withoutRepetitions: QuantityOptions {
    var options = self
    options.structures = QuantityOptions.unique(structures)
    options.operators = QuantityOptions.unique(operators)
    options.lambdas = QuantityOptions.unique(lambdas)
    return options
  }

  private static func unique<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
  }
}
