import TestSupport

/// The worst ratio of each family of quantities in one case, for the table of the whole run.
struct VectorTable {
  private var worst: [String: (cases: Int, ratio: Double)] = [:]

  mutating func add(_ name: String, _ ratio: Double) {
    let row = worst[Self.family(name)] ?? (0, 0)
    worst[Self.family(name)] =
      (row.cases + 1, ratio.isNaN || row.ratio.isNaN ? .nan : max(row.ratio, ratio))
  }

  func record(oracle: String) {
    for (family, row) in worst {
      LapackComparison.record(
        algorithm: "Vectors: \(family), error/κ", oracle: oracle, cases: row.cases,
        ratio: row.ratio, limit: VectorComparison.limit)
    }
  }

  /// What a row of the table is called: names of one kind share a row.
  static func family(_ name: String) -> String {
    let rest = name.hasPrefix("layer") ? String(name.drop { $0 != "." }.dropFirst()) : name
    let parts = rest.split(separator: ".").map(String.init).filter { $0 != "sum" }
    switch (parts[0], parts.dropFirst().first) {
    case ("logits", _), ("a", _): return "forward pass"
    case ("loss", _), ("losses", _): return "losses"
    case ("output", _), ("hessian", _): return "loss gradient and Hessian in z"
    case ("jacobian", _), ("g", _), ("gradient", _): return "back-propagated vectors, gradient"
    case ("eigenvalues", _), (_, "eigenvalues"?): return "eigenvalues"
    case (_, "log-determinant"?): return "log determinant"
    case (_, "damped"?), (_, "inverse"?): return "\(parts[1]) factor"
    case ("A", _), ("G", _): return "factors A, G"
    case ("block", _), ("fisher", _): return "exact FIM, whole and blocks"
    case ("ekfac", _), ("second-moments", _): return "EKFAC matrix and second moments"
    case ("damping", _): return "damping numbers"
    case ("cg", let operation?): return "CG-FAC iterates, \(operation)"
    case ("step", let structure?): return "\(structure) step, \(parts[2])"
    default: return "\(parts[0]) matrix"
    }
  }
}
