import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// Whole trajectories of `nn.thor` against the formulas of section 7.8, option by option.
@Suite("nn.thor: trajectories")
struct MindSporeTrajectoryTests {
  /// One choice of options.
  struct Choice: Sendable, CustomStringConvertible {
    let description: String
    let change: @Sendable (inout MindSporeOptions) -> Void

    init(_ description: String, _ change: @escaping @Sendable (inout MindSporeOptions) -> Void) {
      self.description = description
      self.change = change
    }
  }

  static let choices: [Choice] = [
    Choice("defaults") { _ in },
    Choice("GPU") { $0.source = .gpu },
    Choice("page") { $0.source = .page },
    Choice("schedules") {
      $0.learningRate = [0.2, 0.1, 0.05]
      $0.damping = [0.5, 0.1, 0.02, 0.3]
    },
    Choice("momentum") { $0.momentum = 0.9 },
    Choice("Nesterov") {
      $0.momentum = 0.9
      $0.usesNesterov = true
      $0.source = .gpu
    },
    Choice("weight decay") { $0.weightDecay = 0.3 },
    Choice("decay filter") {
      $0.weightDecay = 0.3
      $0.decayFilter = ["layer1.bias", "layer2.weight"]
    },
    Choice("loss scale") { $0.lossScale = 100 },
    Choice("loss scale undone wrongly") {
      $0.lossScale = 3
      $0.trainingLossScale = 2
    },
    Choice("batch size") { $0.batchSize = 5 },
    Choice("clipping") {
      $0.weightDecay = 0.3
      $0.clipsGradient = true
      $0.damping = [1e-3]
    },
    Choice("split") { $0.splitSize = 2 },
    Choice("bias in A") { $0.source.biasInA = true },
    Choice("four workers") {
      $0.workers = 4
      $0.batchSize = 2
    },
    Choice("four workers, factors averaged, GPU") {
      $0.source = .gpu
      $0.source.averaging = .factors
      $0.workers = 4
      $0.batchSize = 2
    },
    Choice("everything") {
      $0.source = .gpu
      $0.source.biasInA = true
      $0.source.damping = .factor
      $0.learningRate = [0.2, 0.1]
      $0.momentum = 0.8
      $0.usesNesterov = true
      $0.weightDecay = 0.1
      $0.lossScale = 128
      $0.clipsGradient = true
      $0.splitSize = 3
      $0.workers = 2
      $0.batchSize = 4
    },
  ]

  @Test("Seven steps are those of the formulas", arguments: choices, ShortRun.all)
  func trajectoriesAreTheFormulas(choice: Choice, run: ShortRun) throws {
    var options = run.options
    options.frequency = 3
    choice.change(&options)
    let networks = try run.networks(options, steps: 7)
    var reference = MindSporeByHand(options)
    var network = run.source.network
    for (step, actual) in networks.enumerated() {
      network = try reference.step(network, run.data(ofStep: step), run.source.likelihood)
      let expected = Matrix(column: network.parameterVector.flattened)
      // Each step multiplies the round-off of the last one by about κ of the damped factors.
      expectRatio(
        Ratio(
          Matrix(column: actual.parameterVector.flattened), against: expected,
          size: expected.rowCount,
          scale: Double(step + 1) * reference.condition * LAPACK.norm1(expected)),
        "step \(step), \(choice), \(run)")
    }
  }

  @Test("Every choice but the defaults leaves the trajectory of the defaults somewhere")
  func everyChoiceMatters() throws {
    for choice in Self.choices.dropFirst() {
      var largest = 0.0
      for run in ShortRun.all {
        var options = run.options
        options.frequency = 3
        let plain = try run.networks(options, steps: 4)[3].parameterVector.flattened
        choice.change(&options)
        let changed = try run.networks(options, steps: 4)[3].parameterVector.flattened
        largest = max(largest, (plain - changed).norm / plain.norm)
      }
      // A loss scale that is undone is no change but round-off.
      if choice.description == "loss scale" {
        #expect(largest < 1e-10, "\(choice): \(largest)")
      } else {
        #expect(largest > 1e-3, "\(choice): \(largest)")
      }
    }
  }

  @Test("Checkpoint and resume give the bits of an uninterrupted run", arguments: [0, 1, 3, 4, 7])
  func resumeEqualsNoInterruption(stop: Int) throws {
    for run in [ShortRun.perceptron, .convolution, .twoOutputs] {
      var options = run.options
      options.frequency = 3
      options.momentum = 0.9
      options.workers = 2
      options.weightDecay = 0.01
      options.learningRate = [0.2, 0.15, 0.1, 0.05, 0.02]
      options.splitSize = 2
      func loop() throws -> TrainingLoop {
        TrainingLoop(
          network: run.source.network, optimizer: try MindSporeTHOR(options),
          data: run.source.data, likelihood: run.source.likelihood, batch: run.batch, seed: 5)
      }
      var whole = try loop()
      for _ in 0..<stop { try whole.advance() }
      let checkpoint = try whole.checkpoint()
      for _ in stop..<8 { try whole.advance() }
      var resumed = try loop()
      try resumed.resume(from: checkpoint)
      for _ in stop..<8 { try resumed.advance() }
      #expect(resumed.network == whole.network, "\(run)")
      #expect(try resumed.checkpoint() == whole.checkpoint(), "\(run)")
    }
  }
}
