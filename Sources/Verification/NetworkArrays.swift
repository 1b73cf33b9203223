import DataFiles
import Networks

/// Reads the weights of a multilayer perceptron from numpy's files.
///
/// `documentation` lists the accepted names. Natgrad's own count layers from 1 without a gap; those
/// of PyTorch and Flax are taken in increasing order of the last number in the name, all else in
/// them being equal, and "/" may stand for the last ".". A lone `.npy` file is the one layer
/// `layer1.weights`. `inputs`, `labels`, `targets` and their short names may lie in the same file;
/// any other array is an error, so that nothing is left out unseen.
public enum NetworkArrays {
  /// Every accepted name; {k} is a whole number.
  public static let documentation: [ArrayDescription] = [
    ArrayDescription("layer{i}.weights", "(out, in + 1)", "[W b], the bias in the last column"),
    ArrayDescription("layer{i}.W", "(out, in)", "W of a layer whose bias stands apart or is none"),
    ArrayDescription("layer{i}.b", "(out,)", "the bias beside layer{i}.W"),
    ArrayDescription("{k}.weight", "(out, in)", "PyTorch's state_dict; fc1.weight, net.2.weight"),
    ArrayDescription("{k}.bias", "(out,)", "the bias of PyTorch's or Flax's layer, if it has one"),
    ArrayDescription("Dense_{k}.kernel", "(in, out)", "Flax; transposed when read"),
  ]

  /// Reads the network; `hasBias: false` makes `layer{i}.weights` plain W, like `layer{i}.W`.
  ///
  /// `activations` has one entry for each hidden layer; a single one serves for all of them, however
  /// many, and an `identity` for the last layer may be added. Throws `DataFileError` for everything else than a
  /// chain of dense layers of finite numbers that ends in a vector the likelihood can use.
  public static func read(
    path: String, activations: [Activation], likelihood: Likelihood, hasBias: Bool = true,
    limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> Network {
    let arrays = try NPZ.read(path: path, limit: limit).map {
      NamedArray(path: path, name: $0.name, array: $0.array)
    }
    let layers = try layers(renamingLoneArray(arrays, path: path), path: path, hasBias: hasBias)
    for layer in layers { try layer.check() }
    try checkChain(layers, path: path)
    let between = try hidden(activations, layerCount: layers.count, path: path)
    var blocks: [ParameterBlock] = []
    var nodes: [Node] = []
    for (index, layer) in layers.enumerated() {
      blocks.append(try layer.block())
      nodes.append(Node(.dense(parameters: index), inputs: [nodes.count]))
      if index < between.count {
        nodes.append(Node(.activation(between[index]), inputs: [nodes.count]))
      }
    }
    let network: Network
    do {
      network = try Network(
        inputShape: .vector(blocks[0].inputCount), nodes: nodes, parameters: blocks)
    } catch {
      throw DataFileError("\(path): \(error.message)")
    }
    guard likelihood != .categorical || network.outputCount >= 2 else {
      throw DataFileError(
        "\(path): the network has one output, and a categorical likelihood needs one for each of "
          + "at least two classes. Use the Bernoulli likelihood for one output.")
    }
    return network
  }

  /// A plain `.npy` file has no array name but the file's, so it is the first layer.
  private static func renamingLoneArray(_ arrays: [NamedArray], path: String) -> [NamedArray] {
    guard arrays.count == 1, path.lowercased().hasSuffix(".npy"), WeightName(arrays[0].name) == nil
    else { return arrays }
    return [NamedArray(path: path, name: "layer1.weights", array: arrays[0].array)]
  }

  /// Groups the arrays by layer, in the order of the layers.
  private static func layers(
    _ arrays: [NamedArray], path: String, hasBias: Bool
  ) throws(DataFileError) -> [LayerArrays] {
    var named: [(name: WeightName, array: NamedArray)] = []
    for array in arrays where !DataArrays.names.contains(array.name) {
      guard let name = WeightName(array.name) else { throw unknown(array) }
      named.append((name, array))
    }
    guard let first = named.first else {
      let held = arrays.isEmpty ? "no arrays" : "only \(DataArrays.list(arrays.map(\.name)))"
      throw DataFileError(
        "\(path): the file holds \(held), and the weights of at least one layer are expected. "
          + "Save them as layer1.weights, layer2.weights and so on.")
    }
    if let other = named.first(where: { $0.name.pattern != first.name.pattern }) {
      throw DataFileError(
        "\(path): the order of the layers cannot be told from the names '\(first.array.name)' and "
          + "'\(other.array.name)', which differ in more than a number. "
          + "Save them as layer1.weights, layer2.weights and so on.")
    }
    let numbers = Set(named.map(\.name.number)).sorted()
    if named.contains(where: \.name.isOwn), numbers != Array(1...numbers.count) {
      let present = numbers.map(String.init).joined(separator: ", ")
      throw DataFileError(
        "\(path): the layers are numbered \(present), and 1 to \(numbers.count) without a gap is "
          + "expected. Save every layer, counting from 1.")
    }
    var layers: [LayerArrays] = []
    for number in numbers {
      layers.append(
        try layer(
          number, named.filter { $0.name.number == number }, place: layers.count + 1,
          hasBias: hasBias))
    }
    return layers
  }

  private static func layer(
    _ number: Int, _ named: [(name: WeightName, array: NamedArray)], place: Int, hasBias: Bool
  ) throws(DataFileError) -> LayerArrays {
    let weights = named.filter { $0.name.role != .bias }
    let biases = named.filter { $0.name.role == .bias }
    for twice in [weights, biases] where twice.count > 1 {
      throw twice[1].array.error(
        "it stands beside '\(twice[0].array.name)', and one of the two is expected. "
          + "Save the layer once.")
    }
    guard let own = weights.first else {
      throw biases[0].array.error(
        "there is a bias without weights. Save the weights of the layer beside it.")
    }
    let role = own.name.role == .joined && !hasBias ? WeightName.Role.weights : own.name.role
    if role == .joined, let bias = biases.first {
      throw bias.array.error(
        "it stands beside '\(own.array.name)', whose last column is the bias. "
          + "Name weights without a bias column layer\(number).W.")
    }
    return LayerArrays(
      number: place, weights: own.array, role: role, bias: biases.first?.array)
  }

  private static func unknown(_ array: NamedArray) -> DataFileError {
    let stem = array.name.lastIndex(where: { $0 == "." || $0 == "/" }).map { array.name[...$0] }
    let candidates = ["weights", "W", "b", "weight", "bias", "kernel"].map { "\(stem ?? "")\($0)" }
    let near = NearestName.suggestion(
      for: array.name, among: candidates.filter { WeightName($0) != nil })
    return array.error(
      "this is no name of a layer's weights or bias. "
        + (near.map { "Rename it to '\($0)' if that is meant." }
          ?? "Save layer1.weights (out × (in + 1), bias last), or layer1.W and layer1.b, or a "
          + "PyTorch state_dict of Linear layers, and nothing else."))
  }

  /// Throws where a layer's outputs are not the next one's inputs, with the reason if one fits.
  private static func checkChain(_ layers: [LayerArrays], path: String) throws(DataFileError) {
    guard let broken = firstBreak(layers.map { $0.sizes() }) else { return }
    let guess = LayerArrays.Reading.allCases.dropFirst().first { reading in
      let sizes = layers.map { $0.sizes(reading) ?? $0.sizes() }
      return layers.contains { $0.sizes(reading) != nil } && firstBreak(sizes) == nil
    }
    let (before, layer) = (layers[broken - 1], layers[broken])
    throw layer.weights.error(
      "the shape is \(layer.weights.shape), so the layer reads \(layer.sizes()?.inputs ?? 0) inputs, "
        + "but the layer before it ('\(before.weights.name)', \(before.weights.shape)) gives "
        + "\(before.sizes()?.outputs ?? 0). "
        + (guess?.advice ?? "Save the layers of one network, in its order."))
  }

  private static func firstBreak(_ sizes: [(outputs: Int, inputs: Int)?]) -> Int? {
    sizes.indices.dropFirst().first { sizes[$0 - 1]?.outputs != sizes[$0]?.inputs }
  }

  /// One activation for each hidden layer.
  private static func hidden(
    _ activations: [Activation], layerCount: Int, path: String
  ) throws(DataFileError) -> [Activation] {
    let count = layerCount - 1
    if activations.count == count { return activations }
    if activations.count == layerCount, activations.last == .identity {
      return activations.dropLast()
    }
    if activations.count == 1 { return Array(repeating: activations[0], count: count) }
    let names = activations.map(\.rawValue).joined(separator: ",")
    let seen = activations.isEmpty ? "no activations" : "the activations \(names)"
    throw DataFileError(
      "\(path): the network has \(layerCount) layers, and \(seen) were given, but \(count) are "
        + "expected, one after each layer but the last, whose nonlinearity is the likelihood's. "
        + "Give \(count), or one for all hidden layers.")
  }
}
