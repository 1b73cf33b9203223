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
  /// The two matrices: mistakes of one batch, and mistakes of a trajectory.
  enum Matrices: String, CaseIterable, Sendable {
    case mistakes
    case trajectoryMistakes = "trajectory-mistakes"

    static let ofBatches = Result { try MistakeDistances(Mistake.all) }
    static let ofTrajectories = Result { try MistakeDistances(TrajectoryMistake.all) }

    func get() throws -> MistakeDistances {
      switch self {
      case .mistakes: try Matrices.ofBatches.get()
      case .trajectoryMistakes: try Matrices.ofTrajectories.get()
      }
    }

    /// The option that writes it.
    var option: String {
      switch self {
      case .mistakes: "--distances"
      case .trajectoryMistakes: "--trajectory-distances"
      }
    }
  }

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

  @Test(
    "Every mistake of a trajectory is caught: right code passes the tests that it fails",
    arguments: TrajectoryMistake.all)
  func everyMistakeOfATrajectoryIsCaught(_ mistake: TrajectoryMistake) throws {
    #expect(!mistake.caughtBy.isEmpty)
    for test in mistake.caughtBy {
      let right = try TrajectoryChecks.run(test, TrajectoryRecipe(), mistake.home)
      let wrong = try TrajectoryChecks.run(test, mistake.recipe, mistake.home)
      #expect(
        right.value <= right.limit,
        "\(test) refuses right code at the home of \(mistake.id): \(right)")
      #expect(wrong.value >= wrong.failure, "\(test) lets \(mistake.id) pass: \(wrong)")
    }
  }

  @Test("The numbers and forms are different, and names differ")
  func everyMistakeHasItsOwnName() {
    let all = MistakeCatalogue.all
    #expect(Set(all.map(\.id)).count == all.count)
    #expect(Set(all.map(\.name)).count == all.count)
    #expect(Set(all.map(\.mark)).count == all.count)
  }

  @Test("The catalogue holds M-01 to M-67, each in one of the two lists, in order")
  func theCatalogueIsComplete() {
    let batches = Set(Mistake.all.map(\.number))
    let trajectories = Set(TrajectoryMistake.all.map(\.number))
    #expect(trajectories == [36, 37, 40, 41, 52, 58, 59, 62, 63])
    #expect(batches.isDisjoint(with: trajectories))
    #expect(Set(MistakeCatalogue.all.map(\.number)) == Set(1...67))
    #expect(MistakeCatalogue.all.count == Mistake.all.count + TrajectoryMistake.all.count)
    let ids = MistakeCatalogue.all.map(\.id)
    #expect(ids == ids.sorted())
  }

  @Test(
    "On the home of each mistake its dump is at least 1e-3 from every other and from the right one",
    arguments: Matrices.allCases)
  func mistakesAreTold(matrix: Matrices) throws {
    let distances = try matrix.get()
    for (id, row) in zip(distances.ids, distances.rows) {
      for (column, cell) in row.enumerated() {
        let other = column == 0 ? "right" : distances.ids[column - 1]
        guard case .difference(let value) = cell else { continue }
        #expect(
          other == id ? value == 0 : value >= 1e-3,
          "\(id) is \(value) from \(other)")
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

  @Test(
    "The committed matrices of distances are what the command writes", arguments: Matrices.allCases)
  func theCommittedMatrixIsCurrent(matrix: Matrices) throws {
    let file = "reports/\(matrix.rawValue).csv"
    let committed = try String(contentsOfFile: Fixtures.path(file), encoding: .utf8)
      .split(separator: "\n")
    let current = String(decoding: try matrix.get().csv, as: UTF8.self).split(separator: "\n")
    #expect(committed.count == current.count)
    for (old, new) in zip(committed, current) where old != new {
      Issue.record(
        """
        write it anew, natgrad list mistakes \(matrix.option) Fixtures/\(file), and build; \
        committed: \(old); now: \(new)
        """)
    }
  }
}

extension Mistake: CustomTestStringConvertible {
  public var testDescription: String { "\(id) \(name)" }
}

extension TrajectoryMistake: CustomTestStringConvertible {
  public var testDescription: String { "\(id) \(name)" }
}
