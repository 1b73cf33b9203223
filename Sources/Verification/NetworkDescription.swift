import DataFiles
import DenseAlgebra
import Networks

/// A network as `case.json` describes it: its nodes and the sizes of its parameters, no weights.
public struct NetworkDescription: Decodable, Equatable, Sendable {
  private let inputShape: InputShape
  private let nodes: [NodeDescription]
  private let parameters: [Parameters]

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
          name: described.name, weights: matrix, hasBias: described.bias ?? true))
    }
    var operations: [Node] = []
    for (index, node) in nodes.enumerated() {
      operations.append(try node.node("\(path): node \(index) (counting from 0)"))
    }
    do {
      return try Network(
        inputShape: try inputShape.shape(path), nodes: operations, parameters: blocks)
    } catch let error as NetworkError {
      throw DataFileError("\(path): \(error.message)")
    } catch let error as DataFileError {
      throw error
    } catch {
      preconditionFailure("no other error is thrown here: \(error)")
    }
  }

  private struct Parameters: Decodable, Equatable {
    let name: String
    let rows, columns: Int
    let bias: Bool?
  }
}

/// The largest extent of a shape or window that is read: products of three stay far below 2⁶³.
private let largestExtent = 1_000_000

private struct InputShape: Decodable, Equatable {
  struct Sequence: Decodable, Equatable { let positions, features: Int }
  struct Image: Decodable, Equatable { let channels, height, width: Int }
  let vector: Int?
  let sequence: Sequence?
  let image: Image?

  func shape(_ path: String) throws(DataFileError) -> Shape {
    let shape: Shape
    let extents: [Int]
    switch (vector, sequence, image) {
    case (let count?, nil, nil):
      (shape, extents) = (.vector(count), [count])
    case (nil, let s?, nil):
      shape = .sequence(positions: s.positions, features: s.features)
      extents = [s.positions, s.features]
    case (nil, nil, let i?):
      shape = .image(channels: i.channels, height: i.height, width: i.width)
      extents = [i.channels, i.height, i.width]
    default:
      throw DataFileError(
        "\(path): the inputShape must have one of the keys vector, sequence and image. "
          + "Give one of them.")
    }
    if let extent = extents.first(where: { $0 > largestExtent }) {
      throw DataFileError(
        "\(path): the inputShape has the extent \(extent), and the largest that is read is "
          + "\(largestExtent). Give a smaller network.")
    }
    return shape
  }
}

private struct NodeDescription: Decodable, Equatable {
  struct Extents: Decodable, Equatable { let kernel, stride, padding: [Int] }
  let operation: String
  let inputs: [Int]
  let parameters: Int?
  let activation: String?
  let window: Extents?

  /// `place` begins the message of an error.
  func node(_ place: String) throws(DataFileError) -> Node {
    Node(try networkOperation(place), inputs: inputs)
  }

  private func networkOperation(_ place: String) throws(DataFileError) -> Networks.Operation {
    switch operation {
    case "dense": return .dense(parameters: try block(place))
    case "convolution":
      return .convolution(parameters: try block(place), window: try networkWindow(place))
    case "activation":
      guard let found = activation.flatMap({ Activation(rawValue: $0) }) else {
        let names = Activation.allCases.map(\.rawValue).joined(separator: ", ")
        throw DataFileError(
          "\(place) has the activation '\(activation ?? "")', and one of \(names) is expected. "
            + "Name one of them.")
      }
      return .activation(found)
    case "meanPooling": return .meanPooling(try networkWindow(place))
    case "meanOverPositions": return .meanOverPositions
    case "flatten": return .flatten
    case "addition": return .addition
    default:
      throw DataFileError(
        "\(place) has the operation '\(operation)', and one of dense, convolution, activation, "
          + "meanPooling, meanOverPositions, flatten, addition is expected. Name one of them.")
    }
  }

  private func block(_ place: String) throws(DataFileError) -> Int {
    guard let parameters else {
      throw DataFileError(
        "\(place) is a \(operation) without the key parameters. Give the index of its parameter "
          + "block, counted from 0.")
    }
    return parameters
  }

  private func networkWindow(_ place: String) throws(DataFileError) -> Window {
    let extents = [window?.kernel, window?.stride, window?.padding].map { $0 ?? [] }
    guard extents.allSatisfy({ $0.count == 2 && $0.allSatisfy { $0 <= largestExtent } }) else {
      throw DataFileError(
        "\(place) is a \(operation) whose window must have a kernel, a stride and a padding of two "
          + "numbers each, none above \(largestExtent). Give them.")
    }
    return Window(
      kernelHeight: extents[0][0], kernelWidth: extents[0][1], rowStride: extents[1][0],
      columnStride: extents[1][1], rowPadding: extents[2][0], columnPadding: extents[2][1])
  }
}

/// A likelihood as `case.json` describes it.
public struct LikelihoodDescription: Decodable, Equatable, Sendable {
  private let name: String
  private let variance: Double?
  private let probabilities: String?

  /// Whether the probabilities are an array of the case and not those of the outputs.
  public var hasGivenProbabilities: Bool { probabilities == "given" }

  /// The likelihood, or an error that begins with `path`.
  public func likelihood(path: String) throws(DataFileError) -> Likelihood {
    switch (name, variance) {
    case ("categorical", nil): return .categorical
    case ("bernoulli", nil): return .bernoulli
    case ("gaussian", let variance?) where variance > 0 && variance.isFinite:
      return .gaussian(variance: variance)
    default:
      let seen = variance.map { "'\(name)' with the variance \($0)" } ?? "'\(name)'"
      throw DataFileError(
        "\(path): the likelihood is \(seen), and categorical, bernoulli, or gaussian with a "
          + "positive variance is expected. Name one of them.")
    }
  }
}
