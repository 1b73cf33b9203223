extension Network {
  /// Throws where a value is read by no node or a parameter block used by none.
  static func checkUse(nodes: [Node], parameters: [ParameterBlock]) throws(NetworkError) {
    let read = Set(nodes.flatMap(\.inputs))
    for value in 0..<nodes.count where !read.contains(value) {
      throw NetworkError(
        node: value == 0 ? nil : value - 1,
        message: value == 0
          ? "No node reads the network's input (value 0). Let the first node read value 0."
          : "No later node reads the output of node \(value - 1) "
            + "(\(nodes[value - 1].operation.name), value \(value)). Remove it or read it.")
    }
    let used = Set(nodes.compactMap(\.operation.parameters))
    for index in parameters.indices where !used.contains(index) {
      throw NetworkError(
        block: index,
        message: "No node uses parameter block \(index) ('\(parameters[index].name)'). Remove it.")
    }
  }
}

/// Finds the shape of one node's output, or says what does not fit.
struct ShapeRule {
  let node: Node
  let index: Int
  /// The shapes of all values before the node's output.
  let shapes: [Shape]
  let parameters: [ParameterBlock]

  /// The shape of the node's output.
  func output() throws(NetworkError) -> Shape {
    try checkInputs()
    let shape = shapes[node.inputs[0]]
    switch node.operation {
    case .dense(let block):
      switch shape {
      case .vector(let count): return .vector(try rowCount(of: block, inputCount: count))
      case .sequence(let positions, let features):
        return .sequence(
          positions: positions, features: try rowCount(of: block, inputCount: features))
      case .image: throw failure("it reads \(shape). Put a flatten node before it.")
      }
    case .convolution(let block, let window):
      let image = try slide(window, over: shape)
      return .image(
        channels: try rowCount(of: block, inputCount: image.channels * window.area),
        height: image.rows, width: image.columns)
    case .meanPooling(let window):
      let image = try slide(window, over: shape)
      return .image(channels: image.channels, height: image.rows, width: image.columns)
    case .meanOverPositions:
      switch shape {
      case .vector: throw failure("it reads \(shape), which has no positions. Remove the node.")
      case .sequence(_, let features): return .vector(features)
      case .image(let channels, _, _): return .vector(channels)
      }
    case .activation: return shape
    case .flatten: return .vector(shape.count)
    case .addition:
      if let other = node.inputs.first(where: { shapes[$0] != shape }) {
        throw failure(
          "value \(node.inputs[0]) is \(shape), but value \(other) is \(shapes[other]). "
            + "All values added must have one shape.")
      }
      return shape
    }
  }

  /// Throws unless the node reads the right number of earlier values.
  private func checkInputs() throws(NetworkError) {
    if let value = node.inputs.first(where: { !shapes.indices.contains($0) }) {
      throw failure(
        "it reads value \(value), but only values 0 to \(shapes.count - 1) exist before it. "
          + "Value 0 is the network's input, value i + 1 the output of node i.")
    }
    if case .addition = node.operation {
      guard node.inputs.count >= 2 else {
        throw failure("it reads \(node.inputs.count) values; an addition needs at least two.")
      }
    } else if node.inputs.count != 1 {
      throw failure("it reads \(node.inputs.count) values; it needs exactly one.")
    }
  }

  /// The number of outputs of a block; throws unless it exists and has a column for each input.
  private func rowCount(of block: Int, inputCount: Int) throws(NetworkError) -> Int {
    guard parameters.indices.contains(block) else {
      throw failure(
        "it uses parameter block \(block), but there are \(parameters.count), counted from 0.")
    }
    let parameters = parameters[block]
    guard parameters.inputCount == inputCount else {
      throw failure(
        "parameter block '\(parameters.name)' is \(parameters.sizeInWords), but \(inputCount) inputs"
          + "\(parameters.hasBias ? " and the bias" : "") need "
          + "\(inputCount + (parameters.hasBias ? 1 : 0)) columns.")
    }
    return parameters.outputCount
  }

  /// The channels of an image and the positions of a window in it; throws unless it fits.
  private func slide(
    _ window: Window, over shape: Shape
  ) throws(NetworkError) -> (channels: Int, rows: Int, columns: Int) {
    guard case .image(let channels, let height, let width) = shape else {
      throw failure("it reads \(shape), but it needs an image.")
    }
    guard window.isValid else {
      throw failure(
        "the window has kernel \(window.kernelHeight) × \(window.kernelWidth), stride "
          + "\(window.rowStride) × \(window.columnStride), padding \(window.rowPadding) × "
          + "\(window.columnPadding); kernel and stride must be at least 1, and the padding "
          + "at least 0 and less than the kernel.")
    }
    guard let (rows, columns) = window.positions(height: height, width: width) else {
      throw failure(
        "a kernel of \(window.kernelHeight) × \(window.kernelWidth) does not fit "
          + "an image of \(height) × \(width) with this padding.")
    }
    return (channels, rows, columns)
  }

  private func failure(_ message: String) -> NetworkError {
    NetworkError(node: index, message: "Node \(index) (\(node.operation.name)): \(message)")
  }
}
