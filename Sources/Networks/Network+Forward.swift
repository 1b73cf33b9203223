import DenseAlgebra

extension Network {
  /// Computes every value of a batch, and keeps what backpropagation needs.
  ///
  /// `inputs` is D × N, one example per column, D = `inputShape.count`. s = W̄ ā for every
  /// parametrised node, as one matrix product over the batch (spec 2.1).
  public func forward(_ inputs: Matrix) -> Tape {
    precondition(
      inputs.rowCount == inputShape.count,
      "forward: inputs have \(inputs.rowCount) rows, the network reads \(inputShape)")
    var values = [inputs]
    values.reserveCapacity(nodes.count + 1)
    var uses: [Tape.Use] = []
    for (index, node) in nodes.enumerated() {
      let input = values[node.inputs[0]]
      switch node.operation {
      case .dense(let block):
        let positions = positions(ofNode: index)
        let columns = input.regrouped(
          rowCount: parameters[block].inputCount, columnCount: input.columnCount * positions)
        let use = Tape.Use(
          block: block, node: index,
          inputs: parameters[block].hasBias ? columns.appendingOne : columns, positions: positions)
        values.append(
          (parameters[block].weights * use.inputs).regrouped(
            rowCount: shapes[index + 1].count, columnCount: input.columnCount))
        uses.append(use)
      case .convolution(let block, let window):
        let unfolding = unfolding(of: node, window: window)
        let use = Tape.Use(
          block: block, node: index,
          inputs: unfolding.unfold(input, appendingOne: parameters[block].hasBias),
          positions: unfolding.positions)
        values.append(
          (parameters[block].weights * use.inputs).channelMajor(positions: unfolding.positions))
        uses.append(use)
      case .activation(let activation):
        values.append(input.map(activation.value))
      case .meanPooling(let window):
        values.append(unfolding(of: node, window: window).meanPool(input))
      case .meanOverPositions:
        values.append(shapes[node.inputs[0]].meanOverPositions(input))
      case .flatten:
        values.append(input)
      case .addition:
        values.append(node.inputs.dropFirst().reduce(input) { $0 + values[$1] })
      }
    }
    return Tape(values: values, uses: uses)
  }
}
