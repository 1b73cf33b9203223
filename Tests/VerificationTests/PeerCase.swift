import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import Networks
import Verification

/// A case of Fixtures/vectors/peers: a network, its data, and what other programs computed of them.
struct PeerCase {
  let network: Network
  let data: Dataset
  let likelihood: Likelihood
  let dampings: [Double]
  let split: Int
  let arrays: [(name: String, array: NumericArray)]

  /// The part of case.json that says what was computed.
  private struct Description: Decodable {
    let network: NetworkDescription
    let likelihood: LikelihoodDescription
    let dampings: [Double]
    let split: Int
  }

  init(_ name: String) throws {
    let path = try Fixtures.path("vectors/peers/\(name)/case.json")
    let json = try Data(contentsOf: URL(fileURLWithPath: path))
    let description = try JSONDecoder().decode(Description.self, from: json)
    let arrays = try NPZ.read(path: Fixtures.path("vectors/peers/\(name)/arrays.npz"))
    let byName = Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0.array) })
    func matrix(_ name: String) throws -> Matrix {
      guard let array = byName[name] else { throw DataFileError("\(path): no \(name)") }
      return try array.matrix(name)
    }
    self.arrays = arrays
    dampings = description.dampings
    split = description.split
    network = try description.network.network(
      weights: description.network.weightNames.map(matrix), path: path)
    likelihood = try description.likelihood.likelihood(path: path)
    let targets: Targets =
      try byName["labels"].map { .labels(try $0.labels()) }
      ?? .values(try matrix("targets").transposed)
    data = Dataset(name: name, inputs: try matrix("inputs").transposed, targets: targets)
  }

  /// The arrays that were computed, with the name of the quantity: `peer.LIBRARY.` is left off.
  var computed: [(name: String, quantity: String, array: NumericArray)] {
    arrays.filter { !["inputs", "labels", "targets"].contains($0.name) }
      .filter { !$0.name.hasSuffix(".weights") }
      .map { name, array in
        let parts = name.split(separator: ".")
        let isPeer = name.hasPrefix("peer.")
        return (name, isPeer ? parts.dropFirst(2).joined(separator: ".") : name, array)
      }
  }
}
