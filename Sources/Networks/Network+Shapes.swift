import DenseAlgebra

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

extension ParameterBlock {
  /// Throws where the bias column is missing or an entry is not finite.
  func checkWeights(index: Int) throws(NetworkError) {
    guard inputCount >= 0 else {
      throw NetworkError(
        block: index,
        message:
          "Parameter block \(index) ('\(name)') has no columns, but a bias is its last column."
      )
    }
    if let entry = weights.storage.firstIndex(where: { !$0.isFinite }) {
      throw NetworkError(
        block: index,
        message: "Parameter block \(index) ('\(name)') holds \(weights.storage[entry]) in row "
          + "\(entry % weights.rowCount), column \(entry / weights.rowCount); "
          + "every weight must be finite.")
    }
  }
}

extension Node {
  /// The shape of the node's output, given the shapes of all values before it.
  func outputShape(
    node index: Int, after shapes: [Shape], parameters: [ParameterBlock]
  ) throws(NetworkError) -> Shape {
    func fail(_ message: String) -> NetworkError {
      NetworkError(node: index, message: "Node \(index) (\(operation.name)): \(message)")
    }
    if let value = inputs.first(where: { !shapes.indices.contains($0) }) {
      throw fail(
        "it reads value \(value), but only values 0 to \(shapes.count - 1) exist before it. "
          + "Value 0 is the network's input, value i + 1 the output of node i.")
    }
    if case .addition = operation {
      guard inputs.count >= 2 else {
        throw fail("it reads \(inputs.count) values; an addition needs at least two.")
      }
    } else if inputs.count != 1 {
      throw fail("it reads \(inputs.count) values; it needs exactly one.")
    }
    let shape = shapes[inputs[0]]

    /// Throws unless the block exists and has as many columns as the operation has inputs.
    func rowCount(block: Int, inputCount: Int) throws(NetworkError) -> Int {
      guard parameters.indices.contains(block) else {
        throw fail(
          "it uses parameter block \(block), but there are \(parameters.count), counted from 0.")
      }
      let weights = parameters[block].weights
      let bias = parameters[block].hasBias
      guard parameters[block].inputCount == inputCount else {
        throw fail(
          "parameter block '\(parameters[block].name)' is \(weights.rowCount) × \(weights.columnCount)"
            + ", but \(inputCount) inputs\(bias ? " and the bias" : "") need "
            + "\(inputCount + (bias ? 1 : 0)) columns.")
      }
      return weights.rowCount
    }
    /// Throws unless the window fits the image; the positions down and across otherwise.
    func positions(_ window: Window, height: Int, width: Int) throws(NetworkError) -> (Int, Int) {
      guard window.isValid else {
        throw fail(
          "the window has kernel \(window.kernelHeight) × \(window.kernelWidth), stride "
            + "\(window.rowStride) × \(window.columnStride), padding \(window.rowPadding) × "
            + "\(window.columnPadding); kernel and stride must be at least 1 and the padding "
            + "at least 0 and less than the kernel.")
      }
      guard let (rows, columns) = window.positions(height: height, width: width) else {
        throw fail(
          "a kernel of \(window.kernelHeight) × \(window.kernelWidth) does not fit "
            + "an image of \(height) × \(width) with this padding.")
      }
      return (rows, columns)
    }

    switch operation {
    case .dense(let block):
      switch shape {
      case .vector(let count): return .vector(try rowCount(block: block, inputCount: count))
      case .sequence(let positions, let features):
        return .sequence(
          positions: positions, features: try rowCount(block: block, inputCount: features))
      case .image: throw fail("it reads \(shape). Put a flatten node before it.")
      }
    case .convolution(let block, let window):
      guard case .image(let channels, let height, let width) = shape else {
        throw fail("it reads \(shape); a convolution needs an image.")
      }
      let (rows, columns) = try positions(window, height: height, width: width)
      return .image(
        channels: try rowCount(block: block, inputCount: channels * window.area),
        height: rows, width: columns)
    case .activation: return shape
    case .meanPooling(let window):
      guard case .image(let channels, let height, let width) = shape else {
        throw fail("it reads \(shape); mean pooling needs an image.")
      }
      let (rows, columns) = try positions(window, height: height, width: width)
      return .image(channels: channels, height: rows, width: columns)
    case .meanOverPositions:
      switch shape {
      case .vector: throw fail("it reads \(shape), which has no positions. Remove the node.")
      case .sequence(_, let features): return .vector(features)
      case .image(let channels, _, _): return .vector(channels)
      }
    case .flatten: return .vector(shape.count)
    case .addition:
      if let other = inputs.first(where: { shapes[$0] != shape }) {
        throw fail(
          "value \(inputs[0]) is \(shape), but value \(other) is \(shapes[other]). "
            + "All values added must have one shape.")
      }
      return shape
    }
  }
}
