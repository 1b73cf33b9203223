import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import Networks

/// A case of Fixtures/vectors/peers: a network, its data, and what other programs computed of them.
struct PeerCase {
  let network: Network
  let data: Dataset
  let likelihood: Likelihood
  let dampings: [Double]
  let split: Int
  let arrays: [(name: String, array: NumericArray)]

  init(_ name: String) throws {
    let folder = "vectors/peers/\(name)"
    let json = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("\(folder)/case.json")))
    let description = try JSONDecoder().decode(Description.self, from: json)
    let arrays = try NPZ.read(path: Fixtures.path("\(folder)/arrays.npz"))
    func matrix(_ name: String) throws -> Matrix? {
      try arrays.first { $0.name == name }?.array.matrix(name)
    }
    self.arrays = arrays
    dampings = description.dampings
    split = description.split
    network = try Network(
      inputShape: description.network.inputShape.shape,
      nodes: description.network.nodes.map(\.node),
      parameters: description.network.parameters.map {
        ParameterBlock(
          name: $0.name,
          weights: try matrix("\($0.name).weights") ?? Matrix(rowCount: 0, columnCount: 0),
          hasBias: true)
      })
    let inputs = try matrix("inputs") ?? Matrix(rowCount: 0, columnCount: 0)
    likelihood =
      switch description.likelihood.name {
      case "categorical": .categorical
      case "gaussian": .gaussian(variance: description.likelihood.variance ?? .nan)
      default: .bernoulli
      }
    let targets: Targets
    if let values = try matrix("targets") {
      targets = .values(values.transposed)
    } else {
      targets = .labels(try arrays.first { $0.name == "labels" }?.array.labels() ?? [])
    }
    data = Dataset(name: name, inputs: inputs.transposed, targets: targets)
  }

  /// The part of case.json that says what was computed.
  private struct Description: Decodable {
    let network: NetworkDescription
    let likelihood: LikelihoodDescription
    let dampings: [Double]
    let split: Int
  }

  private struct LikelihoodDescription: Decodable {
    let name: String
    let variance: Double?
  }

  private struct NetworkDescription: Decodable {
    let inputShape: InputShape
    let nodes: [NodeDescription]
    let parameters: [Block]
  }

  private struct Block: Decodable { let name: String }

  private struct InputShape: Decodable {
    struct Sequence: Decodable { let positions, features: Int }
    struct Image: Decodable { let channels, height, width: Int }
    let vector: Int?
    let sequence: Sequence?
    let image: Image?

    var shape: Shape {
      if let vector { return .vector(vector) }
      if let sequence {
        return .sequence(positions: sequence.positions, features: sequence.features)
      }
      return .image(
        channels: image?.channels ?? 0, height: image?.height ?? 0, width: image?.width ?? 0)
    }
  }

  private struct WindowDescription: Decodable {
    let kernel, stride, padding: [Int]

    var window: Window {
      Window(
        kernelHeight: kernel[0], kernelWidth: kernel[1], rowStride: stride[0],
        columnStride: stride[1], rowPadding: padding[0], columnPadding: padding[1])
    }
  }

  private struct NodeDescription: Decodable {
    let operation: String
    let inputs: [Int]
    let parameters: Int?
    let activation: Activation?
    let window: WindowDescription?

    var node: Node {
      let operation: Networks.Operation =
        switch (self.operation, parameters, activation, window) {
        case ("dense", let block?, _, _): .dense(parameters: block)
        case ("convolution", let block?, _, let window?):
          .convolution(parameters: block, window: window.window)
        case ("activation", _, let activation?, _): .activation(activation)
        case ("meanPooling", _, _, let window?): .meanPooling(window.window)
        case ("meanOverPositions", _, _, _): .meanOverPositions
        case ("flatten", _, _, _): .flatten
        case ("addition", _, _, _): .addition
        default: preconditionFailure("case.json holds the operation \(self.operation)")
        }
      return Node(operation, inputs: inputs)
    }
  }
}
