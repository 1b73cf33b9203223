import Experiments
import Optimization
import Testing

@Suite("Criteria of the verdicts on splits and costs")
struct SplitVerdictTests {
  @Test(arguments: [
    (104.5, 0.2135, Claim.Verdict.arithmeticConsistent),  // as recomputed
    (103.0, 0.2135, .notFound),  // three off: more than a thousandth of the axis
    (106.0, 0.2160, .notFound),  // rounds to 0.22
  ])
  func aCrossingIsTheStatedOneUpToTheReadingOfAPlot(
    _ position: Double, _ height: Double, _ verdict: Claim.Verdict
  ) {
    let table = PublishedSplitTable.resNet50OnAscend910
    // A choice is only made by curves: two lines through the wanted point.
    let curves = SplitTradeOff(
      sizes: [0, 1000], retainedFraction: [0, height * 1000 / position],
      performance: [1, 1 - (1 - height) * 1000 / position])
    let stated = PublishedSplitTable.statedChoice
    #expect(
      FigureFive.crossingVerdict(curves.choice(), stated: (stated.position, stated.height))
        == verdict)
    #expect(
      FigureFive.crossingVerdict(nil, stated: (stated.position, stated.height)) == .notFound)
    #expect(table.tradeOff().choice()?.size == stated.size)
  }

  @Test func aSplitThatIsNotTwiceAsFastIsNotFound() {
    #expect(FigureFive.speedVerdict(10) == .inFormOnly)
    #expect(FigureFive.speedVerdict(1.9) == .notFound)
  }

  @Test func timesRunAlongLinesAndBeyondTheLastByTheCube() {
    let choice = SplitChoice(
      measured: InversionTimes(sizes: [1, 2, 4], seconds: [1, 2, 8], samples: [3, 3, 3]),
      extrapolatingTo: [8])
    #expect(choice.times.seconds == [1, 2, 8, 64])
    #expect(choice.times.samples == [3, 3, 3, 0])
    #expect(choice.time(3) == 5)
    #expect(choice.time(16) == 512)
    // 5 = 2 + 2 + 1 by blocks of 2; 4 is not split by 4; 3 whole lies between 2 and 4.
    #expect(choice.seconds(inverting: [5], split: 2) == 2 + 2 + 1)
    #expect(choice.seconds(inverting: [4, 3], split: 4) == 8 + 5)
    #expect(choice.seconds(inverting: [4, 8], split: nil) == 8 + 64)
  }

  @Test func smallMeansATenthAndInFormAHalf() {
    #expect(ConjugateGradientClaims.smallness(0.1) == .reproduced)
    #expect(ConjugateGradientClaims.smallness(0.5) == .inFormOnly)
    #expect(ConjugateGradientClaims.smallness(0.51) == .notFound)
    #expect(ConjugateGradientClaims.smallness(.nan) == .notFound)
  }

  @Test func muchLessMeansAtMostHalf() {
    #expect(ConjugateGradientClaims.isMuchLess(1, than: 2))
    #expect(!ConjugateGradientClaims.isMuchLess(1.01, than: 2))
  }

  @Test func sharesAndSlopes() {
    #expect(ConjugateGradientClaims.share(of: [1, 20, 21, 40], within: 20) == 0.5)
    #expect(ConjugateGradientClaims.share(of: [], within: 20) == 0)
    #expect(ConjugateGradientClaims.slope([0, 1, 2], [5, 5.5, 6]) == 0.5)
  }

  @Test func ekfacIsSlowerWhereTimeAndOperationsAreMore() {
    #expect(EKFACCost.verdict(time: 2, operations: 3) == .reproduced)
    #expect(EKFACCost.verdict(time: 0.9, operations: 3) == .inFormOnly)
    #expect(EKFACCost.verdict(time: 0.9, operations: 1) == .notFound)
  }

  @Test func aTimeThatGrowsLikeTheBatchCrossesAtItsPower() {
    // t = N: 5 lies between 4 and 8 on a straight line of the logarithms.
    let found = BreakEvenTimes.crossing([1, 2, 4, 8], [1, 2, 4, 8], above: 5)
    #expect(abs((found ?? 0) - 5) < 1e-12)
    #expect(BreakEvenTimes.crossing([1, 2], [1, 2], above: 9) == nil)
    #expect(BreakEvenTimes.crossing([1, 2], [1, 2], above: 0.5) == nil)
  }
}
