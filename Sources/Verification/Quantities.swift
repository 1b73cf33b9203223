import Curvature
import DataFiles
import DenseAlgebra
import Networks

/// Every quantity of one network on one batch, under documented names.
///
/// Losses, gradients, A, G and Fisher matrices are means over the N examples; weights and steps have
/// the shape of [W b]; matrices over parameters are in the order of `options.vectorization`.
/// `documentation` lists every name. The names agree with those of `Fixtures/vectors/peers`.
/// Reference: the specification, sections 1, 3 to 6 and 8.
public struct Quantities: Sendable {
  /// The arrays in the order of `documentation`: the network's, then layer by layer, then steps.
  public private(set) var arrays: [(name: String, array: NumericArray)] = []

  /// Computes the quantities of data that fit the network (`Dataset.check`).
  ///
  /// Throws `CurvatureError` where a matrix is over the memory limit, not positive definite under its
  /// damping, or an iteration does not converge, and `DataFileError` naming the first quantity that
  /// overflows. O(P³) for the eigenvalues of the dense Fisher of P parameters.
  public init(
    _ network: Network, _ data: Dataset, likelihood: Likelihood,
    options: QuantityOptions = QuantityOptions()
  ) throws {
    // Outputs first: what overflows there must not reach the losses.
    let logits = network.forward(data.inputs).output.transposed
    try logits.requireFinite("logits")
    let loss = LossGradient(network, data, likelihood)
    try add("loss", NumericArray(loss.loss))
    try add("losses", NumericArray(Vector(loss.losses)))
    try add("logits", NumericArray(logits))
    let state = try QuantityState(
      network, data, likelihood: likelihood, gradient: loss.gradient, options: options)
    try addFisher(state)
    for index in state.layers.indices {
      try addLayer(state, index)
      try addApproximations(state, index)
    }
    try addSteps(state)
    try addMatrixFreeSteps(state)
  }

  /// The array of a name.
  public subscript(name: String) -> NumericArray? {
    arrays.first { $0.name == name }?.array
  }

  /// Adds an array of finite numbers.
  mutating func add(_ name: String, _ array: NumericArray) throws(DataFileError) {
    try array.requireFiniteQuantity(name)
    arrays.append((name, array))
  }

  /// Adds a matrix over parameters of the given layers, in the order that was asked for.
  mutating func add(
    _ name: String, dense matrix: Matrix, _ layout: ParameterLayout, _ options: QuantityOptions
  ) throws(DataFileError) {
    try add(name, NumericArray(options.vectorization.matrix(matrix, layout: layout)))
  }

  /// Adds the eigenvalues of a symmetric matrix, ascending.
  mutating func addEigenvalues(_ name: String, of matrix: Matrix) throws {
    do {
      try add(name, NumericArray(try SymmetricEigendecomposition.values(of: matrix)))
    } catch let error as IterationLimitReached {
      throw CurvatureError.iterationLimit(what: "the computation of \(name)", limit: error.limit)
    }
  }
}

extension NumericArray {
  /// Throws the sentence for a quantity that overflowed.
  fileprivate func requireFiniteQuantity(_ name: String) throws(DataFileError) {
    guard let position = elements.firstIndex(where: { !$0.isFinite }) else { return }
    throw DataFileError(
      "The quantity \(name) is \(elements[position]) at \(NamedArray.index(position, in: shape)), "
        + "and a finite number is expected: inputs or weights are too large. "
        + "Scale the inputs as in training.")
  }
}

extension Matrix {
  fileprivate func requireFinite(_ name: String) throws(DataFileError) {
    try NumericArray(self).requireFiniteQuantity(name)
  }
}
