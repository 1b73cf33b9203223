import DataFiles
import DenseAlgebra
import Foundation
import Networks

/// Reads examples and their targets from numpy's files.
///
/// `inputs` (or `x`, `X`) is N × D, one example per row. A categorical likelihood reads `labels` (or
/// `y`), N whole numbers counted from 0; the others read `targets` (or `y`), N × C, or N numbers
/// where the network has one output. Other arrays of the file are left alone.
public enum DataArrays {
  /// Every accepted name, for N examples of D inputs and C outputs.
  public static let documentation: [ArrayDescription] = [
    ArrayDescription("inputs", "(N, D)", "one example per row; also named x or X"),
    ArrayDescription("labels", "(N,)", "class numbers from 0 to C - 1 (categorical); also named y"),
    ArrayDescription(
      "targets", "(N, C)", "targets of the other likelihoods; also named y; (N,) if C = 1"),
  ]

  /// Every name that is read.
  static let names: Set<String> = ["inputs", "x", "X", "labels", "targets", "y"]

  /// Reads a data set that fits the network and the likelihood.
  ///
  /// Throws `DataFileError` for a missing array, shapes that do not fit (with the reason where a
  /// transpose, a one-hot code or counting from 1 explains them), no examples, a number that is not
  /// finite, a label that is not whole or out of range, and outputs that overflow.
  public static func read(
    path: String, network: Network, likelihood: Likelihood,
    limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> Dataset {
    let arrays = try NPZ.read(path: path, limit: limit).map {
      NamedArray(path: path, name: $0.name, array: $0.array)
    }
    let inputs = try array(["inputs", "x", "X"], of: arrays, path: path)
    let count = try checkInputs(inputs, size: network.inputShape.count)
    let targets: Targets
    switch likelihood {
    case .categorical:
      let labels = try array(["labels", "y"], of: arrays, path: path)
      targets = .labels(
        try TargetArrays.labels(labels, count: count, classCount: network.outputCount))
    case .gaussian, .bernoulli:
      let values = try array(["targets", "y"], of: arrays, path: path)
      targets = .values(
        try TargetArrays.values(
          values, count: count, outputCount: network.outputCount, likelihood: likelihood))
    }
    // Memory order of N × D by rows is that of D × N by columns.
    let data = Dataset(
      name: URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent,
      inputs: Matrix(
        rowCount: network.inputShape.count, columnCount: count, storage: inputs.array.elements),
      targets: targets)
    do {
      try data.check(network: network, likelihood: likelihood)
    } catch {
      throw DataFileError("\(path): \(error)")
    }
    try checkOutputs(of: network, data, inputs)
    return data
  }

  /// The one array that has one of the names, the first being the name that is asked for.
  private static func array(
    _ accepted: [String], of arrays: [NamedArray], path: String
  ) throws(DataFileError) -> NamedArray {
    let found = arrays.filter { accepted.contains($0.name) }
    guard let first = found.first else {
      let present = arrays.map(\.name)
      let near = NearestName.suggestion(
        for: accepted[0], among: present.filter { !names.contains($0) })
      let others = accepted.dropFirst().map { "'\($0)'" }.joined(separator: ", ")
      throw DataFileError(
        "\(path): there is no array '\(accepted[0])' (or \(others)); the file holds "
          + "\(present.isEmpty ? "no arrays" : list(present)). "
          + (near.map { "Rename '\($0)' to '\(accepted[0])'." }
            ?? "Save it with numpy.savez(path, \(accepted[0])=array)."))
    }
    guard found.count == 1 else {
      throw DataFileError(
        "\(path): the arrays \(list(found.map(\.name))) mean the same, and one of them is "
          + "expected. Save one.")
    }
    return first
  }

  /// Names in quotes, at most ten of them.
  static func list(_ names: [String]) -> String {
    names.prefix(10).map { "'\($0)'" }.joined(separator: ", ")
      + (names.count > 10 ? " and \(names.count - 10) more" : "")
  }

  /// Returns N.
  private static func checkInputs(_ inputs: NamedArray, size: Int) throws(DataFileError) -> Int {
    let shape = inputs.array.shape
    let expected = "(N, \(size)), one example per row, is expected for this network"
    let advice =
      switch shape.count {
      case 2 where shape[0] == size && shape[1] > 0:
        "The inputs seem to be transposed: save \(inputs.name).T."
      case 1 where shape[0] == size: "Save one example as \(inputs.name)[None, :]."
      case 1 where size == 1: "Save \(inputs.name)[:, None]."
      case 3... where shape.dropFirst().reduce(1, *) == size:
        "Save \(inputs.name).reshape(len(\(inputs.name)), -1)."
      default: "Give the data that the network was made for."
      }
    guard shape.count == 2, shape[1] == size else {
      throw inputs.error("the shape is \(inputs.shape), and \(expected). \(advice)")
    }
    guard shape[0] > 0 else {
      throw inputs.error(
        "the shape is \(inputs.shape), and there are no examples. Give at least one.")
    }
    try inputs.array.requireFinite(inputs.place)
    return shape[0]
  }

  /// Throws where finite inputs and weights overflow to outputs that are not finite.
  private static func checkOutputs(
    of network: Network, _ data: Dataset, _ inputs: NamedArray
  ) throws(DataFileError) {
    let outputs = network.forward(data.inputs).output
    guard let position = outputs.storage.firstIndex(where: { !$0.isFinite }) else { return }
    throw inputs.error(
      "the network's output \(position % outputs.rowCount) for example "
        + "\(position / outputs.rowCount) (counting from 0) is \(outputs.storage[position]), so "
        + "the inputs or the weights are too large. Scale the inputs as in training.")
  }
}
