import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import Networks
import Optimization
import Verification

/// A case of tier T4: a run that NumPy made, and what it takes to make it again.
struct TrajectoryCase {
  struct Decision: Decodable, Equatable {
    let step: Int
    let layer: String
    let action: TraceRule.Outcome
    /// The distance of Δ from the nearest threshold; missing at the first test.
    let margin: Double?
  }

  let vector: VectorCase
  let network: Network
  let data: Dataset
  let likelihood: Likelihood
  /// The examples of every step.
  let batches: [[Int]]
  let training: TrainingWords
  let decisions: [Decision]
  /// The stored arrays of the run with their n κ ε.
  let results: [(name: String, array: NumericArray, unit: Double)]

  private struct Words: Decodable {
    let training: TrainingWords
    let decisions: [Decision]?
  }

  private struct Index: Decodable {
    struct Case: Decodable { let id, tier: String }
    let cases: [Case]
  }

  /// The cases of the index; none where it cannot be read, which the tests of the index report.
  static let identifiers: [String] = {
    guard let path = try? Fixtures.path("vectors/index.json"),
      let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)),
      let index = try? JSONDecoder().decode(Index.self, from: bytes)
    else { return [] }
    return index.cases.filter { $0.tier == "T4" }.map(\.id)
  }()

  init(_ identifier: String) throws {
    let folder = try Fixtures.path("vectors/cases/\(identifier)")
    vector = try VectorCase(folder: folder)
    guard case .network(let model) = vector.model, let targets = model.targets,
      let rows = try vector.arrays["batches"]?.matrix("batches")
    else { throw DataFileError("\(identifier) is no training run.") }
    network = model.network
    data = Dataset(name: identifier, inputs: model.inputs, targets: targets)
    likelihood = model.likelihood
    batches = (0..<rows.rowCount).map { step in rows.row(step).elements.map { Int($0) } }
    let file = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/case.json"))
    let words = try JSONDecoder().decode(Words.self, from: file)
    training = words.training
    decisions = words.decisions ?? []
    let arrays = vector.arrays
    results = vector.stages.filter { $0.name == "trajectory" }.flatMap(\.arrays).compactMap {
      entry in
      arrays[entry.name].map {
        (entry.name, $0, Double(entry.size) * entry.condition * .ulpOfOne)
      }
    }
  }

  /// What a run leaves behind, under the names of the stored arrays.
  struct Run {
    var arrays: [String: [Double]] = [:]
    var decisions: [RefreshDecision] = []
    /// The parameters before the first step and after every one.
    var path: [Vector] = []
  }

  /// Takes every step of the case with the optimizer of its words, or of other ones.
  func run(_ words: TrainingWords? = nil) throws -> Run {
    let words = words ?? training
    var optimizer = try words.optimizer()
    var current = network
    var result = Run()
    result.path = [network.parameterVector.flattened]
    for (step, indices) in batches.enumerated() {
      let batch = data.subset(indices)
      result.arrays["steps.loss", default: []].append(
        LossGradient(current, batch, likelihood).loss)
      current = try optimizer.step(current, batch, likelihood)
      result.path.append(current.parameterVector.flattened)
      result.arrays["steps.norm", default: []].append(
        (result.path[step + 1] - result.path[step]).norm)
      if words.keptSteps.contains(step + 1) {
        for block in current.parameters {
          // C order.
          result.arrays["\(block.name).weights.after", default: []] +=
            block.weights.transposed.storage
        }
      }
    }
    result.decisions = optimizer.takeDecisions()
    for decision in result.decisions where !decision.change.isNaN {
      result.arrays["\(decision.layer).changes", default: []].append(decision.change)
    }
    return result
  }
}
