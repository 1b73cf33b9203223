import Networks
import Optimization
import TestSupport
import Testing

/// `split_indices` and the messages of one refresh.
@Suite("nn.thor: all-reduce groups")
struct AllReducePlanTests {
  @Test("[26, 53] of 54 layers is 0…26 and 27…53, the example of the API page")
  func resNet50() throws {
    #expect(try WorkerGroups(layerCount: 54, splitIndices: [26, 53]).groups == [0..<27, 27..<54])
    #expect(try WorkerGroups(layerCount: 54, splitIndices: [26]).groups == [0..<27, 27..<54])
    #expect(try WorkerGroups(layerCount: 54, splitIndices: nil).groups == [0..<54])
    #expect(try WorkerGroups(layerCount: 54, splitIndices: []).groups == [0..<54])
    #expect(try WorkerGroups(layerCount: 3, splitIndices: [0, 1]).groups == [0..<1, 1..<2, 2..<3])
    #expect(try WorkerGroups(layerCount: 1, splitIndices: [0]).groups == [0..<1])
  }

  @Test(
    "Indices that are not ascending layer numbers are refused",
    arguments: [
      [1, 0], [1, 1], [3], [-1], [0, 3],
    ])
  func badIndices(indices: [Int]) {
    let error = #expect(throws: OptimizationError.self) {
      try WorkerGroups(layerCount: 3, splitIndices: indices)
    }
    #expect(error?.description.contains("\(indices) and the network has 3 layers") ?? false)
  }

  private static let layers = [
    AllReducePlan.Layer(name: "layer1", inputs: 784, outputs: 20, isConvolution: false),
    AllReducePlan.Layer(name: "layer2", inputs: 20, outputs: 20, isConvolution: false),
    AllReducePlan.Layer(name: "layer3", inputs: 20, outputs: 10, isConvolution: false),
  ]

  private func options(_ source: MindSporeDifferences, _ indices: [Int]? = nil) -> MindSporeOptions
  {
    var options = MindSporeOptions(learningRate: [1], damping: [1], momentum: 0)
    options.source = source
    options.splitIndices = indices
    options.workers = 4
    return options
  }

  /// By hand: 784² + 20² + 20² = 615,456 and 20² + 20² + 10² = 900 numbers; on GPU 784 is seven blocks
  /// of 128², 114,688.
  @Test(
    "Bytes of the paper's Figure 4 network: all of A and G, 8 each",
    arguments: [
      (MindSporeDifferences.ascend, [615_456, 900]), (.gpu, [115_488, 900]),
      (.page, [615_456, 900]),
    ])
  func bytes(source: MindSporeDifferences, entries: [Int]) throws {
    let plan = try AllReducePlan(Self.layers, options(source))
    #expect(plan.messages.map(\.entries) == entries)
    #expect(plan.messages.map(\.contents) == [.inputFactors, .outputFactors])
    #expect(plan.messages.allSatisfy { $0.layers == ["layer1", "layer2", "layer3"] })
    #expect(plan.messages.map(\.bytes) == entries.map { 8 * $0 })
    let total = 8 * entries.reduce(0, +)
    #expect(plan.payloadBytes == total)
    #expect(plan.bytesSentInRing == 1.5 * Double(total))
    #expect(plan.payloadBytesPerStep(frequency: 100) == Double(total) / 100)
  }

  @Test("Two messages for each group, and the bytes stay the same")
  func groupsShareTheBytes() throws {
    let whole = try AllReducePlan(Self.layers, options(.ascend))
    for (indices, groups) in [([0], 2), ([0, 1], 3), ([0, 1, 2], 3), ([2], 1)] {
      let plan = try AllReducePlan(Self.layers, options(.ascend, indices))
      #expect(plan.messages.count == 2 * groups)
      for group in 0..<groups { #expect(plan.messages.count { $0.group == group } == 2) }
      #expect(plan.payloadBytes == whole.payloadBytes)
    }
  }

  @Test("On Ascend a convolution brings two messages of maxima, one number for each layer")
  func maxima() throws {
    var layers = Self.layers
    layers[0] = .init(name: "conv", inputs: 27, outputs: 64, isConvolution: true)
    layers[2] = .init(name: "two", inputs: 20, outputs: 2, isConvolution: false)
    let plan = try AllReducePlan(layers, options(.ascend, [0]))
    #expect(plan.messages.count == 8)
    let maxima = plan.messages.filter {
      $0.contents == .inputMaxima || $0.contents == .outputMaxima
    }
    #expect(maxima.map(\.layers) == [["conv"], ["conv"], ["layer2"], ["layer2"]])
    #expect(maxima.map(\.entries) == [1, 1, 1, 1])
    #expect(try AllReducePlan(layers, options(.gpu, [0])).messages.count == 4)
    #expect(try AllReducePlan(layers, options(.page, [0])).messages.count == 4)
  }

  @Test("On GPU the blocks of A travel once for each block of G")
  func gpuBroadcasts() throws {
    let layers = [AllReducePlan.Layer(name: "l", inputs: 300, outputs: 200, isConvolution: false)]
    let plan = try AllReducePlan(layers, options(.gpu))
    #expect(plan.messages.map(\.entries) == [2 * 3 * 128 * 128, 2 * 128 * 128])
    var factors = options(.gpu)
    factors.source.averaging = .factors
    #expect(try AllReducePlan(layers, factors).messages.map(\.entries) == [90_000, 40_000])
  }

  @Test("A network's plan has its layers without their biases, with them when the bias is in A")
  func networks() throws {
    let network = ShortRun.convolution.source.network
    var options = options(.ascend)
    let plan = try AllReducePlan(network, options)
    let inputs = network.parameters.map(\.inputCount)
    #expect(plan.messages[0].entries == inputs.reduce(0) { $0 + $1 * $1 })
    #expect(plan.messages.map(\.contents) == AllReducePlan.Contents.allCases)
    options.source.biasInA = true
    #expect(
      try AllReducePlan(network, options).messages[0].entries
        == inputs.reduce(0) { $0 + ($1 + 1) * ($1 + 1) })
    options.workers = 1
    let alone = try AllReducePlan(network, options)
    #expect(alone.messages.isEmpty && alone.payloadBytes == 0 && alone.bytesSentInRing == 0)
  }
}
