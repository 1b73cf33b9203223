import DenseAlgebra

/// A feed-forward network: nodes in topological order over shared parameter blocks.
///
/// Residual connections, tied weights and weights shared over positions are data, not special
/// cases. The last node's output, a vector of C entries, is the network's output z (logits or
/// means); the nonlinearity that turns it into a distribution belongs to the `Likelihood`.
public struct Network: Equatable, Sendable {
  /// The shape of one example.
  public let inputShape: Shape
  /// The nodes, each reading earlier values only.
  public let nodes: [Node]
  /// The parameter blocks, in the order of the parameter vector.
  public var parameters: [ParameterBlock]
  /// The shape of value i; value 0 is the input.
  public let shapes: [Shape]

  /// Checks every reference and shape.
  ///
  /// Throws a `NetworkError` that names the node where an input is not an earlier value, shapes do
  /// not fit, weights have the wrong size or are not finite, a value or a block is never used, or the
  /// output is not a vector.
  public init(inputShape: Shape, nodes: [Node], parameters: [ParameterBlock]) throws(NetworkError) {
    guard inputShape.isValid else {
      throw NetworkError(
        message: "The input is \(inputShape); no extent may be negative, and positions, height and "
          + "width are at least 1. Give the input's shape."
      )
    }
    for (index, block) in parameters.enumerated() {
      try block.check(index: index)
    }
    var shapes = [inputShape]
    for index in nodes.indices {
      shapes.append(
        try ShapeRule(node: nodes[index], index: index, shapes: shapes, parameters: parameters)
          .output())
    }
    try Network.checkUse(nodes: nodes, parameters: parameters)
    guard case .vector = shapes[nodes.count] else {
      throw NetworkError(
        node: nodes.isEmpty ? nil : nodes.count - 1,
        message: "The network's output is \(shapes[nodes.count]), but a likelihood needs a vector. "
          + "End with a flatten or a meanOverPositions node.")
    }
    self.inputShape = inputShape
    self.nodes = nodes
    self.parameters = parameters
    self.shapes = shapes
  }

  /// C, the size of the output.
  public var outputCount: Int { shapes[nodes.count].count }

  /// Where each block lies in the parameter vector.
  public var layout: ParameterLayout {
    ParameterLayout(
      blocks: parameters.map {
        ParameterLayout.Block(
          name: $0.name, rowCount: $0.weights.rowCount, columnCount: $0.weights.columnCount,
          hasBias: $0.hasBias)
      })
  }

  /// The parameters as a vector θ.
  public var parameterVector: ParameterVector {
    ParameterVector(blocks: parameters.map(\.weights))
  }

  /// The network with parameters θ + scale · step.
  public func adding(_ step: ParameterVector, scale: Double) -> Network {
    precondition(
      step.blocks.count == parameters.count,
      "adding: \(step.blocks.count) blocks to a network of \(parameters.count)")
    var result = self
    for index in parameters.indices {
      result.parameters[index].weights.add(scale, times: step.blocks[index])
    }
    return result
  }

  /// T, the number of positions at which a node applies its parameter block.
  func positions(ofNode index: Int) -> Int {
    let node = nodes[index]
    switch node.operation {
    case .dense:
      if case .sequence(let positions, _) = shapes[node.inputs[0]] { return positions }
      return 1
    case .convolution:
      return shapes[index + 1].count / max(1, parameterBlock(of: node).weights.rowCount)
    case .activation, .meanPooling, .meanOverPositions, .flatten, .addition:
      preconditionFailure("node \(index) (\(node.operation.name)) has no parameters")
    }
  }

  /// The parameter block of a node that has one.
  func parameterBlock(of node: Node) -> ParameterBlock {
    guard let index = node.operation.parameters else {
      preconditionFailure("\(node.operation.name) has no parameters")
    }
    return parameters[index]
  }

  /// The unfolding of the image that a node reads.
  func unfolding(of node: Node, window: Window) -> Unfolding {
    guard case .image(let channels, let height, let width) = shapes[node.inputs[0]] else {
      preconditionFailure("\(node.operation.name) reads \(shapes[node.inputs[0]])")
    }
    return Unfolding(channels: channels, height: height, width: width, window: window)
  }
}
