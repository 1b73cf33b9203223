import DenseAlgebra
import Networks

/// CG-FAC: conjugate gradients on a matrix-free operator, layer by layer.
///
/// A named method is a preset of parts: CG-FAC is the operator `cg-kfac` (reading 1) or
/// `cg-exact-block` (reading 2), this solver, and damping `exact`.
/// Reference: the specification, section 6.
public struct MatrixFreeSolver: Equatable, Sendable {
  /// Which layer operator is solved with.
  public enum Operator: String, CaseIterable, Codable, Sendable {
    case kfac = "cg-kfac"
    case exactBlock = "cg-exact-block"

    /// One sentence for `natgrad list`.
    public var explanation: String {
      switch self {
      case .kfac: "conjugate gradients on A ⊗ G + λI without forming A or G (6.1, reading 1)"
      case .exactBlock:
        "conjugate gradients on the exact layer block + λI without forming it (6.1, reading 2)"
      }
    }

    /// The structure that the operator is the damped matrix of.
    public var structure: StructureKind { self == .kfac ? .kfac : .blockDiagonal }
  }

  /// What approximates the inverse inside the iteration.
  public enum Preconditioner: String, CaseIterable, Codable, Sendable {
    case none
    case jacobi
    /// The directly solved A ⊗ G + λI, which forms A and G.
    case kfac
  }

  public var layerOperator: Operator
  public var preconditioner: Preconditioner
  public var iteration: ConjugateGradient

  public init(
    _ layerOperator: Operator, preconditioner: Preconditioner = .none,
    iteration: ConjugateGradient = ConjugateGradient()
  ) {
    self.layerOperator = layerOperator
    self.preconditioner = preconditioner
    self.iteration = iteration
  }

  /// The steps of all layers and what each layer's iteration did.
  ///
  /// `start` is a warm start (the previous step); nil starts from zero. An iteration that stops early
  /// is not an error: its status and residual history are in the result.
  public func solve(
    _ layers: [LayerSamples], _ gradient: ParameterVector, lambda: Double,
    start: ParameterVector? = nil
  ) throws(CurvatureError) -> (step: ParameterVector, iterations: [IterativeSolution]) {
    precondition(
      layers.count == gradient.blocks.count,
      "\(layers.count) layers for \(gradient.blocks.count) gradient blocks")
    var solutions: [IterativeSolution] = []
    for (index, layer) in layers.enumerated() {
      let right = Vector(gradient.blocks[index].storage)
      let first = start.map { Vector($0.blocks[index].storage) }
      switch layerOperator {
      case .kfac:
        let matrix = ImplicitKroneckerOperator(layer, lambda: lambda)
        let inverse = try approximateInverse(of: layer, lambda, jacobi: matrix.jacobi)
        solutions.append(iteration.solve(matrix, right, start: first, preconditioner: inverse))
      case .exactBlock:
        let matrix = ExactBlockOperator(layer, lambda: lambda)
        let inverse = try approximateInverse(of: layer, lambda, jacobi: matrix.jacobi)
        solutions.append(iteration.solve(matrix, right, start: first, preconditioner: inverse))
      }
    }
    let blocks = zip(gradient.blocks, solutions).map { block, solution in
      Matrix(
        rowCount: block.rowCount, columnCount: block.columnCount, storage: solution.value.elements)
    }
    return (ParameterVector(blocks: blocks), solutions)
  }

  private func approximateInverse(
    of layer: LayerSamples, _ lambda: Double, jacobi: @autoclosure () -> DiagonalOperator
  ) throws(CurvatureError) -> (any LinearOperator)? {
    switch preconditioner {
    case .none: nil
    case .jacobi: jacobi()
    case .kfac: InverseOperator(try KroneckerBlock.kfac(layer).damped(.exact, lambda))
    }
  }
}
