import Experiments
import Testing

@Suite("Ranks, quantiles and line searches of the items on steps")
struct StepMeasureTests {
  @Test func equalValuesShareTheMeanOfTheirRanks() {
    #expect(RankCorrelation.ranks([10, 30, 20, 20]) == [1, 4, 2.5, 2.5])
    #expect(RankCorrelation.ranks([7, 7, 7]) == [2, 2, 2])
    #expect(RankCorrelation.ranks([]) == [])
  }

  /// Without ties ρ = 1 − 6 Σ d²/(n³ − n): here Σ d² = 194 and n = 10, so ρ = −29/165.
  @Test func spearmanWithoutTiesIsTheFormulaOfTheDifferences() throws {
    let x = [106.0, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    let y = [7.0, 27, 2, 50, 28, 29, 20, 12, 6, 17]
    let ρ = try #require(RankCorrelation.spearman(x, y))
    #expect(abs(ρ + 29.0 / 165) < 1e-15)
  }

  /// Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: 4.5/√(4.5 · 5) = 3/√10; the formula without ties gives 0.95.
  @Test func spearmanWithTiesIsThePearsonOfTheRanks() throws {
    let ρ = try #require(RankCorrelation.spearman([1, 2, 2, 3], [1, 3, 2, 4]))
    #expect(abs(ρ - 3 / 10.0.squareRoot()) < 1e-15)
  }

  @Test func onlyTheOrderMattersAndReversalFlipsTheSign() {
    let x = [0.1, 5, 2, 9, -3]
    #expect(RankCorrelation.spearman(x, x.map { $0 * $0 * $0 }) == 1)
    #expect(RankCorrelation.spearman(x, x.map { -$0 }) == -1)
  }

  @Test func aConstantSideHasNoCorrelation() {
    #expect(RankCorrelation.spearman([1, 2, 3], [4, 4, 4]) == nil)
    #expect(RankCorrelation.spearman([1], [2]) == nil)
  }

  /// NumPy's default for [1, 2, 4, 8]: quartiles 1.75 and 5, median 3.
  @Test func quantilesAreThoseOfNumPy() throws {
    let summary = try #require(SampleSummary([8, 1, .nan, 4, 2]))
    #expect(summary.quantile(0.25) == 1.75)
    #expect(summary.median == 3)
    #expect(summary.quantile(0.75) == 5)
    #expect(summary.mean == 3.75 && summary.least == 1 && summary.greatest == 8)
    #expect(SampleSummary([.nan]) == nil)
  }

  /// d(α) = 2α − α²/3 is largest at α = 3 with d = 3; twelve golden sections of one octave or two leave
  /// α to 2·0.618¹² octaves, and d to the square of that.
  @Test(arguments: [0.01, 0.4, 1, 3, 900]) func theTopOfAParabolaIsFound(start: Double) {
    let best = LineSearch.best(from: start) { 2 * $0 - $0 * $0 / 3 }
    #expect(abs(best.length / 3 - 1) < 0.01)
    #expect(best.decrease <= 3 && best.decrease > 3 - 1e-4)
  }

  @Test func aLossThatOverflowsIsNoDecrease() {
    let best = LineSearch.best(from: 1) { $0 > 2 ? .nan : $0 }
    #expect(best.length <= 2 && best.length > 1.99)
    #expect(best.decrease == best.length)
  }
}
