/// What can go wrong with the data of a curvature computation, each case with the place and value.
public enum CurvatureError: Error, Equatable, Sendable {
  /// A damped factor or block has a pivot that is not positive, so it has no Cholesky factor.
  case notPositiveDefinite(block: String, size: Int, pivot: Int, value: Double)
  /// An allocation would exceed the memory limit.
  case exceedsMemory(what: String, bytes: Int, limit: Int, advice: String)
  /// The damping rule is not defined for the structure.
  case undefinedRule(structure: StructureKind, rule: DampingRule)
  /// An iteration reached its cap.
  case iterationLimit(what: String, limit: Int)
  /// The structure needs layers that follow one another without weight sharing.
  case needsPlainChain(structure: StructureKind, block: String)
}

extension CurvatureError: CustomStringConvertible {
  /// What was seen, what was expected, and the one thing to do.
  public var description: String {
    switch self {
    case .notPositiveDefinite(let block, let size, let pivot, let value):
      return "\(block) (size \(size)) is not positive definite: pivot \(pivot) is \(value), "
        + "a positive pivot was expected; use a larger damping, or the rule none (pseudo-inverse)."
    case .exceedsMemory(let what, let bytes, let limit, let advice):
      return "\(what) needs \(bytes) bytes, the limit is \(limit) bytes (--max-memory); \(advice)."
    case .undefinedRule(let structure, let rule):
      let defined = structure.rules.map(\.rawValue).joined(separator: ", ")
      return "damping rule \(rule.rawValue) is not defined for structure \(structure.rawValue), "
        + "which knows \(defined); choose one of these."
    case .iterationLimit(let what, let limit):
      return "\(what) did not converge within \(limit) iterations; use a larger damping, or leave "
        + "the structure out (--structures)."
    case .needsPlainChain(let structure, let block):
      return "structure \(structure.rawValue) needs layers that follow one another, each used once "
        + "at one position; \(block) is not in such a chain: choose layers of a plain network."
    }
  }
}
