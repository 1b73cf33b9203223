import DataFiles
import Experiments

/// How often which approximation of chapter 07 is nearer.
struct EKFACFindings {
  let blocks, kfacLosses, nearestWins, lastWins, diagonalWins, inverseWins, efficiencyWins,
    nearestEfficiencyWins: ReportedNumber
  let leastGain, mostGain: ReportedNumber

  init(_ errors: ResultTable, _ findings: inout Findings) {
    func value(_ row: Int, _ column: String) -> Double { errors.number(column, row: row).value }
    // Five rows per block in the order of `methods`.
    let starts = stride(from: 0, to: errors.rows.count, by: 5).map { $0 }
    func count(_ column: String, _ first: Int, below second: Int) -> Double {
      Double(starts.count { value($0 + first, column) < value($0 + second, column) })
    }
    func report(_ name: String, _ value: Double, _ meaning: String) -> ReportedNumber {
      findings.report(name, value, meaning)
    }
    blocks = report("blocks", Double(starts.count), "blocks compared: three layers, four moments")
    kfacLosses = report(
      "ekfac-below-kfac", count("frobenius", 2, below: 1), "blocks where EKFAC is nearer than KFAC")
    nearestWins = report(
      "best-kronecker-below-ekfac", count("frobenius", 3, below: 2),
      "blocks where the best Kronecker product is nearer than EKFAC")
    lastWins = report(
      "last-below-best-kronecker", count("frobenius", 4, below: 3),
      "blocks where EKFAC in the best Kronecker's basis is nearer than the best Kronecker product")
    diagonalWins = report(
      "diagonal-below-ekfac", count("frobenius", 0, below: 2),
      "blocks where the diagonal is nearer than EKFAC")
    inverseWins = report(
      "ekfac-inverse-below-kfac", count("inverse", 2, below: 1),
      "blocks where EKFAC's damped inverse is nearer than KFAC's")
    efficiencyWins = report(
      "ekfac-efficiency-above-kfac", count("efficiency", 1, below: 2),
      "blocks where EKFAC's damped step is more efficient than KFAC's")
    nearestEfficiencyWins = report(
      "best-kronecker-efficiency-above-ekfac", count("efficiency", 2, below: 3),
      "blocks where the best Kronecker product's damped step is more efficient than EKFAC's")
    let gains = starts.map { value($0 + 2, "frobenius") / value($0 + 1, "frobenius") }
    leastGain = findings.report(
      "largest-ratio", gains.max() ?? 0, "largest EKFAC error over KFAC error", .fixed(2))
    mostGain = findings.report(
      "smallest-ratio", gains.min() ?? 0, "smallest EKFAC error over KFAC error", .fixed(2))
  }

  /// What the text says of the outcome in words.
  func claims(_ document: inout ChapterDocument) {
    document.claim(
      "EKFAC is nearer than KFAC in all blocks", holds: kfacLosses.value == blocks.value)
    document.claim(
      "the best Kronecker product is always nearer than EKFAC",
      holds: nearestWins.value == blocks.value)
    document.claim(
      "its step is more efficient in only a few blocks",
      holds: nearestEfficiencyWins.value < blocks.value / 2)
  }

  var answer: Prose {
    #"""
    C. The best Kronecker product is nearer than EKFAC in \#(nearestWins) of \#(blocks) blocks, the \#
    diagonal in \#(diagonalWins). EKFAC is nearer than KFAC in all \#(kfacLosses), as the theorem \#
    says.
    """#
  }

  var reading: Prose {
    #"""
    The theorem holds in each block: EKFAC's error is between \#(mostGain) and \#(leastGain) times \#
    KFAC's. (The THOR paper's Introduction says that EKFAC "\#(printed: "can approximate FIM much better than KFAC does")"; \#
    these ratios are what that amounts to here.) The surprise is the row below it. The best Kronecker product has products as \#
    eigenvalues, like KFAC, and is nearer than EKFAC in \#(nearestWins) of \#(blocks) blocks. The \#
    theorem is about the sizes for a *given* basis, and KFAC's basis is not the best one: $A$ \#
    weighs all inputs alike, while in $F$ an input counts as much as the gradient that comes with \#
    it. The best product finds directions from weighted means. With second moments in those \#
    directions the error falls below the best product's in \#(lastWins) of \#(blocks) blocks (P-96 \#
    says it can never be above). Both orders of EKFAC and the best product occur in random layers \#
    (P-88).
    """#
  }
}

/// How second moments and products differ.
struct MomentFindings {
  let count, top, median, low, high, trace: ReportedNumber
  private let points: [(x: Double, y: Double)]

  init(_ table: ResultTable, _ findings: inout Findings) {
    let all = table.rows.indices.map {
      (x: table.number("product", row: $0).value, y: table.number("moment", row: $0).value)
    }
    let largest = all[0].x
    points = all.filter { $0.x > 1e-8 * largest }
    let ratios = points.map { $0.y / $0.x }.sorted()
    func quantile(_ share: Double) -> Double {
      ratios[Int((share * Double(ratios.count - 1)).rounded())]
    }
    count = findings.report("directions", Double(all.count), "directions of the layer")
    top = findings.report(
      "top-ratio", all[0].y / all[0].x, "second moment over product, largest product", .fixed(2))
    median = findings.report(
      "median-ratio", quantile(0.5), "second moment over product, median", .fixed(2))
    low = findings.report(
      "low-ratio", quantile(0.1), "second moment over product, tenth percentile", .fixed(2))
    high = findings.report(
      "high-ratio", quantile(0.9), "second moment over product, ninetieth percentile", .fixed(2))
    trace = findings.report(
      "trace-ratio", all.reduce(0) { $0 + $1.x } / all.reduce(0) { $0 + $1.y },
      "sum of all products over the trace of F", .fixed(2))
  }

  var chart: ScatterChart {
    let low = points.map { min($0.x, $0.y) }.filter { $0 > 0 }.min() ?? 1e-8
    let high = points.map { max($0.x, $0.y) }.max() ?? 1
    let scale = AxisScale(.logarithmic, fitting: [low, high])
    return ScatterChart(
      title: "What EKFAC corrects: second moments against KFAC's products",
      subtitle:
        "layer \(EKFACMeasurement.layer) after \(EKFACMeasurement.iteration) steps, one point per direction",
      x: ChartAxis(
        "product of eigenvalues of A and G (no unit)", .logarithmic,
        limits: scale.lower...scale.upper),
      y: ChartAxis(
        "second moment S (no unit)", .logarithmic, limits: scale.lower...scale.upper),
      series: [.init(name: "directions", points: points)],
      lines: [
        .init(
          name: "equal", from: (scale.lower, scale.lower), to: (scale.upper, scale.upper))
      ])
  }
}
