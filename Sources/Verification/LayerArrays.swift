import DataFiles
import DenseAlgebra
import Networks

/// The arrays of one dense layer as a file holds them.
struct LayerArrays {
  let number: Int
  let weights: NamedArray
  let role: WeightName.Role
  let bias: NamedArray?

  /// How the array of the weights can be read: as its name says, or as a mistake that is common.
  enum Reading: CaseIterable {
    case asNamed, transposed, withoutBiasColumn, withBiasColumn

    /// What to do if this reading fits where the named one does not.
    var advice: String {
      switch self {
      case .asNamed: ""
      case .transposed: "The weights seem to be transposed: save their .T."
      case .withoutBiasColumn:
        "The weights seem to have no bias column: name them layer{i}.W instead of layer{i}.weights."
      case .withBiasColumn:
        "The last column seems to be the bias: name the arrays layer{i}.weights."
      }
    }
  }

  /// The numbers of outputs and inputs under a reading; nil where it does not apply.
  func sizes(_ reading: Reading = .asNamed) -> (outputs: Int, inputs: Int)? {
    let (rows, columns) = (weights.array.shape[0], weights.array.shape[1])
    switch (reading, role) {
    case (.asNamed, .joined): return (rows, columns - 1)
    case (.asNamed, .weights): return (rows, columns)
    case (.asNamed, .transposedWeights): return (columns, rows)
    case (.transposed, .joined): return (columns, rows - 1)
    case (.transposed, .weights): return (columns, rows)
    case (.transposed, .transposedWeights): return (rows, columns)
    case (.withoutBiasColumn, .joined): return (rows, columns)
    case (.withBiasColumn, .weights): return bias == nil ? (rows, columns - 1) : nil
    case (.withoutBiasColumn, _), (.withBiasColumn, _), (_, .bias): return nil
    }
  }

  /// Checks that the arrays are a matrix and a fitting vector of finite numbers.
  func check() throws(DataFileError) {
    let shape = weights.array.shape
    guard shape.count == 2 else {
      throw weights.error(
        "the shape is \(weights.shape), and the weights of a dense layer are a matrix. "
          + "Give a multilayer perceptron; convolutions are not read.")
    }
    guard let sizes = sizes(), sizes.outputs >= 1, sizes.inputs >= 1 else {
      let joined = role == .joined ? ", one column of them the bias" : ""
      throw weights.error(
        "the shape is \(weights.shape)\(joined), and a layer has at least one output and one "
          + "input. Save the weights of a trained layer.")
    }
    try weights.array.requireFinite(weights.place)
    guard let bias else { return }
    guard bias.array.shape == [sizes.outputs] else {
      let guess =
        bias.array.shape == [sizes.inputs]
        ? Reading.transposed.advice : "Save the bias as a vector of \(sizes.outputs) numbers."
      throw bias.error(
        "the shape is \(bias.shape), and (\(sizes.outputs),) is expected, as the weights "
          + "'\(weights.name)' have shape \(weights.shape). \(guess)")
    }
    try bias.array.requireFinite(bias.place)
  }

  /// [W b] (or W), as the network keeps it.
  func block() throws(DataFileError) -> ParameterBlock {
    let read = try weights.array.matrix(weights.place)
    let matrix = role == .transposedWeights ? read.transposed : read
    let name = "layer\(number)"
    guard let bias else {
      return ParameterBlock(name: name, weights: matrix, hasBias: role == .joined)
    }
    let column = bias.array.elements
    return ParameterBlock(
      name: name,
      weights: Matrix(
        rowCount: matrix.rowCount, columnCount: matrix.columnCount + 1,
        storage: matrix.storage + column),
      hasBias: true)
  }
}
