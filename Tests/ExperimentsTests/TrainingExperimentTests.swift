import DenseAlgebra
import Experiments
import Foundation
import Networks
import Optimization
import Testing

/// Training runs: what an interruption changes (nothing), and what the summary says of known runs.
@Suite("Training runs")
struct TrainingExperimentTests {
  static func data() throws -> TrainingData { try DatasetSource.digits.loadParts(widths: []) }

  static func options(steps: Int) -> TrainingExperiment.Options {
    var options = TrainingExperiment.Options()
    options.widths = [64, 7, 10]
    options.batch = 50
    options.steps = steps
    options.evaluateEvery = 5
    options.seeds = [3, 4]
    options.levels = [0.3, 0.99]
    return options
  }

  @Test("Every sixth example is held out where there are no test files")
  func partsAreDisjointAndWhole() throws {
    let whole = try DatasetSource.digits.load(widths: []).dataset
    let parts = try TrainingExperimentTests.data()
    #expect(parts.training.count + parts.test.count == whole.count)
    let held = whole.subset(Array(stride(from: 5, to: whole.count, by: 6)))
    #expect(parts.test.inputs == held.inputs && parts.test.targets == held.targets)
    let images = try DatasetSource.fashionMNIST.loadParts(widths: [])
    #expect(images.training.count == 2560 && images.test.count == 520)
  }

  @Test("A run put down and taken up ends with the same numbers as one without a pause")
  func resumingChangesNothing() throws {
    let data = try TrainingExperimentTests.data()
    let entries = [OptimizerMethod.thor, .ekfac, .adam].map { method in
      var settings = OptimizerSettings(method)
      settings.growingInterval = .constant(3)
      settings.inverseInterval = .constant(4)
      settings.factorInterval = .constant(2)
      return TrainingExperiment.Entry(method, settings)
    }
    let folder = NSTemporaryDirectory() + "natgrad-checkpoints-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func run(_ steps: Int, _ checkpoints: CheckpointFolder?) throws -> TrainingExperiment {
      try TrainingExperiment(
        entries, options: TrainingExperimentTests.options(steps: steps), data: data,
        checkpoints: checkpoints, progress: { _, _, _ in })
    }
    let record = ["optimizer": "three"]
    // The first part ends at step 10, after checkpoints at 5 and 10.
    _ = try run(
      10, CheckpointFolder(path: folder, options: record, isResuming: false, pause: .zero))
    let resumed = try run(
      25, CheckpointFolder(path: folder, options: record, isResuming: true, pause: .zero))
    let whole = try run(25, nil)
    for (one, other) in zip(resumed.runs, whole.runs) {
      #expect(one.network == other.network, "\(one.name)")
      #expect(one.decisions.map(\.step) == other.decisions.map(\.step))
      #expect(one.decisions.map(\.outcome) == other.decisions.map(\.outcome))
      #expect(one.decisions.map(\.reason) == other.decisions.map(\.reason))
      #expect(one.points.map(\.step) == [0, 5, 10, 15, 20, 25])
      for (p, q) in zip(one.points, other.points) {
        #expect(p.trainingLoss == q.trainingLoss && p.testAccuracy == q.testAccuracy)
        #expect(p.operations == q.operations && p.testLoss == q.testLoss)
      }
    }
    #expect(whole.runs.contains { !$0.decisions.isEmpty })
  }

  @Test("A checkpoint of another network is refused, and the array named")
  func anotherNetworkIsRefused() throws {
    let data = try TrainingExperimentTests.data()
    let entries = [TrainingExperiment.Entry(.momentum, OptimizerSettings(.momentum))]
    let folder = NSTemporaryDirectory() + "natgrad-checkpoints-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var options = TrainingExperimentTests.options(steps: 5)
    _ = try TrainingExperiment(
      entries, options: options, data: data,
      checkpoints: CheckpointFolder(path: folder, options: [:], isResuming: false, pause: .zero),
      progress: { _, _, _ in })
    options.widths = [64, 8, 10]
    #expect {
      _ = try TrainingExperiment(
        entries, options: options, data: data,
        checkpoints: CheckpointFolder(path: folder, options: [:], isResuming: true),
        progress: { _, _, _ in })
    } throws: { error in
      "\(error)".contains("'weights.layer1'") && "\(error)".contains("7 × 65")
        && "\(error)".contains("8 × 65")
    }
  }

  @Test("The summary is the mean and the sample deviation of the runs")
  func summaryOfKnownNumbers() throws {
    // 1, 2, 6: mean 3, deviation √((4 + 1 + 9)/2) = √7.
    let spread = try #require(TrainingReport.Spread([1, 2, 6]))
    #expect(spread.mean == 3 && spread.deviation == 7.0.squareRoot() && spread.count == 3)
    #expect(TrainingReport.Spread([]) == nil)
    #expect(TrainingReport.Spread([4])?.deviation == 0)
    let data = try TrainingExperimentTests.data()
    let experiment = try TrainingExperiment(
      [.init(.momentum, OptimizerSettings(.momentum))],
      options: TrainingExperimentTests.options(steps: 40), data: data, progress: { _, _, _ in })
    let row = try #require(TrainingReport.rows(experiment).first)
    let best = experiment.runs.map { $0.points.map(\.testAccuracy).max() ?? 0 }
    #expect(row.bestAccuracy?.mean == (best[0] + best[1]) / 2)
    let firsts = experiment.runs.compactMap { run in
      run.points.first { $0.testAccuracy >= 0.3 }?.step
    }
    #expect(row.levels[0].reached == firsts.count && firsts.count == 2)
    #expect(row.levels[0].steps?.mean == Double(firsts.reduce(0, +)) / 2)
    #expect(row.levels[1].reached == 0 && row.levels[1].steps == nil)
    // The evaluation is the one that the pieces of the network give.
    let network = experiment.runs[0].network
    let outputs = network.forward(data.test.inputs).output
    guard case .labels(let labels) = data.test.targets else { return }
    let right = labels.enumerated().count { n, label in
      (0..<10).allSatisfy { outputs[$0, n] <= outputs[label, n] }
    }
    #expect(
      experiment.runs[0].points.last?.testAccuracy == Double(right) / Double(data.test.count))
  }
}
