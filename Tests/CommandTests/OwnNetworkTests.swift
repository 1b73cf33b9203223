import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import Networks
import Testing
import Verification

@Suite("natgrad compare with an own network")
struct OwnNetworkTests {
  /// Runs natgrad on w.npz and d.npz of a folder and reads what `--arrays` wrote.
  private func arrays(_ options: [String], in folder: String) throws -> [String: NumericArray] {
    let program = try Program.run(
      ["compare", "--weights", "w.npz", "--data", "d.npz", "--arrays", "out.npz", "--quiet"]
        + options, directory: folder)
    try #require(program.status == 0, "\(program.stderr)")
    #expect(program.stderr.isEmpty)
    let read = try NPZ.read(path: "\(folder)/out.npz")
    return Dictionary(uniqueKeysWithValues: read.map { ($0.name, $0.array) })
  }

  /// ‖actual − expected‖ / ‖expected‖.
  private func difference(_ actual: NumericArray, _ expected: NumericArray) -> Double {
    guard actual.shape == expected.shape else { return .infinity }
    return (Vector(actual.elements) - Vector(expected.elements)).norm
      / Vector(expected.elements).norm
  }

  @Test func everyArrayAgreesWithNumPyAndCurvlinops() throws {
    let peer = try NPZ.read(
      path: Fixtures.path("vectors/peers/dense-tanh-categorical/arrays.npz"))
    let given: Set = ["inputs", "labels", "layer1.weights", "layer2.weights"]
    let written = try withTemporaryFolder { folder in
      try NPZ.write(peer.filter { $0.name.hasSuffix(".weights") }, to: "\(folder)/w.npz")
      try NPZ.write(
        peer.filter { ["inputs", "labels"].contains($0.name) }, to: "\(folder)/d.npz")
      return try arrays(
        ["--activations", "tanh,identity", "--split", "2", "--damping", "0.1,0.001"], in: folder)
    }
    var compared = 0
    for (name, expected) in peer where !given.contains(name) {
      // peer.curvlinops.fisher is curvlinops' fisher.
      let parts = name.split(separator: ".", maxSplits: 2).map(String.init)
      let actual = try #require(written[parts[0] == "peer" ? parts[2] : name], "\(name)")
      let limit = name.contains(".step.") ? 1e-9 : 1e-12
      let found = difference(actual, expected)
      #expect(found <= limit, "\(name): \(found)")
      compared += 1
    }
    #expect(compared == peer.count - given.count && compared > 120)
  }

  @Test func theArraysAreThoseOfTheLibrary() throws {
    let files = OwnFiles()
    let written = try withTemporaryFolder { folder in
      try files.write(to: folder)
      return try arrays(
        ["--activations", "softplus", "--split", "1", "--damping", "0.5,0.02"], in: folder)
    }
    let network = try Network.multilayerPerceptron(
      weights: files.weights.map { try $0.array.matrix() }, activations: [.softplus])
    let data = Dataset(
      name: "d", inputs: try files.data[0].array.matrix().transposed,
      targets: .labels([0, 1, 1, 0]))
    var options = QuantityOptions()
    options.split = 1
    options.lambdas = [0.02, 0.5]
    let expected = try Quantities(network, data, likelihood: .categorical, options: options).arrays
    #expect(written.count == expected.count)
    for (name, array) in expected {
      #expect(written[name]?.shape == array.shape, "\(name)")
      #expect(written[name]?.elements == array.elements, "\(name)")
    }
  }

  @Test func rowVectorizationReordersDenseMatricesOnly() throws {
    let (column, row) = try withTemporaryFolder { folder in
      try OwnFiles().write(to: folder)
      let common = ["--activations", "tanh", "--layers", "1"]
      return (
        try arrays(common + ["--vectorization", "column"], in: folder),
        try arrays(common + ["--vectorization", "row"], in: folder)
      )
    }
    // Entry (i, j) of the 2 × 4 block: 2j + i by columns, 4i + j by rows.
    let positions = (0..<8).map { 2 * ($0 % 4) + $0 / 4 }
    var reordered: [String] = []
    for (name, array) in column {
      let other = try #require(row[name])
      guard array.shape == [8, 8] else {
        #expect(other.elements == array.elements, "\(name)")
        continue
      }
      let expected = (0..<64).map { array.elements[8 * positions[$0 / 8] + positions[$0 % 8]] }
      #expect(other.elements == expected, "\(name)")
      if other.elements != array.elements { reordered.append(name) }
    }
    #expect(row.count == column.count)
    #expect(Set(reordered).isSuperset(of: ["fisher", "fisher.empirical", "layer1.kfac"]))
  }

  @Test func aBigEndianFileInFortranOrderIsRead() throws {
    // numpy.save of [[1, 2, 3], [4, 5, 6]] as '>f8' in Fortran order: by columns 1 4 2 5 3 6.
    let header = "{'descr': '>f8', 'fortran_order': True, 'shape': (2, 3), }"
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
    bytes += Array(header.utf8) + Array(repeating: 0x20, count: 117 - header.utf8.count) + [0x0A]
    for leading: (UInt8, UInt8) in [
      (0x3F, 0xF0), (0x40, 0x10), (0x40, 0x00), (0x40, 0x14), (0x40, 0x08), (0x40, 0x18),
    ] {
      bytes += [leading.0, leading.1, 0, 0, 0, 0, 0, 0]
    }
    let written = try withTemporaryFolder { folder in
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/w.npy"))
      var files = OwnFiles()
      files.set("inputs", [2, 2], [1, 0, 10, 100])
      files.set("labels", [2], [1, 0])
      try NPZ.write(files.data, to: "\(folder)/d.npz")
      let program = try Program.run(
        [
          "compare", "--weights", "w.npy", "--data", "d.npz", "--arrays", "out.npz", "--quiet",
          "--damping", "0.1",
        ], directory: folder)
      try #require(program.status == 0, "\(program.stderr)")
      return try NPZ.read(path: "\(folder)/out.npz")
    }
    // W = [[1, 2], [4, 5]], b = (3, 6): Wx + b for x = (1, 0) and (10, 100).
    let logits = try #require(written.first { $0.name == "logits" }).array
    #expect(logits.shape == [2, 2])
    #expect(logits.elements == [4, 10, 213, 546])
  }

  @Test func aLargeLayerIsMeasuredWithoutDenseMatrices() throws {
    try withTemporaryFolder { folder in
      let network = try Network.multilayerPerceptron(
        widths: [784, 20, 10], activation: .tanh, initialization: .he, seed: 3)
      var random = SplitMix64(seed: 4)
      let inputs = (0..<32 * 784).map { _ in random.uniform() }
      try NPZ.write(
        network.parameters.enumerated().map {
          ("layer\($0.offset + 1).weights", NumericArray($0.element.weights))
        }, to: "\(folder)/w.npz")
      try NPZ.write(
        [
          ("inputs", NumericArray(shape: [32, 784], elements: inputs)),
          ("labels", NumericArray(shape: [32], elements: (0..<32).map { Double($0 % 10) })),
        ], to: "\(folder)/d.npz")
      let arguments = [
        "compare", "--weights", "w.npz", "--data", "d.npz", "--activations", "tanh", "--layers",
        "1", "--damping", "0.1", "--quiet", "--no-dense", "--structures",
        "exact,block-diagonal,kfac,ekfac,kfac-split", "--max-memory", "200M",
      ]
      let program = try Program.run(arguments, directory: folder)
      try #require(program.status == 0, "\(program.stderr)")
      let bytes = try Data(
        contentsOf: URL(fileURLWithPath: "\(folder)/natgrad-results/comparison.csv"))
      let table = Table([UInt8](bytes))
      #expect(Set(table.rows.compactMap { $0["parameters"] }) == ["15700"])
      #expect(table.rows(where: ["metric": "relative-frobenius"]).isEmpty)
      // One layer alone: its exact block is the whole Fisher, so the block's step is the full one.
      let exact = table.values(where: [
        "metric": "eta", "structure": "block-diagonal", "reference": "full", "layer": "network",
        "solver": "direct",
      ])
      try #require(exact.count == 1)
      #expect(abs(exact[0] - 1) < 1e-9)
      for structure in ["kfac", "ekfac", "kfac-split"] {
        let shares = table.values(where: [
          "metric": "eta", "structure": structure, "reference": "full", "layer": "network",
        ])
        #expect(
          !shares.isEmpty && shares.allSatisfy { 0 < $0 && $0 < 1 }, "\(structure): \(shares)")
      }
    }
  }
}
