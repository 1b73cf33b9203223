import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// What `nn.thor` refuses, refused here in one sentence.
@Suite("nn.thor: bad values")
struct MindSporeErrorTests {
  /// A bad value and what its sentence must say.
  struct Bad: Sendable, CustomStringConvertible {
    let expected: [String]
    let change: @Sendable (inout MindSporeOptions) -> Void

    init(_ expected: String..., change: @escaping @Sendable (inout MindSporeOptions) -> Void) {
      self.expected = expected
      self.change = change
    }

    var description: String { expected[0] }
  }

  static let bad: [Bad] = [
    // The ValueErrors of the API page.
    Bad("the loss scale is 0.0", "above 0") { $0.lossScale = 0 },
    Bad("the loss scale is -2.0", "above 0") { $0.lossScale = -2 },
    Bad("the weight decay is -0.1", "at least 0") { $0.weightDecay = -0.1 },
    Bad("the momentum is -0.5", "at least 0") { $0.momentum = -0.5 },
    Bad("the frequency is 1", "at least 2 steps", "paper mode") { $0.frequency = 1 },
    Bad("the frequency is 0", "at least 2 steps") { $0.frequency = 0 },
    // What it would stumble over later.
    Bad("the learning rate has no entries") { $0.learningRate = [] },
    Bad("the damping has no entries") { $0.damping = [] },
    Bad("the learning rate of step 1 is -1.0") { $0.learningRate = [1, -1] },
    Bad("the damping of step 0 is nan") { $0.damping = [.nan, 1] },
    Bad("the damping of step 2 is inf") { $0.damping = [1, 1, .infinity] },
    Bad("the momentum is nan") { $0.momentum = .nan },
    Bad("the weight decay is inf") { $0.weightDecay = .infinity },
    Bad("the loss scale is nan") { $0.lossScale = .nan },
    Bad("the loss scale of the training is 0.0") { $0.trainingLossScale = 0 },
    Bad("the batch size is 0", "at least 1") { $0.batchSize = 0 },
    Bad("the split size is 0", "at least 1") { $0.splitSize = 0 },
    Bad("the number of workers is -1", "at least 1") { $0.workers = -1 },
    Bad("the split indices are [53, 26]", "sort them") { $0.splitIndices = [53, 26] },
    Bad("the split indices are [1, 1]") { $0.splitIndices = [1, 1] },
    Bad("the split indices are [-1, 1]") { $0.splitIndices = [-1, 1] },
  ]

  @Test("Options are refused when the optimizer is made", arguments: bad)
  func badOptions(bad: Bad) {
    var options = ShortRun.perceptron.options
    bad.change(&options)
    let error = #expect(throws: OptimizationError.self) { try MindSporeTHOR(options) }
    for text in bad.expected { #expect(error?.description.contains(text) ?? false, "\(text)") }
    let same = #expect(throws: OptimizationError.self) { try MindSporePreconditioner(options) }
    #expect(same == error)
  }

  @Test("The values at the edge are accepted")
  func edgesAreAccepted() throws {
    var options = MindSporeOptions(learningRate: [0], damping: [0], momentum: 0)
    options.frequency = 2
    options.splitIndices = []
    options.lossScale = .leastNormalMagnitude
    options.batchSize = 1
    options.splitSize = 1
    _ = try MindSporeTHOR(options)
    options.splitIndices = [0, 3]
    _ = try MindSporeTHOR(options)
  }

  /// The sentence that the first step is refused with.
  private func refusal(_ change: (inout MindSporeOptions) -> Void) throws -> String {
    let run = ShortRun.perceptron
    var options = run.options
    change(&options)
    var optimizer = try MindSporeTHOR(options)
    let error = #expect(throws: OptimizationError.self) {
      _ = try optimizer.step(run.source.network, run.data(ofStep: 0), run.source.likelihood)
    }
    return error?.description ?? ""
  }

  @Test("What does not fit the network or the batch is refused at the step")
  func misfitsAreRefused() throws {
    let count = ShortRun.perceptron.source.network.parameters.count
    let outside = try refusal { $0.splitIndices = [0, count] }
    #expect(outside.contains("the split indices are [0, \(count)]"))
    #expect(outside.contains("the network has \(count) layers"))
    #expect(outside.contains("from 0 to \(count - 1)"))
    let unknown = try refusal { $0.decayFilter = ["layer1.weight", "layer1.gamma"] }
    #expect(unknown.contains("names 'layer1.gamma'"))
    #expect(unknown.contains("layer1.weight, layer1.bias, layer2.weight"))
    let uneven = try refusal { $0.workers = 3 }
    #expect(uneven.contains("8 examples for 3 workers"))
  }

  @Test("A name of a bias is unknown where there is none")
  func biasesMustExist() throws {
    let network = RandomNetwork(.biasFree, seed: 2).network
    var options = ShortRun.perceptron.options
    options.decayFilter = ["layer1.bias"]
    #expect(throws: OptimizationError.self) { try options.check(for: network.layout) }
    options.decayFilter = ["layer1.weight"]
    try options.check(for: network.layout)
  }

  @Test("A checkpoint without some of the inverses, or of another network, is refused")
  func damagedCheckpoints() throws {
    let run = ShortRun.perceptron
    func loop(_ network: Network) throws -> TrainingLoop {
      TrainingLoop(
        network: network, optimizer: try MindSporeTHOR(run.options), data: run.source.data,
        likelihood: run.source.likelihood, batch: run.batch, seed: 5)
    }
    var whole = try loop(run.source.network)
    try whole.advance()
    var arrays = try whole.checkpoint()
    arrays["curvature.layer2.inverse-G"] = nil
    var resumed = try loop(run.source.network)
    let error = #expect(throws: OptimizationError.self) { try resumed.resume(from: arrays) }
    #expect(error?.description.contains("no array 'curvature.layer2.inverse-G'") ?? false)
    arrays = try whole.checkpoint()
    arrays["curvature.inverses"] = Matrix(rows: [[1]])
    let fewer = #expect(throws: OptimizationError.self) { try resumed.resume(from: arrays) }
    #expect(fewer?.description.contains("the inverses of 1 layers") ?? false)
    var other = try loop(ShortRun.twoOutputs.source.network)
    let misfit = #expect(throws: OptimizationError.self) {
      try other.resume(from: try whole.checkpoint())
    }
    #expect(misfit?.description.contains("another network") ?? false)
  }
}
