import DataFiles
import DenseAlgebra
import Foundation
import Networks

/// What `case.json` of a test vector says, as it stands there.
struct CaseDescription: Decodable {
  struct File: Decodable { let name, sha256: String }
  struct Comparison: Decodable { let metric: String }

  struct Entry: Decodable {
    let name: String
    let shape: [Int]
    let divisor: Int?
    let n: Int?
    let kappa: Double?
    let limit: Double?
  }

  struct Stage: Decodable {
    let name: String
    let derivedFrom: [String]
    let gauge: String
    let compare: Comparison
    let arrays: [Entry]

    var stage: VectorCase.Stage {
      VectorCase.Stage(
        name: name, derivedFrom: derivedFrom, metric: compare.metric, gauge: gauge,
        arrays: arrays.map {
          VectorCase.Entry(
            name: $0.name, divisor: $0.divisor, size: $0.n ?? 1, condition: $0.kappa ?? 1,
            limit: $0.limit)
        })
    }
  }

  let schemaVersion: String
  let id: String
  let tier: String
  let purpose: String
  let flags: [String]
  let conventions: [String: String]
  let model: ModelDescription
  let files: [File]
  let stages: [Stage]

  /// Reads the file; throws where it is not JSON, lacks a key or is of another version.
  init(path: String, limit: Int) throws(DataFileError) {
    let bytes = try InputFile.read(path: path, limit: limit)
    do {
      self = try JSONDecoder().decode(CaseDescription.self, from: Data(bytes))
    } catch let error as DecodingError {
      throw DataFileError("\(path): \(error.sentence)")
    } catch {
      throw DataFileError("\(path): this is not JSON. Restore the file.")
    }
    guard schemaVersion.hasPrefix("1.") else {
      throw DataFileError(
        "\(path): the schemaVersion is '\(schemaVersion)', and 1.x is read. "
          + "Use a natgrad of that version.")
    }
  }

  /// Throws unless the bytes of `arrays.npz` have the hash that is stated.
  func checkHash(of bytes: [UInt8], path: String) throws(DataFileError) {
    guard let file = files.first(where: { $0.name == "arrays.npz" }) else {
      throw DataFileError("\(path): 'arrays.npz' is not among the files. Restore the file.")
    }
    let digest = SHA256.hexDigest(bytes)
    guard digest == file.sha256 else {
      throw DataFileError(
        "\(path): arrays.npz has the sha256 \(digest), and \(file.sha256) is stated. "
          + "Restore both files from one version.")
    }
  }

  /// Throws unless the arrays are those of the stages, of their shapes, and finite.
  func check(
    _ arrays: [(name: String, array: NumericArray)], path: String
  ) throws(DataFileError) {
    let entries = stages.flatMap(\.arrays)
    var listed: Set<String> = []
    for entry in entries {
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

/// Either a network with a likelihood, or the kind of the matrices given.
struct ModelDescription: Decodable {
  let network: NetworkDescription?
  let likelihood: LikelihoodDescription?
  let kind: String?

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
    let likelihood = try likelihoodDescription.likelihood(path: path)
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

extension DecodingError {
  /// Where in the file something is missing or of another kind, and what to do.
  fileprivate var sentence: String {
    func place(_ path: [any CodingKey]) -> String {
      path.isEmpty
        ? "the whole file"
        : path.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }
          .joined().trimmingPrefix(".").description
    }
    switch self {
    case .keyNotFound(let key, let context):
      return "the key '\(key.stringValue)' is missing in \(place(context.codingPath)). "
        + "Restore the file."
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(place(context.codingPath)) holds something of another kind than expected "
        + "(a text, a number, a list or an object). Restore the file."
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      return "\(place(context.codingPath)) cannot be read. Restore the file."
    default:
      // Foundation does not tell text that is no JSON from a size that is no whole number.
      return "this is not JSON, or a size in it is no whole number. Restore the file."
    }
  }
}
