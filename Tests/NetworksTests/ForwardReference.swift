import DenseAlgebra
import Networks

/// A second forward pass: one example at a time, one entry at a time, straight from the definitions.
/// It shares nothing with the sources but the activation functions.
func referenceForward(_ network: Network, _ input: [Double]) -> [Double] {
  var values = [input]
  for (index, node) in network.nodes.enumerated() {
    let x = values[node.inputs[0]]
    let shape = network.shapes[node.inputs[0]]
    switch node.operation {
    case .dense(let block):
      let features = network.parameters[block].inputCount
      values.append(
        stride(from: 0, to: x.count, by: features).flatMap { start in
          affine(network.parameters[block]) { x[start + $0] }
        })
    case .convolution(let block, let window):
      guard case .image(let channels, let height, let width) = shape,
        case .image(let outputs, let rows, let columns) = network.shapes[index + 1]
      else { preconditionFailure("not an image") }
      values.append(
        referenceConvolution(
          x, channels, height, width, network.parameters[block], window, outputs, rows, columns))
    case .activation(let activation):
      values.append(x.map(activation.value))
    case .meanPooling(let window):
      guard case .image(let channels, let height, let width) = shape,
        case .image(_, let rows, let columns) = network.shapes[index + 1]
      else { preconditionFailure("not an image") }
      values.append(
        referencePooling(x, channels, height, width, window, rows, columns))
    case .meanOverPositions:
      values.append(referenceMeanOverPositions(x, shape))
    case .flatten:
      values.append(x)
    case .addition:
      values.append(x.indices.map { i in node.inputs.reduce(0) { $0 + values[$1][i] } })
    }
  }
  return values[values.count - 1]
}

private func affine(_ block: ParameterBlock, _ input: (Int) -> Double) -> [Double] {
  (0..<block.weights.rowCount).map { i in
    var sum = block.hasBias ? block.weights[i, block.weights.columnCount - 1] : 0
    for j in 0..<block.inputCount { sum += block.weights[i, j] * input(j) }
    return sum
  }
}

/// Six nested loops over output channel, row, column and input channel, kernel row, kernel column.
func referenceConvolution(
  _ x: [Double], _ channels: Int, _ height: Int, _ width: Int, _ block: ParameterBlock,
  _ window: Window, _ outputs: Int, _ rows: Int, _ columns: Int
) -> [Double] {
  var result: [Double] = []
  for o in 0..<outputs {
    for i in 0..<rows {
      for j in 0..<columns {
        var sum = block.hasBias ? block.weights[o, block.weights.columnCount - 1] : 0
        var column = 0
        for c in 0..<channels {
          for ki in 0..<window.kernelHeight {
            for kj in 0..<window.kernelWidth {
              let row = i * window.rowStride + ki - window.rowPadding
              let col = j * window.columnStride + kj - window.columnPadding
              if row >= 0, row < height, col >= 0, col < width {
                sum += block.weights[o, column] * x[c * height * width + row * width + col]
              }
              column += 1
            }
          }
        }
        result.append(sum)
      }
    }
  }
  return result
}

private func referencePooling(
  _ x: [Double], _ channels: Int, _ height: Int, _ width: Int, _ window: Window, _ rows: Int,
  _ columns: Int
) -> [Double] {
  var result: [Double] = []
  for c in 0..<channels {
    for i in 0..<rows {
      for j in 0..<columns {
        var sum = 0.0
        for row in i * window.rowStride - window.rowPadding..<height
        where row >= 0 && row < i * window.rowStride - window.rowPadding + window.kernelHeight {
          for col in j * window.columnStride - window.columnPadding..<width
          where col >= 0
            && col < j * window.columnStride - window.columnPadding + window.kernelWidth
          {
            sum += x[(c * height + row) * width + col]
          }
        }
        result.append(sum / Double(window.kernelHeight * window.kernelWidth))
      }
    }
  }
  return result
}

private func referenceMeanOverPositions(_ x: [Double], _ shape: Shape) -> [Double] {
  switch shape {
  case .vector: preconditionFailure("no positions")
  case .sequence(let positions, let features):
    return (0..<features).map { f in
      (0..<positions).reduce(0) { $0 + x[$1 * features + f] } / Double(positions)
    }
  case .image(let channels, let height, let width):
    return (0..<channels).map { c in
      x[c * height * width..<(c + 1) * height * width].reduce(0, +) / Double(height * width)
    }
  }
}
