import DataFiles
import DenseAlgebra
import Networks

/// Checks what examples are labelled with, and turns it into `Targets`' form.
enum TargetArrays {
  /// N class labels from 0 to C − 1.
  static func labels(
    _ labels: NamedArray, count: Int, classCount: Int
  ) throws(DataFileError) -> [Int] {
    let shape = labels.array.shape
    guard shape.count == 1 else {
      let advice =
        if shape == [count, classCount], isOneHot(labels.array) {
          "The labels seem to be one-hot: save \(labels.name).argmax(axis=1)."
        } else if shape.reduce(1, *) == count {
          "Save \(labels.name).ravel()."
        } else {
          "Save one whole number per example."
        }
      throw labels.error(
        "the shape is \(labels.shape), and (\(count),), one label per example, is expected. \(advice)"
      )
    }
    guard shape[0] == count else {
      throw labels.error(
        "there are \(shape[0]) labels for \(count) examples. Save one label per example.")
    }
    try labels.array.requireFinite(labels.place)
    let values = try labels.array.labels(labels.place)
    if let index = values.firstIndex(where: { !(0..<classCount).contains($0) }) {
      let advice =
        values.allSatisfy((1...classCount).contains)
        ? "They seem to count from 1: save \(labels.name) - 1."
        : "Give labels of the classes that the network knows."
      throw labels.error(
        "entry [\(index)] is \(values[index]), and the network's \(classCount) outputs need labels "
          + "from 0 to \(classCount - 1). \(advice)")
    }
    return values
  }

  /// C × N target values.
  static func values(
    _ values: NamedArray, count: Int, outputCount: Int, likelihood: Likelihood
  ) throws(DataFileError) -> Matrix {
    let shape = values.array.shape
    let isVector = outputCount == 1 && shape == [count]
    guard isVector || shape == [count, outputCount] else {
      let expected =
        outputCount == 1 ? "(\(count), 1) or (\(count),)" : "(\(count), \(outputCount))"
      let advice =
        shape == [outputCount, count]
        ? "The targets seem to be transposed: save \(values.name).T."
        : "Save one row of \(outputCount) numbers for each of the \(count) examples."
      throw values.error(
        "the shape is \(values.shape), and \(expected) is expected. \(advice)")
    }
    try values.array.requireFinite(values.place)
    let elements = values.array.elements
    if likelihood == .bernoulli,
      let position = elements.firstIndex(where: { !(0...1).contains($0) })
    {
      let advice =
        elements.allSatisfy { $0.magnitude == 1 }
        ? "They seem to be -1 and 1: save (\(values.name) + 1) / 2."
        : "Save probabilities, or use the Gaussian likelihood."
      throw values.error(
        "entry \(NamedArray.index(position, in: shape)) is \(elements[position]), and the Bernoulli "
          + "likelihood needs targets from 0 to 1. \(advice)")
    }
    return Matrix(rowCount: outputCount, columnCount: count, storage: elements)
  }

  private static func isOneHot(_ array: NumericArray) -> Bool {
    let width = array.shape[1]
    return stride(from: 0, to: array.elements.count, by: width).allSatisfy { start in
      let row = array.elements[start..<start + width]
      return row.allSatisfy { $0 == 0 || $0 == 1 } && row.reduce(0, +) == 1
    }
  }
}
