import DataFiles
import DenseAlgebra
import Foundation
import Networks
import Optimization

/// Where interrupted runs are put down: one .npz for each method and seed, and the options in use.
public struct CheckpointFolder: Sendable {
  public let path: String
  /// The least time between two checkpoints of a run.
  public let pause: Duration
  private let isResuming: Bool

  /// What a checkpoint holds.
  struct Saved {
    let arrays: [String: Matrix]
    let points: [TrainingExperiment.Point]
    let decisions: [RefreshDecision]
  }

  /// A folder for runs with these options, made where it is missing.
  ///
  /// Resuming, throws one sentence where the folder is missing or was written with other options,
  /// naming the first that differs; otherwise clears what an older run left there.
  public init(
    path: String, options: [String: String], isResuming: Bool, pause: Duration = .seconds(10)
  ) throws {
    self.path = path
    self.pause = pause
    self.isResuming = isResuming
    let record = "\(path)/options.json"
    let manager = FileManager.default
    if isResuming {
      guard let data = manager.contents(atPath: record) else {
        throw DataFileError(
          "\(path): there is no checkpoint to resume from; the folder of an interrupted run was "
            + "expected. Leave out --resume, or give that run's --output.")
      }
      let written = try JSONDecoder().decode([String: String].self, from: data)
      for name in Set(written.keys).union(options.keys).sorted()
      where written[name] != options[name] {
        throw DataFileError(
          "\(path): --\(name) was \(written[name] ?? "not given") when the run was interrupted and is "
            + "\(options[name] ?? "not given") now; a run is resumed with its own options. Give "
            + "--\(name) \(written[name] ?? "no value"), or start anew without --resume.")
      }
      return
    }
    try? manager.removeItem(atPath: path)
    try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write([UInt8](try encoder.encode(options)), to: record)
  }

  /// Removes the folder, when all runs have ended.
  public func remove() { try? FileManager.default.removeItem(atPath: path) }

  private func file(_ name: String, _ seed: UInt64) -> String { "\(path)/\(name)-\(seed).npz" }

  /// Puts a run down.
  func save(_ name: String, _ loop: TrainingLoop, _ run: TrainingExperiment.Run) throws {
    var arrays = try loop.checkpoint()
    arrays["curve"] = Matrix(
      rows: run.points.map {
        [
          Double($0.step), $0.epoch, $0.trainingLoss, $0.testLoss, $0.testAccuracy, $0.operations,
          $0.seconds,
        ]
      })
    if !run.decisions.isEmpty {
      let names = loop.network.layout.blocks.map(\.name)
      arrays["decisions"] = Matrix(
        rows: run.decisions.map { decision in
          let layer = names.firstIndex(of: decision.layer) ?? 0
          let outcome = TraceRule.Outcome.allCases.firstIndex(of: decision.outcome) ?? 0
          let reason = RefreshDecision.reasons.firstIndex(of: decision.reason) ?? 0
          return [
            Double(decision.step), Double(layer), decision.change, Double(outcome), Double(reason),
          ]
        })
    }
    let named = arrays.sorted { $0.key < $1.key }.map { ($0.key, NumericArray($0.value)) }
    try AtomicFile.write(
      NPZ.encode(named.map { (name: $0.0, array: $0.1) }), to: file(name, run.seed))
  }

  /// What was put down of a run; nil where there is nothing, or the folder is a new one.
  func load(_ name: String, _ seed: UInt64, _ layout: ParameterLayout) throws -> Saved? {
    let path = file(name, seed)
    guard isResuming, FileManager.default.fileExists(atPath: path) else { return nil }
    var arrays: [String: Matrix] = [:]
    for (name, array) in try NPZ.read(path: path) { arrays[name] = try array.matrix(path) }
    let curve = arrays.removeValue(forKey: "curve")
    let log = arrays.removeValue(forKey: "decisions")
    guard let curve, curve.columnCount == 7, (log?.columnCount ?? 5) == 5 else {
      throw DataFileError(
        "\(path): the array 'curve' (7 columns) or 'decisions' (5 columns) of a checkpoint is missing or "
          + "of another shape. The file is damaged: start anew without --resume.")
    }
    let points = (0..<curve.rowCount).map { row in
      TrainingExperiment.Point(
        step: Int(curve[row, 0]), epoch: curve[row, 1], trainingLoss: curve[row, 2],
        testLoss: curve[row, 3], testAccuracy: curve[row, 4], operations: curve[row, 5],
        seconds: curve[row, 6])
    }
    let outcomes = TraceRule.Outcome.allCases
    let decisions = try (0..<(log?.rowCount ?? 0)).map { row in
      guard let log, layout.blocks.indices.contains(Int(log[row, 1])),
        outcomes.indices.contains(Int(log[row, 3])),
        RefreshDecision.reasons.indices.contains(Int(log[row, 4]))
      else {
        throw DataFileError(
          "\(path): row \(row) of 'decisions' names a layer, outcome or reason that does not exist. "
            + "The file is damaged: start anew without --resume.")
      }
      return RefreshDecision(
        step: Int(log[row, 0]), layer: layout.blocks[Int(log[row, 1])].name, change: log[row, 2],
        outcome: outcomes[Int(log[row, 3])], reason: RefreshDecision.reasons[Int(log[row, 4])])
    }
    return Saved(arrays: arrays, points: points, decisions: decisions)
  }
}
