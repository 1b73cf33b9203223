import DenseAlgebra
import Networks

/// The all-reduce messages of one refresh, and their size in 8-byte numbers.
///
/// Each group of layers sends one message with its matrices A and one with its G (or their inverses:
/// `MindSporeDifferences.averaging`). On Ascend, a network with convolutions also sends the largest
/// entry of each inverse. One worker sends nothing. Gradients, which travel at every step with any
/// optimizer, are not counted. Reference: the specification, section 7.8 (source as read, not run).
public struct AllReducePlan: Equatable, Sendable {
  /// A layer by its sizes, d_A without the bias unless it is in A.
  public struct Layer: Equatable, Sendable {
    public let name: String
    public let inputs: Int
    public let outputs: Int
    public let isConvolution: Bool

    public init(name: String, inputs: Int, outputs: Int, isConvolution: Bool) {
      self.name = name
      self.inputs = inputs
      self.outputs = outputs
      self.isConvolution = isConvolution
    }
  }

  /// What a message holds, one for each layer of its group.
  public enum Contents: String, CaseIterable, Sendable {
    /// A, or its inverse.
    case inputFactors = "A"
    /// G, or its inverse.
    case outputFactors = "G"
    /// The largest magnitude in the inverse of A.
    case inputMaxima = "max A"
    /// The largest magnitude in the inverse of G.
    case outputMaxima = "max G"
  }

  /// One all-reduce.
  public struct Message: Equatable, Sendable {
    /// The group's number, from 0.
    public let group: Int
    public let contents: Contents
    /// The names of the layers whose matrices it holds.
    public let layers: [String]
    /// The numbers in it.
    public let entries: Int
    /// 8 bytes for each number.
    public var bytes: Int { 8 * entries }
  }

  /// In the order of the groups.
  public let messages: [Message]
  public let workers: Int

  /// The plan for a network; throws one sentence where the split indices do not fit it.
  public init(_ network: Network, _ options: MindSporeOptions) throws(OptimizationError) {
    try self.init(
      network.parameters.enumerated().map { index, block in
        Layer(
          name: block.name,
          inputs: options.source.biasInA ? block.weights.columnCount : block.inputCount,
          outputs: block.outputCount, isConvolution: network.isConvolution(block: index))
      }, options)
  }

  /// The plan for layers of given sizes; throws one sentence where the split indices do not fit.
  public init(_ layers: [Layer], _ options: MindSporeOptions) throws(OptimizationError) {
    let groups = try WorkerGroups(layerCount: layers.count, splitIndices: options.splitIndices)
    let source = options.source
    let hasMaxima =
      source.averaging == .inverses && source.inverseLayout == .combined
      && layers.contains(where: \.isConvolution)
    var messages: [Message] = []
    for (number, range) in groups.groups.enumerated() where options.workers > 1 {
      for contents in Contents.allCases {
        var members = Array(layers[range])
        let entries: Int
        switch contents {
        case .inputFactors, .outputFactors:
          entries = members.reduce(0) { $0 + AllReducePlan.entries(contents, $1, options) }
        case .inputMaxima, .outputMaxima:
          guard hasMaxima else { continue }
          members.removeAll {
            source.hasIdentityForTwoOutputs && !$0.isConvolution && $0.outputs == 2
          }
          entries = members.count
        }
        messages.append(
          Message(
            group: number, contents: contents, layers: members.map(\.name), entries: entries))
      }
    }
    self.messages = messages
    self.workers = options.workers
  }

  /// The numbers of one layer's matrix: d², or its padded blocks where those travel.
  private static func entries(_ contents: Contents, _ layer: Layer, _ options: MindSporeOptions)
    -> Int
  {
    let size = contents == .inputFactors ? layer.inputs : layer.outputs
    guard options.source.averaging == .inverses, options.source.inverseLayout == .blocks else {
      return size * size
    }
    let d = options.splitSize
    let copies = contents == .inputFactors ? (layer.outputs + d - 1) / d : 1
    let side = min(size, d)
    return copies * ((size + d - 1) / d) * side * side
  }

  /// What a worker hands over, and gets back, at one refresh: the bytes of all messages.
  public var payloadBytes: Int { messages.reduce(0) { $0 + $1.bytes } }

  /// What each worker sends at one refresh in a ring, 2 (W − 1)/W of the payload (Patarasuk and Yuan
  /// 2009, doi 10.1016/j.jpdc.2008.09.002).
  public var bytesSentInRing: Double {
    2 * Double(workers - 1) / Double(workers) * Double(payloadBytes)
  }

  /// The payload by step, when a refresh comes every `frequency` steps.
  public func payloadBytesPerStep(frequency: Int) -> Double {
    precondition(frequency >= 1, "the frequency must be at least 1, got \(frequency)")
    return Double(payloadBytes) / Double(frequency)
  }
}

extension Network {
  /// Whether a parameter block is used by a convolution.
  func isConvolution(block index: Int) -> Bool {
    nodes.contains {
      if case .convolution(let block, _) = $0.operation { return block == index }
      return false
    }
  }
}
