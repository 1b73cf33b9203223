import DataFiles
import DenseAlgebra
import Networks

/// A network as `case.json` describes it: its nodes and the sizes of its parameters, no weights.
public struct NetworkDescription: Equatable, Sendable {
  private let inputShape: Shape
  private let nodes: [Node]
  private let parameters: [Parameters]

  /// Reads the description; `path` is the file that it comes from, for messages.
  ///
  /// Throws `DataFileError` where a key is missing, of another kind, or names nothing known.
  public init(_ json: JSON, path: String) throws(DataFileError) {
    try self.init(JSONPlace(json, path: path, steps: "network"))
  }

  init(_ place: JSONPlace) throws(DataFileError) {
    inputShape = try Shape(description: place.member("inputShape"))
    var nodes: [Node] = []
    for (index, node) in try place.member("nodes").list().enumerated() {
      nodes.append(
        try NodeDescription(node, named: "\(place.path): node \(index) (counting from 0)").node())
    }
    self.nodes = nodes
    var parameters: [Parameters] = []
    for block in try place.member("parameters").list() { parameters.append(try Parameters(block)) }
    self.parameters = parameters
  }

  /// The names of the arrays that hold the weights, in order.
  public var weightNames: [String] { parameters.map { "\($0.name).weights" } }

  /// The network with the weights of each block, dG × dA with the bias last.
  ///
  /// Throws `DataFileError` that begins with `path` where the number or a size of the weights is
  /// not the one described, or where nodes and parameters do not make a network.
  public func network(weights: [Matrix], path: String) throws(DataFileError) -> Network {
    guard weights.count == parameters.count else {
      throw DataFileError(
        "\(path): there are weights for \(weights.count) parameter blocks, and \(parameters.count) "
          + "are described. Give one matrix for each.")
    }
    var blocks: [ParameterBlock] = []
    for (described, matrix) in zip(parameters, weights) {
      guard matrix.rowCount == described.rows, matrix.columnCount == described.columns else {
        throw DataFileError(
          "\(path): the parameter block '\(described.name)' is described as \(described.rows) × "
            + "\(described.columns), and its weights are \(matrix.rowCount) × "
            + "\(matrix.columnCount). Correct one of them.")
      }
      blocks.append(
        ParameterBlock(
          name: described.name, weights: matrix, hasBias: described.bias))
    }
    do {
      return try Network(inputShape: inputShape, nodes: nodes, parameters: blocks)
    } catch {
      throw DataFileError("\(path): \(error.message)")
    }
  }

  private struct Parameters: Equatable {
    let name: String
    let rows, columns: Int
    let bias: Bool

    init(_ place: JSONPlace) throws(DataFileError) {
      name = try place.member("name").text()
      rows = try place.member("rows").integer()
      columns = try place.member("columns").integer()
      bias = try place.optional("bias")?.boolean() ?? true
    }
  }
}

/// The largest extent of a shape or window that is read: products of three stay far below 2⁶³.
private let largestExtent = 1_000_000

extension Shape {
  fileprivate init(description place: JSONPlace) throws(DataFileError) {
    let members = try place.members()
    func extents(_ place: JSONPlace, _ names: [String]) throws(DataFileError) -> [Int] {
      var extents: [Int] = []
      for name in names { extents.append(try place.member(name).integer()) }
      return extents
    }
    let sizes: [Int]
    if let count = members["vector"], members.count == 1 {
      sizes = [try count.integer()]
      self = .vector(sizes[0])
    } else if let sequence = members["sequence"], members.count == 1 {
      sizes = try extents(sequence, ["positions", "features"])
      self = .sequence(positions: sizes[0], features: sizes[1])
    } else if let image = members["image"], members.count == 1 {
      sizes = try extents(image, ["channels", "height", "width"])
      self = .image(channels: sizes[0], height: sizes[1], width: sizes[2])
    } else {
      throw DataFileError(
        "\(place.path): the inputShape must have one of the keys vector, sequence and image. "
          + "Give one of them.")
    }
    if let size = sizes.first(where: { $0 > largestExtent }) {
      throw DataFileError(
        "\(place.path): the inputShape has the extent \(size), and the largest that is read is "
          + "\(largestExtent). Give a smaller network.")
    }
  }
}

private struct NodeDescription {
  let operation: String
  let inputs: [Int]
  let parameters: Int?
  let activation: String?
  /// Kernel, stride and padding; empty without a window.
  let window: [[Int]]
  /// What begins a message.
  let place: String

  init(_ node: JSONPlace, named place: String) throws(DataFileError) {
    operation = try node.member("operation").text()
    inputs = try node.member("inputs").integers()
    parameters = try node.optional("parameters")?.integer()
    activation = try node.optional("activation")?.text()
    var window: [[Int]] = []
    if let extents = try node.optional("window") {
      for name in ["kernel", "stride", "padding"] {
        window.append(try extents.member(name).integers())
      }
    }
    self.window = window
    self.place = place
  }

  func node() throws(DataFileError) -> Node { Node(try networkOperation(), inputs: inputs) }

  private func networkOperation() throws(DataFileError) -> Networks.Operation {
    switch operation {
    case "dense": return .dense(parameters: try block())
    case "convolution":
      return .convolution(parameters: try block(), window: try networkWindow())
    case "activation":
      guard let found = activation.flatMap({ Activation(rawValue: $0) }) else {
        let names = Activation.allCases.map(\.rawValue).joined(separator: ", ")
        throw DataFileError(
          "\(place) has the activation '\(activation ?? "")', and one of \(names) is expected. "
            + "Name one of them.")
      }
      return .activation(found)
    case "meanPooling": return .meanPooling(try networkWindow())
    case "meanOverPositions": return .meanOverPositions
    case "flatten": return .flatten
    case "addition": return .addition
    default:
      throw DataFileError(
        "\(place) has the operation '\(operation)', and one of dense, convolution, activation, "
          + "meanPooling, meanOverPositions, flatten, addition is expected. Name one of them.")
    }
  }

  private func block() throws(DataFileError) -> Int {
    guard let parameters else {
      throw DataFileError(
        "\(place) is a \(operation) without the key parameters. Give the index of its parameter "
          + "block, counted from 0.")
    }
    return parameters
  }

  private func networkWindow() throws(DataFileError) -> Window {
    guard window.count == 3,
      window.allSatisfy({ $0.count == 2 && $0.allSatisfy { $0 <= largestExtent } })
    else {
      throw DataFileError(
        "\(place) is a \(operation) whose window must have a kernel, a stride and a padding of two "
          + "numbers each, none above \(largestExtent). Give them.")
    }
    return Window(
      kernelHeight: window[0][0], kernelWidth: window[0][1], rowStride: window[1][0],
      columnStride: window[1][1], rowPadding: window[2][0], columnPadding: window[2][1])
  }
}

/// A likelihood as `case.json` describes it.
public struct LikelihoodDescription: Equatable, Sendable {
  /// The likelihood.
  public let likelihood: Likelihood
  /// Whether the probabilities are an array of the case and not those of the outputs.
  public let hasGivenProbabilities: Bool

  /// Reads the description; `path` is the file that it comes from, for messages.
  ///
  /// Throws `DataFileError` for any other name than categorical, bernoulli, and gaussian with a
  /// positive variance.
  public init(_ json: JSON, path: String) throws(DataFileError) {
    try self.init(JSONPlace(json, path: path, steps: "likelihood"))
  }

  init(_ place: JSONPlace) throws(DataFileError) {
    let name = try place.member("name").text()
    let variance = try place.optional("variance")?.number()
    hasGivenProbabilities = try place.optional("probabilities")?.text() == "given"
    switch (name, variance) {
    case ("categorical", nil): likelihood = .categorical
    case ("bernoulli", nil): likelihood = .bernoulli
    case ("gaussian", let variance?) where variance > 0:
      likelihood = .gaussian(variance: variance)
    default:
      let seen = variance.map { "'\(name)' with the variance \($0)" } ?? "'\(name)'"
      throw DataFileError(
        "\(place.path): the likelihood is \(seen), and categorical, bernoulli, or gaussian with "
          + "a positive variance is expected. Name one of them.")
    }
  }
}
