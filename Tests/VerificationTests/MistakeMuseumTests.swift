import DenseAlgebra
import Fixtures
import Foundation
import Networks
import TestSupport
import Testing
import Verification

/// What holds for every mistake of the catalogue.
@Suite("The catalogue of mistakes")
struct MistakeMuseumTests {
  private static let distances = MistakeDistances()

  @Test(
    "Every mistake is caught: right code passes the tests that it fails", arguments: Mistake.all)
  func everyMistakeIsCaught(_ mistake: Mistake) throws {
    #expect(!mistake.caughtBy.isEmpty)
    for test in mistake.caughtBy {
      let right = try MistakeChecks.run(test, CurvatureRecipe(), mistake.home)
      let wrong = try MistakeChecks.run(test, mistake.recipe, mistake.home)
      #expect(
        right.value <= right.limit,
        "\(test) refuses right code at the home of \(mistake.id): \(right)")
      #expect(wrong.value >= wrong.failure, "\(test) lets \(mistake.id) pass: \(wrong)")
    }
  }

  @Test("The numbers and forms are different, and names differ", arguments: [Mistake.all])
  func everyMistakeHasItsOwnName(_ all: [Mistake]) {
    #expect(Set(all.map(\.id)).count == all.count)
    #expect(Set(all.map(\.name)).count == all.count)
    #expect(Set(all.map(\.mark)).count == all.count)
  }

  @Test("The catalogue holds M-01 to M-67 without those that need an optimizer's memory")
  func theCatalogueIsComplete() {
    let left = [36, 37, 40, 41, 52, 58, 59, 62, 63]
    #expect(Set(Mistake.all.map(\.number)) == Set(1...67).subtracting(left))
  }

  @Test(
    "On the home of each mistake its dump is at least 1e-3 from every other and from the right one")
  func mistakesAreTold() {
    let distances = MistakeMuseumTests.distances
    for (mistake, row) in zip(distances.mistakes, distances.rows) {
      for (column, cell) in row.enumerated() {
        let other = column == 0 ? "right" : distances.mistakes[column - 1].id
        guard case .difference(let value) = cell else { continue }
        #expect(
          other == mistake.id ? value == 0 : value >= 1e-3,
          "\(mistake.id) is \(value) from \(other)")
      }
    }
  }

  @Test("On every home all mistakes that apply there change something", arguments: Mistake.all)
  func aMistakeThatAppliesChangesSomething(_ mistake: Mistake) {
    for home in [CurvatureSetting.dense, .gaussian, .sequence, .sequenceReduced, .convolution] {
      guard mistake.whyNotApplicable(to: home) == nil else { continue }
      switch mistake.dump(home).distance(to: CurvatureRecipe().dump(home)) {
      case .difference(let value, _):
        #expect(value > 1e-9, "\(mistake.id) changes nothing on \(home.name)")
      case .shapes: continue
      }
    }
  }

  @Test("The committed matrix of distances is what the command writes")
  func theCommittedMatrixIsCurrent() throws {
    let path = try Fixtures.path("reports/mistakes.csv")
    let committed = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let current = String(decoding: MistakeMuseumTests.distances.csv, as: UTF8.self).split(
      separator: "\n")
    #expect(committed.count == current.count)
    for (old, new) in zip(committed, current) where old != new {
      Issue.record(
        """
        write it anew, natgrad list mistakes --distances Fixtures/reports/mistakes.csv, and build; \
        committed: \(old); now: \(new)
        """)
    }
  }
}

extension Mistake: CustomTestStringConvertible {
  public var testDescription: String { "\(id) \(name)" }
}
