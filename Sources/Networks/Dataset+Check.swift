import DenseAlgebra

extension Dataset {
  /// Throws the first reason why the numeric functions would refuse this data set.
  ///
  /// Looks, in this order, at the likelihood's variance, the number of examples, the inputs' size and
  /// values, the targets' kind, number, size and values. Linear in the size of the data.
  public func check(network: Network, likelihood: Likelihood) throws(DatasetError) {
    if case .gaussian(let variance) = likelihood, !(variance > 0 && variance.isFinite) {
      throw .variance(variance)
    }
    guard count > 0 else { throw .noExamples }
    guard inputs.rowCount == network.inputShape.count else {
      throw .inputCount(got: inputs.rowCount, expected: network.inputShape.count)
    }
    if let index = inputs.storage.firstIndex(where: { !$0.isFinite }) {
      throw .inputNotFinite(
        example: index / inputs.rowCount, entry: index % inputs.rowCount,
        value: inputs.storage[index])
    }
    let outputs = network.outputCount
    switch (targets, likelihood) {
    case (.labels(let labels), .categorical):
      guard labels.count == count else {
        throw .targetCount(got: labels.count, expected: count)
      }
      if let example = labels.firstIndex(where: { !(0..<outputs).contains($0) }) {
        throw .label(example: example, value: labels[example], classCount: outputs)
      }
    case (.values(let values), .gaussian), (.values(let values), .bernoulli):
      guard values.columnCount == count else {
        throw .targetCount(got: values.columnCount, expected: count)
      }
      guard values.rowCount == outputs else {
        throw .targetComponents(got: values.rowCount, expected: outputs)
      }
      let isBad: (Double) -> Bool =
        likelihood == .bernoulli ? { !(0...1).contains($0) } : { !$0.isFinite }
      if let index = values.storage.firstIndex(where: isBad) {
        throw .target(
          example: index / outputs, component: index % outputs, value: values.storage[index],
          likelihood: likelihood)
      }
    case (.values, .categorical), (.labels, .gaussian), (.labels, .bernoulli):
      throw .targetKind(likelihood: likelihood)
    }
  }
}
