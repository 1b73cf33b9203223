import Curvature
import DenseAlgebra
import Foundation
import Networks

/// The three figures of a comparison, each as a canvas with its alternative text.
public struct ComparisonFigures: Sendable {
  /// File stem and drawing, in the order of the manifest.
  public let canvases: [(name: String, canvas: Canvas)]

  /// Draws what the options allow: `figure4` needs dense matrices, KFAC, EKFAC and the split.
  public init(_ comparison: Comparison, _ summary: ComparisonSummary) throws(CurvatureError) {
    var canvases: [(String, Canvas)] = []
    let options = comparison.options
    let needed: [StructureKind] = [.exact, .kfac, .ekfac, .kfacSplit]
    if options.dense && needed.allSatisfy(options.structures.contains) {
      canvases.append(("figure4", try ComparisonFigures.matrices(comparison)))
      if Set(comparison.points.map(\.iteration)).count > 1 {
        canvases.append(("figure4-errors", ComparisonFigures.errors(comparison, summary)))
      }
    }
    canvases.append(("step-quality", ComparisonFigures.stepQuality(comparison, summary)))
    self.canvases = canvases
  }

  /// Figure 4 of the THOR paper, and what it leaves out: the exact Fisher and the damped inverses.
  private static func matrices(_ comparison: Comparison) throws(CurvatureError) -> Canvas {
    let analysis = comparison.figureAnalysis
    let options = comparison.options
    func structure(_ kind: StructureKind) -> any MatrixStructure {
      guard
        let found = analysis.structures.first(where: { $0.kind == kind }) as? any MatrixStructure
      else { preconditionFailure("the figure's analysis has no \(kind.rawValue)") }
      return found
    }
    func dense(_ kind: StructureKind) throws(CurvatureError) -> Matrix {
      try structure(kind).dense(within: options.limit)
    }
    func inverse(_ kind: StructureKind, _ rule: DampingRule) throws(CurvatureError) -> Matrix {
      try structure(kind).damped(rule, options.trainingLambda).denseInverse(within: options.limit)
    }
    let kfac = try dense(.kfac)
    let split = try dense(.kfacSplit)
    let exact = try dense(.exact)
    let ekfac = try dense(.ekfac)
    let kfacInverse = try inverse(.kfac, .factor)
    let splitInverse = try inverse(.kfacSplit, .factor)
    let exactInverse = try inverse(.exact, .exact)
    let boundaries = Array(analysis.samples.layout.offsets.dropFirst())
    let names = options.layers.map { "layer \($0)" }
    func panel(_ title: String, _ matrix: Matrix) -> HeatmapGrid.Panel {
      HeatmapGrid.Panel(
        title: title, matrix: matrix.map(\.magnitude), layerBoundaries: boundaries,
        layerNames: names)
    }
    let paper = [
      panel("(a) KFAC", kfac), panel("(b) split \(options.split)", split),
      panel("(c) |KFAC − split|", kfac - split),
    ]
    let fisher = [
      panel("exact Fisher", exact), panel("|exact − KFAC|", exact - kfac),
      panel("|exact − EKFAC|", exact - ekfac),
      panel("|exact − split \(options.split)|", exact - split),
    ]
    let inverses = [
      panel("exact inverse", exactInverse), panel("KFAC inverse", kfacInverse),
      panel("split \(options.split) inverse", splitInverse),
      panel("|KFAC − split|", kfacInverse - splitInverse),
    ]
    let logarithmic = ColorScale.Kind.logarithmicMagnitude(decades: 6)
    return HeatmapGrid(
      title: "Figure 4 of the THOR paper, with the exact Fisher and the damped inverses",
      subtitle: "\(comparison.dataset.name), \(comparison.labels.network), "
        + "\(comparison.labels.activation), start \(comparison.labels.initialization), "
        + "iteration \(Comparison.figureIteration(options)), seed \(options.seeds[0]), "
        + "layers \(options.layers.lowerBound)–\(options.layers.upperBound)",
      rows: [
        .init(
          title: "1  The paper's three panels, linear colour",
          groups: [.init(paper, kind: .magnitude, label: "|entry|")]),
        .init(
          title: "1  The same, logarithmic colour",
          groups: [.init(paper, kind: logarithmic, label: "|entry|")]),
        .init(
          title: "2  The exact Fisher and what each approximation misses, logarithmic colour",
          groups: [.init(fisher, kind: logarithmic, label: "|entry|")]),
        .init(
          title: "3  Damped inverses at λ = \(options.trainingLambda) (exact: F + λI; KFAC and "
            + "split: λ on each factor), logarithmic colour",
          groups: [.init(inverses, kind: logarithmic, label: "|entry|")]),
      ],
      caption: "Dashed lines separate layers. The paper compares the split with KFAC only (row 1); "
        + "row 2 compares all of them with the exact Fisher of the same batch.",
      panelSide: 240
    ).canvas
  }

  /// The matrix errors over the iterations of training, with the range of the seeds.
  private static func errors(_ comparison: Comparison, _ summary: ComparisonSummary) -> Canvas {
    let options = comparison.options
    let iterations = Set(comparison.points.map(\.iteration)).sorted()
    func series(
      _ name: String, _ kind: StructureKind, _ metric: ErrorMetric, _ reference: Reference
    ) -> LineSeries {
      let found = iterations.compactMap { iteration in
        summary.statistic(metric, reference, iteration: iteration, structure: kind)
          .map { (Double(iteration), $0) }
      }
      return LineSeries(
        name: name, x: found.map(\.0), y: found.map(\.1.mean), least: found.map(\.1.minimum),
        greatest: found.map(\.1.maximum))
    }
    let split = "split \(options.split)"
    let x = ChartAxis("iteration of training")
    return LineChartGrid(
      title: "The errors of Figure 4 over training",
      subtitle: "\(comparison.dataset.name), \(comparison.labels.network), "
        + "\(comparison.labels.activation), start \(comparison.labels.initialization), layers "
        + "\(options.layers.lowerBound)–\(options.layers.upperBound) together",
      panels: [
        .init(
          title: "(a) relative error of the split against KFAC", x: x,
          y: ChartAxis("‖F̂ − A⊗G‖ / ‖A⊗G‖", .logarithmic, limits: 0.005...1),
          series: [series(split, .kfacSplit, .relativeFrobenius, .kfac)],
          references: [
            ReferenceLine(0.05, name: "5 % (the paper, 10 iterations)"),
            ReferenceLine(0.01, name: "1 % (the paper, 50 iterations)"),
          ]),
        .init(
          title: "(b) largest entry of |split − KFAC|", x: x,
          y: ChartAxis("max |F̂ − A⊗G|", .logarithmic),
          series: [series(split, .kfacSplit, .maximumAbsolute, .kfac)]),
        .init(
          title: "(c) relative error against the exact blocks", x: x,
          y: ChartAxis("‖F̂ − F‖ / ‖F‖"),
          series: [
            series("KFAC", .kfac, .relativeFrobenius, .blocks),
            series("EKFAC", .ekfac, .relativeFrobenius, .blocks),
            series(split, .kfacSplit, .relativeFrobenius, .blocks),
          ]),
      ],
      columnCount: 3,
      caption: "Lines: means over \(NumberFormat.seeds(options)); bands: least to greatest. "
        + "Undamped matrices. The paper states neither norm, start nor damping."
    ).canvas
  }

  /// What share of the full-Fisher model decrease each structure's step loses, over λ.
  private static func stepQuality(_ comparison: Comparison, _ summary: ComparisonSummary) -> Canvas
  {
    let options = comparison.options
    func series(_ kind: StructureKind, _ rule: DampingRule, iteration: Int) -> LineSeries {
      let found = options.lambdas.compactMap { lambda in
        summary.statistic(
          .efficiency, .full, iteration: iteration, structure: kind, rule: rule, lambda: lambda,
          solver: "direct"
        ).map { (lambda, $0) }
      }
      // Bands for the paper's methods only: ten of them would hide each other.
      let hasBand = [.blockDiagonal, .kfac, .ekfac, .kfacSplit].contains(kind)
      return LineSeries(
        name: "\(kind.rawValue) (\(rule.rawValue))", x: found.map(\.0),
        y: found.map { 1 - $0.1.mean }, least: hasBand ? found.map { 1 - $0.1.maximum } : [],
        greatest: hasBand ? found.map { 1 - $0.1.minimum } : [])
    }
    let shown = options.structures.filter { $0 != .exact }
    let panels = options.iterations.map { iteration in
      shown.map { series($0, ComparisonOptions.preferredRule(of: $0), iteration: iteration) }
    }
    // One axis for all panels, down to the decade of the least value drawn.
    let least = panels.joined().flatMap { $0.y + $0.least }.filter { $0 > 0 }.min() ?? 0.1
    let decade = pow(10, log10(min(least, 0.1)).rounded(.down))
    var figure = LineChartGrid(
      title: "What a step loses against the exact natural gradient",
      subtitle: "\(comparison.dataset.name), \(comparison.labels.network), batch \(options.batch); "
        + "1 − η, the share of the full Fisher's best model decrease that is missed",
      panels: zip(options.iterations, panels).map { iteration, series in
        .init(
          title: "iteration \(iteration)", x: ChartAxis("damping λ", .logarithmic),
          y: ChartAxis("1 − η", .logarithmic, limits: decade...1), series: series)
      },
      columnCount: min(3, options.iterations.count),
      caption:
        "Each step at its best length. Reference: F + λI of the same batch over the compared "
        + "layers; in brackets the damping rule of the approximation. Lines: means over "
        + "\(NumberFormat.seeds(options)); bands (KFAC, EKFAC, split, exact blocks): least to greatest."
    )
    figure.plotHeight = 300
    return figure.canvas
  }
}
