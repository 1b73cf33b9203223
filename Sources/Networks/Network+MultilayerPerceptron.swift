import DenseAlgebra

extension Network {
  /// A chain of dense layers with an activation between each two.
  ///
  /// `weights[i]` is [W b] of layer i (dG × dA, bias last; only W where `hasBias` is false);
  /// `activations` has one entry fewer. The last layer has no activation: it is in the likelihood.
  /// Blocks are named layer1, layer2, … Throws where sizes do not follow one another.
  public static func multilayerPerceptron(
    weights: [Matrix], activations: [Activation], hasBias: Bool = true
  ) throws(NetworkError) -> Network {
    guard let first = weights.first, activations.count == weights.count - 1 else {
      throw NetworkError(
        message: "\(weights.count) layers and \(activations.count) activations; "
          + "a multilayer perceptron has one activation between each two layers, and at least one layer."
      )
    }
    var nodes: [Node] = []
    for layer in weights.indices {
      nodes.append(Node(.dense(parameters: layer), inputs: [nodes.count]))
      if layer < activations.count {
        nodes.append(Node(.activation(activations[layer]), inputs: [nodes.count]))
      }
    }
    return try Network(
      inputShape: .vector(first.columnCount - (hasBias ? 1 : 0)), nodes: nodes,
      parameters: weights.enumerated().map {
        ParameterBlock(name: "layer\($0.offset + 1)", weights: $0.element, hasBias: hasBias)
      })
  }

  /// A multilayer perceptron with biases from its widths, randomly initialised.
  ///
  /// `[784, 20, 20, 20, 10]` is the network of the THOR paper's Figure 4. The same activation stands
  /// after every layer but the last.
  public static func multilayerPerceptron(
    widths: [Int], activation: Activation, initialization: Initialization, seed: UInt64
  ) throws(NetworkError) -> Network {
    guard widths.count >= 2, widths.allSatisfy({ $0 >= 1 }) else {
      throw NetworkError(
        message:
          "The widths are \(widths); give at least two (inputs and outputs), each at least 1.")
    }
    return try multilayerPerceptron(
      weights: zip(widths, widths.dropFirst()).map {
        Matrix(rowCount: $1, columnCount: $0 + 1)
      },
      activations: Array(repeating: activation, count: widths.count - 2)
    ).initialized(initialization, seed: seed)
  }
}
