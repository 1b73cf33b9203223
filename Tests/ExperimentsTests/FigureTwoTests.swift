import Experiments
import Optimization
import Testing

@Suite("Figure 2: where the change rate lies")
struct FigureTwoTests {
  private func row(_ changes: [[Double]], layer: Int = 1, reading: TraceRule.Reading = .product)
    -> FigureTwo.Row
  {
    FigureTwo.Row(test(reading: reading), layer: layer, changes: changes)
  }

  private func test(
    reading: TraceRule.Reading = .product, statistic: FigureTwo.Statistic = .exact
  ) -> FigureTwo.Test {
    FigureTwo.Test(
      training: FigureTwo.trainings[0], testLambda: FigureTwo.lambdas[0], stride: 1,
      statistic: statistic, reading: reading)
  }

  /// Inside, level, and large at first.
  private let stated = Array(repeating: 0.04, count: 5) + Array(repeating: 0.004, count: 15)
  /// Above the interval, and no larger at first.
  private let flat = Array(repeating: 0.05, count: 20)

  @Test func aRowCountsItsTests() {
    // The ends of (0.001, 0.01) lie outside.
    let row = row([[0.02, 0.01, 0.005, 0.002, 0.001], [0.0005, 0.003, 0.004, 0.006, 0.5]])
    #expect(row.count == 10)
    #expect(abs(row.inside - 0.5) < 1e-15 && !row.isInside, "half is not most")
    #expect(abs(row.above - 0.3) < 1e-15 && abs(row.below - 0.2) < 1e-15)
  }

  @Test func theCriteriaGoBothWays() {
    let yes = row([stated, stated])
    #expect(yes.isLargeFirst && yes.isLargeAtOnce && yes.isLevel && yes.isInside)
    #expect(yes.first == 0.04 && yes.early == 0.04 && yes.third == 0.004 && yes.last == 0.004)
    #expect(!yes.isAroundThousandth)
    let no = row([flat])
    #expect(!no.isLargeFirst && !no.isLargeAtOnce && no.isLevel && !no.isInside)
    let once = row([[0.04] + Array(repeating: 0.004, count: 19)])
    #expect(!once.isLargeFirst && once.isLargeAtOnce)
    let falling = row([Array(stated.prefix(15)) + Array(repeating: 0.001, count: 5)])
    #expect(!falling.isLevel)
    #expect(row([Array(repeating: 0.0011, count: 9)]).isAroundThousandth)
    #expect(row([[.nan, 0.004]]).count == 1, "0/0 is no test")
  }

  @Test func theVerdictNeedsMostLayers() {
    func rows(_ layers: [[Double]], _ reading: TraceRule.Reading = .product) -> [FigureTwo.Row] {
      layers.enumerated().map { row([$1], layer: $0 + 1, reading: reading) }
    }
    #expect(FigureTwo.verdict(rows([stated, stated, flat]), \.isInside) == .reproduced)
    #expect(FigureTwo.verdict(rows([stated, flat, flat]), \.isInside) == .notFound)
    #expect(FigureTwo.verdict(rows([stated, flat]), \.isInside) == .notFound, "half is not most")
    let other = rows([flat, flat]) + rows([stated, stated], .undamped)
    #expect(FigureTwo.verdict(other, \.isInside) == .inFormOnly)
    #expect(FigureTwo.verdict(other, \.isInside, statistics: [.average]) == .notFound)
    #expect(
      FigureTwo.verdict(rows([flat, flat]), \.isInside, orWeaker: \.isLevel) == .inFormOnly)
  }

  @Test func aSmallerLambdaInTheTestRaisesTheLiteralChange() throws {
    let run = try CurvatureTrajectoryTests.run.get()
    var test = test()
    let high = FigureTwo.changes(run, layer: 2, test)
    test.testLambda = FigureTwo.lambdas[1]
    let low = FigureTwo.changes(run, layer: 2, test)
    #expect(high.map(\.step) == Array(stride(from: 2, through: 30, by: 2)))
    for (one, other) in zip(high, low) { #expect(one.change < other.change) }
    // |tr A′ tr G′ − tr A tr G| / (tr A tr G + λ d_A d_G), by hand; layer 2 is 4 × 6.
    let records = run.records(ofLayer: 2)
    let (old, new) = (
      records[0].exact.a * records[0].exact.g, records[1].exact.a * records[1].exact.g
    )
    let expected = abs(new - old) / (old + 0.3 * 24)
    #expect(abs(high[0].change - expected) <= 1e-13 * expected)
    test.stride = 5
    #expect(FigureTwo.changes(run, layer: 2, test).map(\.step) == [10, 20, 30])
  }

  @Test func figureTwoHasItsTablesAndItsFigures() throws {
    var settings = CurvatureTrajectoryTests.settings
    settings.steps = 24
    let result = try FigureTwo.result(ReproductionSample.context(), settings)
    #expect(result.tables.map(\.name) == ["shares", "traces"])
    #expect(
      result.tables[0].rows.count == 4 * 2 * 3 * 5 * 3,
      "trainings with λ, distances, statistics, readings, layers")
    #expect(result.figures.map(\.name) == ["figure-2", "figure-2-lambda"])
    #expect(result.claims.count == 2)
    #expect(result.remarks[0].contains("rises from"), "the test's λ alone: \(result.remarks[0])")
  }
}
