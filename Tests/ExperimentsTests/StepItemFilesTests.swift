import Experiments
import Networks
import Testing

@Suite("The items on steps as a whole")
struct StepItemFilesTests {
  static let names = [
    "waterfall", "blind-spots", "damping-laboratory", "staleness", "fidelity",
  ]

  /// A teacher's data of 6 inputs and 3 classes, so that a quick item takes a moment.
  private func context() throws -> ReproductionContext {
    let data = try Dataset.teacher(
      widths: [6, 5, 3], activation: .tanh, likelihood: .categorical, count: 360, seed: 5)
    let loaded = try DatasetSource.teacher.load(widths: [6, 5, 3])
    let parts = TrainingData(
      training: data.subset(Array(0..<300)), test: data.subset(Array(300..<360)), classCount: 3,
      files: [], testOrigin: "the rest")
    return ReproductionContext(
      isQuick: true, seeds: [1], data: ReproductionData(small: loaded, training: parts),
      progress: { _, _, _ in })
  }

  private func run(_ name: String) throws -> ReproductionResult {
    let item = try #require(ReproductionItem.all.first { $0.id == name })
    #expect(!item.isOfPaper)
    return try item.run(context())
  }

  @Test(arguments: names) func everyItemFillsItsTablesAndItsClaims(name: String) throws {
    let result = try run(name)
    #expect(result.tables.allSatisfy { !$0.rows.isEmpty }, "an empty table")
    #expect(Set(result.tables.map(\.name)).count == result.tables.count)
    #expect(!result.figures.isEmpty && !result.claims.isEmpty)
    for claim in result.claims {
      #expect(!claim.finding.isEmpty && !claim.reason.isEmpty)
      #expect(!claim.finding.contains("nan") && !claim.finding.contains("Optional"))
    }
  }

  @Test func theSameSeedGivesTheSameBytes() throws {
    #expect(try run("waterfall").tables == run("waterfall").tables)
  }
}
