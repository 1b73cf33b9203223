import Curvature
import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import Networks
import TestSupport
import Testing

/// Numbers of others: every array of `Fixtures/vectors/peers`, which NumPy, PyTorch, curvlinops 3.0.1
/// and nngeometry 0.4 computed in float64, is computed again from the same weights and data.
///
/// Relative Frobenius differences: at most 1e-12, for solutions of linear systems 1e-9.
@Suite("Agreement with NumPy, PyTorch, curvlinops and nngeometry")
struct PeerFixtureTests {
  static let names = [
    "convolution", "dense-logistic-bernoulli", "dense-relu-gaussian", "dense-tanh-categorical",
    "residual", "shared-sequence", "shared-sequence-expand", "tied",
  ]

  @Test("Every folder of peer vectors is in the list")
  func allCasesAreRead() throws {
    let folder = try Fixtures.path("vectors/peers")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == Self.names)
  }

  @Test("Every array agrees", arguments: names)
  func everyArrayAgrees(name: String) throws {
    let peer = try PeerCase(name)
    var compared = 0
    for array in peer.arrays where !peer.isGiven(array.name) {
      let found = try #require(try peer.compute(array.name), "unknown array \(array.name)")
      let expected = array.array.elements
      #expect(found.count == expected.count, "\(array.name)")
      let difference = (Vector(found) - Vector(expected)).norm / Vector(expected).norm
      let limit = array.name.contains(".step.") ? 1e-9 : 1e-12
      #expect(difference <= limit, "\(array.name)")
      compared += 1
    }
    #expect(compared == peer.description.arrays.count { $0.source != "drawn" })
    #expect(compared > 100)
  }
}

/// One case: its description, its arrays, and our own computation of any of them by name.
struct PeerCase {
  /// What `case.json` says, as far as it is needed.
  struct Description: Decodable {
    struct Sizes: Decodable { let positions, features, channels, height, width: Int? }
    struct InputShape: Decodable {
      let vector: Int?
      let sequence: Sizes?
      let image: Sizes?
    }
    struct WindowSizes: Decodable { let kernel, stride, padding: [Int] }
    struct NodeDescription: Decodable {
      let operation: String
      let parameters: Int?
      let activation: String?
      let window: WindowSizes?
      let inputs: [Int]
    }
    struct Parameters: Decodable { let name: String }
    struct NetworkDescription: Decodable {
      let inputShape: InputShape
      let nodes: [NodeDescription]
      let parameters: [Parameters]
    }
    struct LikelihoodDescription: Decodable {
      let name: String
      let variance: Double?
    }
    struct ArrayDescription: Decodable { let name, source: String }
    let network: NetworkDescription
    let likelihood: LikelihoodDescription
    let arrays: [ArrayDescription]
  }

  let description: Description
  let arrays: [(name: String, array: NumericArray)]
  let network: Network
  let data: Dataset
  let likelihood: Likelihood
  let exact: GradientSamples
  let empirical: GradientSamples
  let loss: LossGradient

  init(_ name: String) throws {
    let json = try Data(
      contentsOf: URL(fileURLWithPath: Fixtures.path("vectors/peers/\(name)/case.json")))
    description = try JSONDecoder().decode(Description.self, from: json)
    arrays = try NPZ.read(path: Fixtures.path("vectors/peers/\(name)/arrays.npz"))
    let byName = Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0.array) })
    network = try PeerCase.network(description.network) { try #require(byName[$0]).matrix() }
    let targets =
      try byName["labels"].map { Targets.labels(try $0.labels()) }
      ?? .values(try #require(byName["targets"]).matrix().transposed)
    data = Dataset(
      name: name, inputs: try #require(byName["inputs"]).matrix().transposed, targets: targets)
    likelihood =
      switch description.likelihood.name {
      case "gaussian": .gaussian(variance: try #require(description.likelihood.variance))
      case "bernoulli": .bernoulli
      default: .categorical
      }
    exact = GradientSamples(network, data, likelihood: likelihood, kind: .exact)
    empirical = GradientSamples(network, data, likelihood: likelihood, kind: .empirical)
    loss = LossGradient(network, data, likelihood)
  }

  static func network(
    _ description: Description.NetworkDescription, weights: (String) throws -> Matrix
  ) throws -> Network {
    let shape = description.inputShape
    let inputShape: Shape
    if let sequence = shape.sequence {
      inputShape = .sequence(
        positions: try #require(sequence.positions), features: try #require(sequence.features))
    } else if let image = shape.image {
      inputShape = .image(
        channels: try #require(image.channels), height: try #require(image.height),
        width: try #require(image.width))
    } else {
      inputShape = .vector(try #require(shape.vector))
    }
    return try Network(
      inputShape: inputShape,
      nodes: try description.nodes.map { node in
        Node(try operation(node), inputs: node.inputs)
      },
      parameters: try description.parameters.map {
        ParameterBlock(name: $0.name, weights: try weights("\($0.name).weights"), hasBias: true)
      })
  }

  static func operation(_ node: Description.NodeDescription) throws -> Networks.Operation {
    func window() throws -> Window {
      let sizes = try #require(node.window)
      return Window(
        kernelHeight: sizes.kernel[0], kernelWidth: sizes.kernel[1], rowStride: sizes.stride[0],
        columnStride: sizes.stride[1], rowPadding: sizes.padding[0],
        columnPadding: sizes.padding[1])
    }
    switch node.operation {
    case "dense": return .dense(parameters: try #require(node.parameters))
    case "convolution":
      return .convolution(parameters: try #require(node.parameters), window: try window())
    case "activation":
      return .activation(try #require(node.activation.flatMap { Activation(rawValue: $0) }))
    case "meanPooling": return .meanPooling(try window())
    case "meanOverPositions": return .meanOverPositions
    case "flatten": return .flatten
    default:
      #expect(node.operation == "addition")
      return .addition
    }
  }

  /// Whether an array is the input of the computation.
  func isGiven(_ name: String) -> Bool {
    ["inputs", "labels", "targets"].contains(name) || name.hasSuffix(".weights")
  }

  /// Our numbers for an array of this name, in C order; nil for a name that is not known.
  func compute(_ name: String) throws -> [Double]? {
    // A peer's array has the name of the same quantity after `peer.LIBRARY.`.
    if name.hasPrefix("peer.") {
      return try compute(name.split(separator: ".").dropFirst(2).joined(separator: "."))
    }
    switch name {
    case "logits": return network.forward(data.inputs).output.storage
    case "losses": return loss.losses
    case "loss": return [loss.loss]
    case "fisher": return try rows(ExactFisher(exact).dense(within: .standard))
    case "fisher.empirical": return try rows(ExactFisher(empirical).dense(within: .standard))
    default: break
    }
    guard let index = network.parameters.firstIndex(where: { name.hasPrefix($0.name + ".") })
    else { return nil }
    let quantity = String(name.dropFirst(network.parameters[index].name.count + 1))
    return quantity.hasPrefix("step.")
      ? try step(quantity, layer: index) : try layerQuantity(quantity, layer: index)
  }

  private func layerQuantity(_ quantity: String, layer index: Int) throws -> [Double]? {
    let layer = LayerSamples(exact, block: index)
    let trained = LayerSamples(empirical, block: index)
    let (expand, reduce) = (KFACFactors(layer), KFACFactors(layer, sharing: .reduce))
    func dense(_ block: some MatrixStructure) throws -> [Double] {
      rows(try block.dense(within: .standard))
    }
    switch quantity {
    case "gradient": return rows(loss.gradient.blocks[index])
    case "A": return rows(expand.a)
    case "G": return rows(expand.g)
    case "A.reduce": return rows(reduce.a)
    case "G.reduce": return rows(reduce.g)
    case "G.empirical": return rows(KFACFactors(trained).g)
    case "G.reduce.empirical": return rows(KFACFactors(trained, sharing: .reduce).g)
    case "A.eigenvalues": return try SymmetricEigendecomposition.values(of: expand.a).elements
    case "G.eigenvalues": return try SymmetricEigendecomposition.values(of: expand.g).elements
    case "block": return rows(layer.scaledGradients.timesOwnTranspose)
    case "block.empirical": return rows(trained.scaledGradients.timesOwnTranspose)
    case "ekfac": return try dense(EigenbasisBlock.ekfac(layer))
    case "second-moments": return rows(try EigenbasisBlock.ekfac(layer).secondMoments)
    case "nearest-kronecker": return try dense(KroneckerBlock.nearestKronecker(layer))
    case "tkfac": return try dense(KroneckerBlock.tkfac(layer))
    case "kfac-split-2": return try dense(KroneckerBlock.kfacSplit(layer, split: 2))
    default: return nil
    }
  }

  /// A name `step.STRUCTURE.RULE.λ`, where λ has a decimal point of its own.
  private func step(_ quantity: String, layer: Int) throws -> [Double]? {
    let parts = quantity.split(separator: ".", maxSplits: 3).map(String.init)
    guard parts.count == 4, let rule = DampingRule(rawValue: parts[2]), let λ = Double(parts[3])
    else { return nil }
    let presets: [String: (StructureKind, StructureOptions)] = [
      "kfac-split-2": (.kfacSplit, StructureOptions(split: 2)),
      "kfac-reduce": (.kfac, StructureOptions(sharing: .reduce)),
    ]
    let preset = presets[parts[1]]
    guard let kind = preset?.0 ?? StructureKind(rawValue: parts[1]) else { return nil }
    let structure = try kind.build(exact, preset?.1 ?? StructureOptions())
    return rows(try structure.damped(rule, λ).solve(loss.gradient).blocks[layer])
  }

  /// The entries of a matrix row by row, as the files hold them.
  private func rows(_ matrix: Matrix) -> [Double] { matrix.transposed.storage }
}
