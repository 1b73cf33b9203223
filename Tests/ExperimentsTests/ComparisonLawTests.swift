import Curvature
import DenseAlgebra
import Experiments
import Foundation
import Networks
import Testing

@Suite("What holds in every comparison")
struct ComparisonLawTests {
  let comparison: Comparison
  init() throws { comparison = try ComparisonSample.comparison.get() }

  private var measurements: [Experiments.Measurement] { comparison.points.flatMap(\.measurements) }

  @Test func pointsAreInTheOrderOfSeedsThenIterations() {
    // 0 and 2 were asked for, 0 and 5 are where the errors are followed.
    #expect(comparison.points.map(\.seed) == [4, 4, 4, 9, 9, 9])
    #expect(comparison.points.map(\.iteration) == [0, 2, 5, 0, 2, 5])
  }

  @Test func noStructureIsComparedWithItself() {
    // What a step does to the loss is no comparison: the exact step's own numbers are wanted too.
    let outcomes: Set<ErrorMetric> = [
      .decreaseAtOne, .decreaseAtBest, .divergenceAtOne, .divergenceAtBest,
    ]
    for row in measurements where row.fisher == "exact" && (row.solver ?? "direct") == "direct" {
      let isOutcome = outcomes.contains(row.metric)
      #expect(isOutcome || row.structure != row.reference.structure, "\(row)")
    }
  }

  @Test func everyStructureHasAStepAgainstTheFullFisher() {
    let counts = measurements.reduce(into: [:]) { $0[$1.marks, default: 0] += 1 }
    for kind in StructureKind.allCases where kind != .exact {
      for rule in ComparisonSample.options.rules(for: kind) {
        for lambda in [0.01, 0.1] {
          let marks = Marks(
            place: .network, fisher: "exact", structure: kind, rule: rule, lambda: lambda,
            solver: "direct", reference: .full, metric: .efficiency)
          // Two seeds at two iterations.
          #expect(counts[marks] == 4, "\(marks)")
        }
      }
    }
  }

  @Test func noStepKeepsMoreThanTheWholeDecrease() {
    for row in measurements where row.metric == .efficiency {
      // Cauchy–Schwarz, up to round-off.
      #expect(row.value >= 0 && row.value <= 1 + 1e-12, "\(row)")
    }
  }

  @Test func aSplitAsLargeAsTheFactorsIsKFAC() throws {
    var options = ComparisonSample.options
    options.split = 6
    options.structures = [.kfac, .kfacSplit]
    options.iterations = [2]
    options.seeds = [4]
    let points = try ComparisonSample.comparison(options).points
    let errors: Set<ErrorMetric> = [.relativeFrobenius, .maximumAbsolute]
    let zeros = points.flatMap(\.measurements).filter {
      $0.structure == .kfacSplit && $0.reference == .kfac && errors.contains($0.metric)
    }
    #expect(zeros.count == 3 * 2 * 3, "two layers and the network, two metrics, three iterations")
    #expect(zeros.allSatisfy { $0.value == 0 })
    // Against any other reference the split has the very numbers of KFAC.
    let last = try #require(points.first { $0.iteration == 2 })
    var kfac: [Marks: Double] = [:]
    for row in last.measurements where row.structure == .kfac { kfac[row.marks] = row.value }
    var compared = 0
    for row in last.measurements where row.structure == .kfacSplit && row.reference != .kfac {
      var twin = row.marks
      twin.structure = .kfac
      #expect(kfac[twin] == row.value, "\(row)")
      compared += 1
    }
    #expect(compared > 100)
  }

  @Test func aSecondRunGivesTheSameTable() throws {
    let again = try ComparisonSample.comparison(ComparisonSample.options)
    #expect(again.csv() == comparison.csv())
    let seeds = ComparisonSample.options.seeds.count
    #expect(
      ComparisonSummary(again).csv(seeds: seeds) == ComparisonSummary(comparison).csv(seeds: seeds))
  }

  @Test func theSummaryHasMeanDeviationAndRangeOfTheSeeds() throws {
    let summary = ComparisonSummary(comparison)
    let marks = Marks(
      place: .layer(3), fisher: "exact", structure: .ekfac, reference: .blocks,
      metric: .relativeFrobenius)
    let values = comparison.points.filter { $0.iteration == 2 }.flatMap(\.measurements)
      .filter { $0.marks == marks }.map(\.value)
    try #require(values.count == 2)
    let found = try #require(
      summary.statistic(
        .relativeFrobenius, .blocks, iteration: 2, place: .layer(3), structure: .ekfac))
    #expect(found.count == 2)
    #expect(found.mean == (values[0] + values[1]) / 2)
    #expect(found.minimum == values.min() && found.maximum == values.max())
    let deviation = abs(values[0] - values[1]) / 2.0.squareRoot()
    #expect(abs(found.deviation - deviation) <= 1e-14 * deviation)
  }

  @Test func oneSeedHasNoDeviation() throws {
    var options = ComparisonSample.options
    options.seeds = [4]
    options.structures = [.kfac]
    options.iterations = [0]
    options.lastIteration = 0
    let found = ComparisonSummary(try ComparisonSample.comparison(options))
      .statistic(.relativeFrobenius, .blocks, iteration: 0, structure: .kfac)
    #expect(found?.deviation == 0 && found?.count == 1)
  }

  /// As many iterations and layers as by default: 150 rows must hold the layers too.
  @Test func theSummaryOfTheDefaultsHasLayersAndAtMost150Rows() throws {
    var options = ComparisonSample.options
    options.widths = [6, 5, 4, 4, 3]
    options.layers = ComparisonOptions().layers
    options.iterations = [0, 1, 2]
    options.lastIteration = 0
    options.seeds = [1]
    options.lambdas = [0.01]
    #expect(ComparisonOptions().iterations.count == 3)
    let rows = ComparisonSummary(try ComparisonSample.comparison(options)).rows
    #expect(rows.count <= 150)
    for number in options.layers {
      #expect(rows.contains { $0.place == .layer(number) && $0.structure == .kfac })
    }
    let whole = rows.filter { $0.place == .network && $0.iteration == 2 }
    // Each structure once, KFAC under `factor` too, and the two conjugate-gradient operators.
    #expect(whole.count == StructureKind.allCases.count + 1 + 2)
    // One layer more at one iteration more would not fit: then the layers go.
    options.iterations = [0, 1, 2, 3, 4]
    let longer = ComparisonSummary(try ComparisonSample.comparison(options)).rows
    #expect(longer.count <= 150 && longer.allSatisfy { $0.place == .network })
  }

  @Test func theReportPrintsMeanAndDeviationInPercent() throws {
    let summary = ComparisonSummary(comparison)
    let report = ComparisonReport(comparison, summary)
    let split = try #require(
      summary.statistic(.relativeFrobenius, .kfac, iteration: 2, structure: .kfacSplit))
    func percent(_ value: Double) -> String {
      value < 0.1
        ? String(format: "%.2g %%", 100 * value) : String(format: "%.1f %%", 100 * value)
    }
    #expect(report.sentences.count == 2)
    #expect(
      report.sentences[0].contains(
        "2 seeds: \(percent(split.mean)) ± \(percent(split.deviation)) relative Frobenius"))
    #expect(report.sentences[0].contains("Split 2 against KFAC on teacher, start he"))
    #expect(report.table.contains("\nkfac-split 2 "))
  }

  @Test func aPerfectSplitIsPrintedAsZeroPercent() throws {
    var options = ComparisonSample.options
    options.split = 100
    let comparison = try ComparisonSample.comparison(options)
    let report = ComparisonReport(comparison, ComparisonSummary(comparison))
    #expect(
      report.sentences[0].contains(
        "0 % ± 0 % relative Frobenius (largest entry 0 ± 0) after 2 iterations"))
  }

  @Test func figuresHaveKnownCharactersAndAlternativeTexts() throws {
    let figures = try ComparisonFigures(comparison, ComparisonSummary(comparison)).canvases
    #expect(figures.map(\.name) == ["figure4", "figure4-errors", "step-quality"])
    for (name, canvas) in figures {
      #expect(canvas.alternativeText.count >= 30, "\(name)")
      #expect(canvas.texts.count > 10, "\(name)")
      for text in canvas.texts {
        #expect(TextMetrics.unknownCharacters(in: text.string) == [], "\(name): \(text.string)")
      }
    }
  }

  @Test func figureFourIsDrawnOnlyWithItsStructuresAndDenseMatrices() throws {
    var options = ComparisonSample.options
    options.iterations = [0]
    options.lastIteration = 0
    options.seeds = [4]
    func names(_ options: ComparisonOptions) throws -> [String] {
      let comparison = try ComparisonSample.comparison(options)
      return try ComparisonFigures(comparison, ComparisonSummary(comparison)).canvases.map(\.name)
    }
    #expect(try names(options) == ["figure4", "step-quality"], "one iteration has no course")
    options.structures = [.exact, .kfac, .ekfac]
    #expect(try names(options) == ["step-quality"])
    options.structures = [.exact]
    #expect(try names(options) == ["step-quality"])
    options.structures = StructureKind.allCases
    options.dense = false
    #expect(try names(options) == ["step-quality"])
  }

  @Test func withoutDenseMatricesTheStepsAreTheSame() throws {
    var options = ComparisonSample.options
    options.dense = false
    var compared = 0
    for (point, dense) in zip(try ComparisonSample.comparison(options).points, comparison.points) {
      var known: [Marks: Double] = [:]
      for row in dense.measurements { known[row.marks] = row.value }
      for row in point.measurements {
        #expect(row.metric.family == .step)
        let other = try #require(known[row.marks], "\(row)")
        guard row.metric == .efficiency else { continue }
        #expect(abs(row.value - other) < 1e-9, "\(row)")
        compared += 1
      }
    }
    #expect(compared > 100)
  }
}
