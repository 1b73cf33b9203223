import DataFiles
import Experiments
import Fixtures

/// The committed comparisons with LAPACK, read from Fixtures/reports.
struct LapackReports {
  struct Row {
    let routine, oracle, kind: String
    let ratio, lapack: Double
    let lapackDigits: Double?
  }

  let openBLAS, reference: [Row]

  init() throws {
    openBLAS = try LapackReports.read("lapack-openblas.csv")
    reference = try LapackReports.read("lapack-reference.csv")
  }

  /// Rows whose ratios were judged; the others have a finding instead.
  private static func read(_ name: String) throws -> [Row] {
    let path = try Fixtures.path("reports/\(name)")
    let (header, rows) = try CSV.decode(try InputFile.read(path: path), name: name)
    func place(_ column: String) -> Int { header.firstIndex(of: column)! }
    let (routine, oracle) = (place("routine"), place("oracle"))
    let (kind, ratio) = (place("kind"), place("ratio"))
    let (lapack, digits, finding) = (
      place("lapack_ratio"), place("lapack_digits"), place("finding")
    )
    return rows.compactMap { row in
      guard row[finding].isEmpty, let ours = Double(row[ratio]), let theirs = Double(row[lapack])
      else { return nil }
      return Row(
        routine: row[routine], oracle: row[oracle], kind: row[kind], ratio: ours, lapack: theirs,
        lapackDigits: Double(row[digits]))
    }
  }

  /// The digits of LAPACK's solution for a certified matrix.
  func digits(of name: String, isDefinite: Bool) -> Double? {
    let routine = (isDefinite ? "Cholesky" : "LU") + " solve: error/κ against 50 digits"
    return reference.first { $0.routine == routine && $0.kind == name }?.lapackDigits
  }

  /// The ratios of residuals: without the errors against 50 digits, and without graded eigenvalues.
  private static func isResidual(_ row: Row) -> Bool {
    !row.routine.contains("50 digits") && !row.routine.hasPrefix("graded eigenvalues")
  }

  /// Sorted ratios at every fortieth of the comparisons.
  var quantiles: ResultTable {
    var table = ResultTable(
      "quantiles", "Residual ratios in ascending order, from the committed comparisons.",
      [
        ("share", "share of the comparisons at or below"),
        ("natgrad", "this suite, in the comparison with OpenBLAS"),
        ("openblas", "OpenBLAS"), ("reference", "reference LAPACK"),
      ])
    let lists =
      [openBLAS.filter(LapackReports.isResidual).map(\.ratio).sorted()]
      + [openBLAS, reference].map { $0.filter(LapackReports.isResidual).map(\.lapack).sorted() }
    for step in 0...40 {
      let share = Double(step) / 40
      table.append(
        [.number(share)]
          + lists.map { .number($0[Int((share * Double($0.count - 1)).rounded())]) })
    }
    return table
  }

  static let families: [(name: String, routine: String)] = [
    ("product", "product"), ("Cholesky factor", "Cholesky factor"),
    ("Cholesky solve", "Cholesky solve"), ("LU solve", "LU solve"),
    ("symmetric eigenvectors, residual", "symmetric eigendecomposition: residual"),
    ("symmetric eigenvectors, orthogonality", "symmetric eigendecomposition: orthogonality"),
    ("singular value decomposition, residual", "singular value decomposition: residual"),
    (
      "tiny eigenvalues, each relative to itself",
      "graded eigenvalues each relative to itself: Jacobi"
    ),
  ]

  /// The worst ratios by routine.
  var routines: ResultTable {
    var table = ResultTable(
      "routines", "Worst ratios by routine, from the committed comparisons.",
      [
        ("routine", "what is compared"), ("count", "comparisons with both libraries"),
        ("natgrad", "worst ratio of this suite"), ("openblas", "worst ratio of OpenBLAS"),
        ("reference", "worst ratio of reference LAPACK"),
      ])
    for (name, routine) in LapackReports.families {
      let (open, plain) = (
        openBLAS.filter { $0.routine == routine }, reference.filter { $0.routine == routine }
      )
      table.append([
        .text(name), .integer(open.count + plain.count),
        .number((open + plain).map(\.ratio).max() ?? 0),
        .number(open.map(\.lapack).max() ?? 0), .number(plain.map(\.lapack).max() ?? 0),
      ])
    }
    return table
  }

  /// Counts over all residual ratios of both files.
  func counts(_ findings: inout Findings) -> (
    all: ReportedNumber, worst: ReportedNumber, lapackOver: ReportedNumber, dsyevr: ReportedNumber,
    smaller: ReportedNumber, jacobi: ReportedNumber
  ) {
    let rows = (openBLAS + reference).filter(LapackReports.isResidual)
    return (
      findings.report(
        "comparisons", Double(rows.count), "residual ratios in the two committed comparisons",
        .fixed(0)),
      findings.report("worst-ratio", rows.map(\.ratio).max() ?? 0, "worst ratio of this suite"),
      findings.report(
        "lapack-over-30", Double(rows.count { $0.lapack > 30 }),
        "comparisons where LAPACK's ratio is above 30", .fixed(0)),
      findings.report(
        "dsyevr-over-30", Double(rows.count { $0.lapack > 30 && $0.oracle == "dsyevr" }),
        "those of dsyevr among them", .fixed(0)),
      findings.report(
        "not-larger", Double(rows.count { $0.ratio <= $0.lapack }) / Double(rows.count),
        "share of comparisons where this suite's ratio is at most LAPACK's", .percent(0)),
      findings.report(
        "lapack-jacobi",
        (openBLAS + reference).filter { $0.oracle.hasPrefix("dgesvj") }.map(\.lapack).max() ?? 0,
        "worst error of LAPACK's one-sided Jacobi, in units of each eigenvalue's rounding",
        .significant(2))
    )
  }
}

/// The committed reports on the tests themselves.
struct TestReports {
  let properties: [[String]]
  let mutations: [[String]]

  init() throws {
    func rows(_ name: String) throws -> [[String]] {
      try CSV.decode(
        try InputFile.read(path: try Fixtures.path("reports/\(name)")), name: name
      ).rows
    }
    properties = try rows("properties.csv")
    mutations = try rows("mutations.csv")
  }

  /// The status of each mutation at its first or last measurement.
  func statuses(atLast: Bool) -> [String] {
    var order: [String] = []
    var status: [String: String] = [:]
    for row in mutations {
      if status[row[0]] == nil { order.append(row[0]) }
      if atLast || status[row[0]] == nil { status[row[0]] = row[1] }
    }
    return order.compactMap { status[$0] }
  }

  /// What the reports count.
  var table: ResultTable {
    var table = ResultTable(
      "evidence", "What the committed reports on the tests count.",
      [("what", "what is counted"), ("count", "how many"), ("report", "file in Fixtures/reports")])
    func add(_ what: String, _ count: Int, _ report: String) {
      table.append([.text(what), .integer(count), .text(report)])
    }
    let cases = properties.reduce(0) { $0 + (Int($1[4]) ?? 0) }
    add("tested statements", properties.count, "properties.csv")
    add("cases they were tested on", cases, "properties.csv")
    for kind in ["equal", "inequality", "counter-property", "limit", "statistical"] {
      add("statements of the kind " + kind, properties.count { $0[2] == kind }, "properties.csv")
    }
    let (first, last) = (statuses(atLast: false), statuses(atLast: true))
    let counted = ["caught", "survived"]
    add("mutations measured", first.count { counted.contains($0) }, "mutations.csv")
    add("caught at the first measurement", first.count { $0 == "caught" }, "mutations.csv")
    add("caught at the last measurement", last.count { $0 == "caught" }, "mutations.csv")
    add("survivors at the last measurement", last.count { $0 == "survived" }, "mutations.csv")
    return table
  }
}
