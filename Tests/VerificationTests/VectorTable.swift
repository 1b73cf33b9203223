import TestSupport

/// The worst ratio of each algorithm and rule in one case, for the table of the whole run.
struct VectorTable {
  /// What a row of the table is called.
  struct Row: Hashable {
    let algorithm: String
    var rule = ""
  }

  private var worst: [Row: (cases: Int, ratio: Double)] = [:]

  mutating func add(_ name: String, _ ratio: Double) {
    let row = worst[Self.row(of: name)] ?? (0, 0)
    worst[Self.row(of: name)] =
      (row.cases + 1, ratio.isNaN || row.ratio.isNaN ? .nan : max(row.ratio, ratio))
  }

  func record() {
    for (row, value) in worst {
      LapackComparison.record(
        algorithm: row.algorithm, rule: row.rule, oracle: "certified vectors, over κ",
        cases: value.cases, ratio: value.ratio, limit: VectorComparison.limit)
    }
  }

  /// Arrays of one algorithm share a row; those that come before any algorithm have rows of the stages.
  static func row(of name: String) -> Row {
    let rest = name.hasPrefix("layer") ? String(name.drop { $0 != "." }.dropFirst()) : name
    let parts = rest.split(separator: ".").map(String.init).filter { $0 != "sum" }
    switch (parts[0], parts.dropFirst().first) {
    case ("logits", _), ("a", _): return Row(algorithm: "forward pass")
    case ("loss", _), ("losses", _): return Row(algorithm: "losses")
    case ("output", _), ("hessian", _): return Row(algorithm: "Hessian and gradient in z")
    case ("jacobian", _), ("g", _), ("gradient", _): return Row(algorithm: "back-propagation")
    case ("eigenvalues", _), (_, "eigenvalues"?): return Row(algorithm: "eigenvalues")
    case (_, "log-determinant"?): return Row(algorithm: "log determinant")
    case (_, "inverse"?), (_, "damped"?): return Row(algorithm: "KFAC factors", rule: parts[2])
    case ("damping", let rule?): return Row(algorithm: "KFAC factors", rule: rule)
    case ("A", _), ("G", _): return Row(algorithm: "KFAC factors")
    case ("step", let structure?): return Row(algorithm: algorithm(structure), rule: parts[2])
    case ("cg", "kronecker"?): return Row(algorithm: "CG-FAC, cg-kfac", rule: "exact")
    case ("cg", _): return Row(algorithm: "CG-FAC, cg-exact-block", rule: "exact")
    default: return Row(algorithm: algorithm(parts[0]))
    }
  }

  private static func algorithm(_ structure: String) -> String {
    switch structure {
    case "exact", "block-diagonal", "block", "fisher": "exact FIM"
    case "kfac", "kfac-reduce": "KFAC"
    case "block-tridiagonal": "KFAC, block-tridiagonal"
    case "ekfac", "second-moments": "EKFAC"
    case _ where structure.hasPrefix("kfac-split"): "KFAC split"
    default: structure
    }
  }
}
