import DataFiles
import DenseAlgebra
import Fixtures
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

  init(_ name: String) throws {
    let path = try Fixtures.path("vectors/peers/\(name)/case.json")
    let file = try JSON.read(path: path)
    func member(_ name: String) throws -> JSON {
      guard let value = file[name] else { throw DataFileError("\(path): no \(name)") }
      return value
    }
    func number(_ value: JSON) throws -> Double {
      guard case .number(let number) = value else { throw DataFileError("\(path): no number") }
      return number
    }
    let description = try NetworkDescription(member("network"), path: path)
    let arrays = try NPZ.read(path: Fixtures.path("vectors/peers/\(name)/arrays.npz"))
    let byName = Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0.array) })
    func matrix(_ name: String) throws -> Matrix {
      guard let array = byName[name] else { throw DataFileError("\(path): no \(name)") }
      return try array.matrix(name)
    }
    self.arrays = arrays
    guard case .array(let strengths) = try member("dampings") else {
      throw DataFileError("\(path): no dampings")
    }
    dampings = try strengths.map(number)
    split = Int(try number(member("split")))
    network = try description.network(
      weights: description.weightNames.map(matrix), path: path)
    likelihood = try LikelihoodDescription(member("likelihood"), path: path).likelihood
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
