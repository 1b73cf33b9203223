extension Network {
  /// The maximal runs among the given blocks that follow one another, as positions in `selected`.
  ///
  /// See `GradientSamples.chain`.
  func chain(of selected: [Int]) -> [[Int]] {
    let simple = simpleUses
    let positions = Dictionary(
      uniqueKeysWithValues: selected.enumerated().map { ($0.element, $0.offset) })
    var next: [Int: Int] = [:]
    var hasPredecessor: Set<Int> = []
    for block in selected {
      guard let node = simple[block], let before = predecessor(ofNode: node, among: simple),
        positions[before] != nil
      else { continue }
      next[before] = block
      hasPredecessor.insert(block)
    }
    var runs: [[Int]] = []
    for block in selected where simple[block] != nil && !hasPredecessor.contains(block) {
      let run = sequence(first: block) { next[$0] }
      runs.append(run.compactMap { positions[$0] })
    }
    return runs
  }

  /// The node of every block that is used once, at one position.
  private var simpleUses: [Int: Int] {
    var uses: [Int: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      if let block = node.operation.parameters { uses[block, default: []].append(index) }
    }
    return uses.compactMapValues {
      $0.count == 1 && positions(ofNode: $0[0]) == 1 ? $0[0] : nil
    }
  }

  /// The block right before a node, over activations and flattening that nothing else reads.
  private func predecessor(ofNode index: Int, among simple: [Int: Int]) -> Int? {
    var value = nodes[index].inputs[0]
    while value > 0 {
      guard nodes.reduce(0, { $0 + $1.inputs.count { $0 == value } }) == 1 else { return nil }
      let node = nodes[value - 1]
      switch node.operation {
      case .dense(let block), .convolution(let block, _):
        return simple[block] == nil ? nil : block
      case .activation, .flatten:
        value = node.inputs[0]
      case .meanPooling, .meanOverPositions, .addition:
        return nil
      }
    }
    return nil
  }
}
