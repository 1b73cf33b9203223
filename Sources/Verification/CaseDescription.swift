import DataFiles
import DenseAlgebra
import Networks

/// What `case.json` of a test vector says, as it stands there.
struct CaseDescription {
  let id, tier, purpose: String
  let flags: [String]
  let conventions: [String: String]
  let model: ModelDescription
  let stages: [VectorCase.Stage]
  /// The shape of every array that is listed.
  private let shapes: [(name: String, shape: [Int])]
  /// The stated hash of every file.
  private let hashes: [String: String]

  /// Reads the file; throws where it is not JSON, lacks a key or is of another version.
  init(path: String, limit: Int) throws(DataFileError) {
    let file = JSONPlace(try JSON.read(path: path, limit: limit), path: path)
    let version = try file.member("schemaVersion").text()
    guard version.hasPrefix("1.") else {
      throw DataFileError(
        "\(path): the schemaVersion is '\(version)', and 1.x is read. "
          + "Use a natgrad of that version.")
    }
    id = try file.member("id").text()
    tier = try file.member("tier").text()
    purpose = try file.member("purpose").text()
    flags = try file.member("flags").texts()
    var conventions: [String: String] = [:]
    for (key, place) in try file.member("conventions").members() {
      conventions[key] = try place.text()
    }
    self.conventions = conventions
    model = try ModelDescription(file.member("model"))
    var hashes: [String: String] = [:]
    for place in try file.member("files").list() {
      hashes[try place.member("name").text()] = try place.member("sha256").text()
    }
    self.hashes = hashes
    var stages: [VectorCase.Stage] = []
    var shapes: [(name: String, shape: [Int])] = []
    for place in try file.member("stages").list() {
      stages.append(try VectorCase.Stage(place))
      for array in try place.member("arrays").list() {
        shapes.append(
          (try array.member("name").text(), try array.member("shape").integers()))
      }
    }
    self.stages = stages
    self.shapes = shapes
  }

  /// Throws unless the bytes of `arrays.npz` have the hash that is stated.
  func checkHash(of bytes: [UInt8], path: String) throws(DataFileError) {
    guard let stated = hashes["arrays.npz"] else {
      throw DataFileError("\(path): 'arrays.npz' is not among the files. Restore the file.")
    }
    let digest = SHA256.hexDigest(bytes)
    guard digest == stated else {
      throw DataFileError(
        "\(path): arrays.npz has the sha256 \(digest), and \(stated) is stated. "
          + "Restore both files from one version.")
    }
  }

  /// Throws unless the arrays are those of the stages, of their shapes, and finite.
  func check(
    _ arrays: [(name: String, array: NumericArray)], path: String
  ) throws(DataFileError) {
    var listed: Set<String> = []
    for entry in shapes {
      guard listed.insert(entry.name).inserted else {
        throw DataFileError("\(path): case.json lists '\(entry.name)' twice. Restore the file.")
      }
      guard let array = arrays.first(where: { $0.name == entry.name })?.array else {
        throw DataFileError(
          "\(path): the array '\(entry.name)' that case.json lists is missing. Restore the file.")
      }
      let named = NamedArray(path: path, name: entry.name, array: array)
      guard array.shape == entry.shape else {
        throw named.error(
          "the shape is \(named.shape), and case.json says \(NamedArray.text(entry.shape)). "
            + "Restore both files from one version.")
      }
      try array.requireFinite(named.place)
    }
    if let other = arrays.first(where: { !listed.contains($0.name) }) {
      throw DataFileError(
        "\(path): the array '\(other.name)' is not listed in case.json. "
          + "Restore both files from one version.")
    }
  }
}

extension VectorCase.Stage {
  fileprivate init(_ place: JSONPlace) throws(DataFileError) {
    var entries: [VectorCase.Entry] = []
    for array in try place.member("arrays").list() {
      entries.append(
        VectorCase.Entry(
          name: try array.member("name").text(),
          divisor: try array.optional("divisor")?.integer(),
          size: try array.optional("n")?.integer() ?? 1,
          condition: try array.optional("kappa")?.number() ?? 1,
          limit: try array.optional("limit")?.number()))
    }
    self.init(
      name: try place.member("name").text(), derivedFrom: try place.member("derivedFrom").texts(),
      metric: try place.member("compare").member("metric").text(),
      gauge: try place.member("gauge").text(), arrays: entries)
  }
}

/// Either a network with a likelihood, or the kind of the matrices given.
struct ModelDescription {
  let network: NetworkDescription?
  let likelihood: LikelihoodDescription?
  let kind: String?

  init(_ place: JSONPlace) throws(DataFileError) {
    // Not by map, which does not keep the type of the error.
    if let network = try place.optional("network") {
      self.network = try NetworkDescription(network)
    } else {
      network = nil
    }
    if let likelihood = try place.optional("likelihood") {
      self.likelihood = try LikelihoodDescription(likelihood)
    } else {
      likelihood = nil
    }
    kind = try place.optional("kind")?.text()
  }

  /// The model on the arrays of the case.
  func model(
    _ arrays: [String: NumericArray], path: String
  ) throws(DataFileError) -> VectorCase.Model {
    func matrix(_ name: String) throws(DataFileError) -> Matrix {
      guard let array = arrays[name] else {
        throw DataFileError("\(path): the model needs the array '\(name)'. Restore the files.")
      }
      return try array.matrix("\(path), array '\(name)'")
    }
    switch (network, likelihood, kind) {
    case (let network?, let likelihood?, nil):
      return .network(try networkModel(network, likelihood, arrays, matrix, path: path))
    case (nil, nil, "factors"):
      let (a, g) = (try matrix("layer1.A"), try matrix("layer1.G"))
      let gradient = try matrix("layer1.gradient")
      guard a.isSquare, g.isSquare, gradient.rowCount == g.rowCount,
        gradient.columnCount == a.rowCount
      else {
        throw DataFileError(
          "\(path): layer1.A, layer1.G and layer1.gradient must be dA × dA, dG × dG and dG × dA. "
            + "Restore the files.")
      }
      return .factors(a: a, g: g, gradient: gradient)
    case (nil, nil, "matrix"):
      let (block, gradient) = (try matrix("layer1.block"), try matrix("layer1.gradient"))
      guard block.isSquare, block.rowCount == gradient.rowCount * gradient.columnCount else {
        throw DataFileError(
          "\(path): layer1.block must be dA·dG square for a layer1.gradient of dG × dA. "
            + "Restore the files.")
      }
      return .matrix(block, gradient: gradient)
    default:
      throw DataFileError(
        "\(path): the model must be a network with a likelihood, or of the kind factors or "
          + "matrix. Restore the file.")
    }
  }

  private func networkModel(
    _ description: NetworkDescription, _ likelihoodDescription: LikelihoodDescription,
    _ arrays: [String: NumericArray], _ matrix: (String) throws(DataFileError) -> Matrix,
    path: String
  ) throws(DataFileError) -> VectorCase.NetworkModel {
    var weights: [Matrix] = []
    for name in description.weightNames { weights.append(try matrix(name)) }
    let network = try description.network(weights: weights, path: path)
    let likelihood = likelihoodDescription.likelihood
    let inputs = try matrix("inputs").transposed
    var targets: Targets?
    if let labels = arrays["labels"] {
      targets = .labels(try labels.labels("\(path), array 'labels'"))
    } else if arrays["targets"] != nil {
      targets = .values(try matrix("targets").transposed)
    }
    if let targets {
      do {
        try Dataset(name: path, inputs: inputs, targets: targets)
          .check(network: network, likelihood: likelihood)
      } catch {
        throw DataFileError("\(path): \(error)")
      }
    } else if inputs.rowCount != network.inputShape.count || inputs.columnCount == 0 {
      throw DataFileError(
        "\(path): the inputs are \(inputs.columnCount) × \(inputs.rowCount), and examples of "
          + "\(network.inputShape.count) numbers each are expected. Restore the files.")
    }
    let probabilities =
      likelihoodDescription.hasGivenProbabilities ? try matrix("probabilities").transposed : nil
    if let p = probabilities,
      p.rowCount != network.outputCount || p.columnCount != inputs.columnCount
    {
      throw DataFileError(
        "\(path): the probabilities are \(p.columnCount) × \(p.rowCount), and "
          + "\(inputs.columnCount) × \(network.outputCount) is expected. Restore the files.")
    }
    return VectorCase.NetworkModel(
      network: network, inputs: inputs, targets: targets, likelihood: likelihood,
      probabilities: probabilities)
  }
}
