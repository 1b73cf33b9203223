import DataFiles
import Experiments
import Foundation
import Testing

@Suite("Items of printed numbers")
struct PrintedNumbersTests {
  /// An item's result; these items compute nothing that depends on data.
  private func result(_ id: String) throws -> ReproductionResult {
    let item = try #require(ReproductionItem.all.first { $0.id == id })
    let small = try DatasetSource.teacher.load(widths: [3, 2])
    let training = try DatasetSource.teacher.loadParts(widths: [3, 2])
    return try item.run(
      ReproductionContext(
        isQuick: true, seeds: [1], data: ReproductionData(small: small, training: training)
      ) { _, _, _ in })
  }

  @Test func roundedNumbersMayDifferByHalfAUnitOfTheLastDigit() {
    // 4083.20/60 = 68.053…
    #expect(
      PrintedCheck.rounded("m", printed: 68.1, computed: 4083.20 / 60, decimals: 1).isConsistent)
    #expect(
      !PrintedCheck.rounded("m", printed: 68.0, computed: 4083.20 / 60, decimals: 1).isConsistent)
    #expect(PrintedCheck.rounded("m", printed: 0.5, computed: 0.55, decimals: 1).isConsistent)
    #expect(!PrintedCheck.rounded("m", printed: 0.5, computed: 0.5501, decimals: 1).isConsistent)
  }

  @Test func oneNumberThatDisagreesMakesAClaimNotFound() {
    let good = PrintedCheck.rounded("a", printed: 1, computed: 1.2, decimals: 0)
    let bad = PrintedCheck.rounded("b", printed: 1, computed: 1.6, decimals: 0)
    #expect(
      Claim.arithmetic("s", place: "p", [good, good], decimals: 1).verdict == .arithmeticConsistent)
    let claim = Claim.arithmetic("s", place: "p", [good, bad], decimals: 1)
    #expect(claim.verdict == .notFound)
    #expect(claim.reason.contains("1 of 2"))
    #expect(claim.finding.contains("b = 1.6, printed 1.0"))
  }

  @Test(arguments: [(3, 3, Claim.Verdict.reproduced), (1, 3, .inFormOnly), (0, 3, .notFound)])
  func aStatementHoldsInAllSomeOrNone(_ holding: Int, _ all: Int, _ verdict: Claim.Verdict) {
    #expect(Claim.Verdict(holdingIn: holding, of: all) == verdict)
  }

  @Test func theDifferencesAndMinutesOfTheTextFollowFromTheTables() throws {
    // Specification, section 7.9: the differences and minutes follow; "half the time" is 57 %, and
    // 66.7 minutes are THOR_stop's (section 7.11).
    let claims = try result("table-4").claims
    func verdict(_ words: String) throws -> Claim.Verdict {
      try #require(claims.first { $0.statement.contains(words) }).verdict
    }
    #expect(try verdict("78 epochs") == .arithmeticConsistent)
    #expect(try verdict("68.1min") == .arithmeticConsistent)
    #expect(try verdict("152.67s") == .arithmeticConsistent)
    #expect(try verdict("half the time") == .notFound)
    #expect(try verdict("training ResNet-50 on ImageNet with THOR") == .notFound)
    #expect(try verdict("Figure 10") == .outOfScope)
  }

  @Test func aboutFortyPercentIsSavedAndMomentumIsFirstAt94Percent() throws {
    let remarks = try result("table-4").remarks
    // 1 − 66.7/117 = 0.4299…
    #expect(remarks.contains { $0.contains("43.0 %, which is consistent") })
    #expect(remarks.contains { $0.contains("Momentum is the fastest there") })
  }

  @Test func tableFiveCountsDeviceMinutes() throws {
    let result = try result("table-5")
    let table = try #require(result.tables.first)
    #expect(table.rows.count == 9)
    // 8 · 66.7 min against 128 · 32.5 min.
    #expect(result.claims[1].finding.contains("533.6 device-minutes against 4160"))
    #expect(result.claims.map(\.verdict) == [.outOfScope, .arithmeticConsistent])
  }

  @Test func figureEightFollowsTheEquationsButEq15EndsLater() throws {
    let result = try result("figure-8")
    #expect(
      result.claims.map(\.verdict) == [
        .arithmeticConsistent, .arithmeticConsistent, .inFormOnly, .outOfScope,
      ])
    // Eq. 15 reaches 0 at e_warmup + e_end: 60 and 53 (specification, section 7.7).
    #expect(result.claims[2].finding.contains("imagenet-4096 60 (55)"))
    #expect(result.claims[2].finding.contains("imagenet-8192 53 (48)"))
    // 0.045 · (1 − 40/70)⁶ = 0.045 · (3/7)⁶ and 0.03 · 0.87⁴ = 0.03 · 0.57289761.
    let schedules = try #require(result.tables.first { $0.name == "schedules" })
    let wanted: [CSV.Cell] = [.text("imagenet-256"), .number(40)]
    let row = try #require(schedules.rows.first { Array($0.prefix(2)) == wanted })
    guard case .number(let rate) = row[2], case .number(let damping) = row[3] else {
      Issue.record("no numbers in \(row)")
      return
    }
    let expectedRate: Double = 0.045 * 729 / 117_649
    let expectedDamping: Double = 0.03 * 0.57289761
    #expect(abs(rate - expectedRate) <= 1e-13 * expectedRate)
    #expect(abs(damping - expectedDamping) <= 1e-13 * expectedDamping)
  }
}
