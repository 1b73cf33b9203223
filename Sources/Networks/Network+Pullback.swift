import DenseAlgebra

extension Network {
  /// Pulls one cotangent per example back to every use of a parameter block.
  ///
  /// `cotangent` is v, C × N. The result has one matrix per entry of `tape.uses`, in that order:
  /// g = (∂z/∂s)ᵀ v at the node's output s, dG × (N·T), column n·T + t. The contribution of a use to
  /// the gradient of vᵀz is Σ g āᵀ. Source: spec 2.1 (backpropagation).
  public func pullback(_ cotangent: Matrix, through tape: Tape) -> [Matrix] {
    let exampleCount = tape.output.columnCount
    precondition(
      cotangent.rowCount == outputCount && cotangent.columnCount == exampleCount,
      "pullback: the cotangent is \(cotangent.rowCount) × \(cotangent.columnCount), expected \(outputCount) × \(exampleCount)"
    )
    let needed = valuesBehindParameters
    var cotangents = [Matrix?](repeating: nil, count: nodes.count + 1)
    cotangents[nodes.count] = cotangent
    var result = [Matrix](repeating: Matrix(rowCount: 0, columnCount: 0), count: tape.uses.count)
    var use = tape.uses.count

    for (index, node) in nodes.enumerated().reversed() where needed[index + 1] {
      guard let outgoing = cotangents[index + 1] else {
        preconditionFailure("value \(index + 1) is read by no node")
      }
      cotangents[index + 1] = nil
      let value = node.inputs[0]
      let incoming: Matrix?
      switch node.operation {
      case .dense(let block):
        use -= 1
        let g = outgoing.regrouped(
          rowCount: parameters[block].weights.rowCount,
          columnCount: exampleCount * tape.uses[use].positions)
        result[use] = g
        incoming =
          needed[value]
          ? parameters[block].weightsWithoutBias.transposedTimes(g)
            .regrouped(rowCount: shapes[value].count, columnCount: exampleCount) : nil
      case .convolution(let block, let window):
        use -= 1
        let g = outgoing.positionMajor(positions: tape.uses[use].positions)
        result[use] = g
        incoming =
          needed[value]
          ? unfolding(of: node, window: window).fold(
            parameters[block].weightsWithoutBias.transposedTimes(g), exampleCount: exampleCount)
          : nil
      case .activation(let activation):
        incoming = outgoing.hadamard(tape.values[value].map(activation.derivative))
      case .meanPooling(let window):
        incoming = unfolding(of: node, window: window).spreadMeanPool(outgoing)
      case .meanOverPositions:
        incoming = shapes[value].spreadMeanOverPositions(outgoing)
      case .flatten:
        incoming = outgoing
      case .addition:
        incoming = outgoing
      }
      // Only an addition has several inputs, and each of them receives the same cotangent.
      guard let incoming else { continue }
      for value in node.inputs where needed[value] {
        cotangents[value] = cotangents[value].map { $0 + incoming } ?? incoming
      }
    }
    return result
  }

  /// Whether value i depends on a parameter: a cotangent is carried back to those values only.
  private var valuesBehindParameters: [Bool] {
    var needed = [false]
    for node in nodes {
      needed.append(node.operation.parameters != nil || node.inputs.contains { needed[$0] })
    }
    return needed
  }
}

extension ParameterBlock {
  /// W, without the bias column: the homogeneous coordinate has no cotangent.
  fileprivate var weightsWithoutBias: Matrix {
    hasBias ? weights.block(rows: 0..<weights.rowCount, columns: 0..<inputCount) : weights
  }
}
