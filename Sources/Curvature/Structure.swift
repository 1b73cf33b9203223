import DenseAlgebra
import Networks

/// A curvature matrix in some structure: from it, a damping rule makes something that can be solved.
public protocol Structure: Sendable {
  /// Which structure this is.
  var kind: StructureKind { get }
  /// The parameter blocks that the matrix acts on, in order.
  var layout: ParameterLayout { get }
  /// The damped matrix under a rule that `kind.rules` lists, at strength λ ≥ 0.
  ///
  /// Throws `undefinedRule` for any other rule and `notPositiveDefinite` where the damped matrix
  /// has no Cholesky factor.
  func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError) -> any DampedStructure
}

/// A structure that is a matrix before any damping.
public protocol MatrixStructure: Structure {
  /// The product of the undamped matrix with a parameter vector.
  func apply(_ vector: ParameterVector) -> ParameterVector
  /// The undamped matrix, P × P in cvec order; throws `exceedsMemory` over the limit.
  func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix
}

/// A structure that acts on each layer by itself.
public protocol Layerwise: Structure {
  /// The structures of the single layers, in order.
  var layers: [any Structure] { get }
}

/// An immutable damped curvature matrix, ready to apply and to solve with.
public protocol DampedStructure: Sendable {
  /// The parameter blocks that the matrix acts on, in order.
  var layout: ParameterLayout { get }
  /// The product of the damped matrix with a parameter vector.
  func apply(_ vector: ParameterVector) -> ParameterVector
  /// The solution of the damped system (rule `none`: the pseudo-inverse applied).
  func solve(_ vector: ParameterVector) -> ParameterVector
  /// log det of the damped matrix (rule `none`: of its non-zero eigenvalues).
  var logDeterminant: Double { get }
  /// The rank that rule `none` found at its cut-off; P for every other rule.
  var rank: Int { get }
  /// The damped matrix, P × P in cvec order; throws `exceedsMemory` over the limit.
  func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix
  /// The inverse (or pseudo-inverse) of the damped matrix, P × P; throws `exceedsMemory` over the limit.
  func denseInverse(within limit: MemoryLimit) throws(CurvatureError) -> Matrix
}

extension DampedStructure {
  public var rank: Int { layout.count }

  /// The damped matrix, one application per column.
  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try columns(of: "the dense damped matrix", within: limit, apply)
  }

  /// The inverse (or pseudo-inverse), one solve per column.
  public func denseInverse(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try columns(of: "the dense damped inverse", within: limit, solve).symmetrized
  }

  private func columns(
    of what: String, within limit: MemoryLimit, _ transform: (ParameterVector) -> ParameterVector
  ) throws(CurvatureError) -> Matrix {
    let size = layout.count
    try limit.require(
      rows: size, columns: size, for: what,
      advice: "compare fewer layers (--layers), or steps only (--no-dense)")
    var storage: [Double] = []
    storage.reserveCapacity(size * size)
    for index in 0..<size {
      var unit = Vector.zero(size)
      unit[index] = 1
      let image = transform(ParameterVector(unit, layout: layout))
      for block in image.blocks { storage.append(contentsOf: block.storage) }
    }
    return Matrix(rowCount: size, columnCount: size, storage: storage)
  }
}

/// A damped matrix of one parameter block: the formulas act on d_G × d_A matrices.
public protocol DampedBlock: DampedStructure {
  /// The product with cvec(V), as a matrix.
  func apply(_ matrix: Matrix) -> Matrix
  /// The solution for the right side cvec(V), as a matrix.
  func solve(_ matrix: Matrix) -> Matrix
}

extension DampedBlock {
  public func apply(_ vector: ParameterVector) -> ParameterVector {
    ParameterVector(blocks: [apply(vector.blocks[0])])
  }

  public func solve(_ vector: ParameterVector) -> ParameterVector {
    ParameterVector(blocks: [solve(vector.blocks[0])])
  }
}

extension Structure {
  /// Throws `undefinedRule` unless the table of the structure's kind lists the rule.
  func requireDefined(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError) {
    precondition(lambda >= 0 && lambda.isFinite, "λ must be finite and at least 0, got \(lambda)")
    guard kind.rules.contains(rule) else {
      throw CurvatureError.undefinedRule(structure: kind, rule: rule)
    }
  }
}
