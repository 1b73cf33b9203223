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

  @Test(
    "Dumps of different mistakes are at least 1e-3 apart on their homes, or the reason is stated")
  func mistakesAreTold() {
    let distances = MistakeDistances()
    for (mistake, row) in zip(distances.mistakes, distances.rows) {
      for (column, cell) in row.enumerated() {
        let other = column == 0 ? "right" : distances.mistakes[column - 1].id
        guard case .difference(let value) = cell, other != mistake.id, value < 1e-3 else {
          continue
        }
        let reason = Mistake.reason(that: mistake.id, looksLike: other)
        #expect(reason != nil, "\(mistake.id) is \(value) from \(other)")
      }
    }
  }

  @Test("Every stated reason is needed")
  func noReasonIsStale() {
    let distances = MistakeDistances()
    for pair in Mistake.lookAlikes {
      let values = distances.rows.indices.flatMap { row in
        distances.mistakes.indices.compactMap { column -> Double? in
          let ids = [distances.mistakes[row].id, distances.mistakes[column].id]
          guard Set(ids) == Set(pair.mistakes),
            case .difference(let value) = distances.rows[row][column + 1]
          else { return nil }
          return value
        }
      }
      #expect(values.contains { $0 < 1e-3 }, "\(pair.mistakes) are told apart by now")
    }
  }

  @Test("The committed matrix of distances is what the command writes")
  func theCommittedMatrixIsCurrent() throws {
    let path = try Fixtures.path("reports/mistakes.csv")
    let committed = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let current = String(decoding: MistakeDistances().csv, as: UTF8.self).split(separator: "\n")
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
