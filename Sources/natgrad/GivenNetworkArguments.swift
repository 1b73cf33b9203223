import ArgumentParser
import Curvature
import DataFiles
import Experiments
import Networks
import Verification

/// The options of a network and a batch given as NumPy files.
struct GivenNetworkArguments: ParsableArguments {
  @Option(
    help:
      "An .npz of weights, layer1.weights = [W b] and so on; 'natgrad list arrays' has the names.")
  var weights: String?
  @Option(help: "An .npz of the batch: inputs (N × D) and labels (N) or targets (N × C).")
  var data: String?
  @Flag(help: "layer1.weights and so on are W without a bias column.")
  var noBias = false
  @Option(help: "The activations of the hidden layers, separated by commas; one serves for all.")
  var activations = "relu"
  @Option(help: "categorical, gaussian:σ² or bernoulli.")
  var likelihood = "categorical"
  @Option(help: "Write every quantity of the network to this .npz.")
  var arrays: String?

  /// A network and batch as read.
  struct Inputs {
    let network: Network
    let activations: [Activation]
    let data: Dataset
    let likelihood: Likelihood
    let files: [(name: String, sha256: String)]
  }

  /// Whether a network was given.
  var isUsed: Bool { weights != nil }

  /// Throws where options of a given network stand without one.
  func requireUnused() throws {
    let standard = try GivenNetworkArguments.parse([])
    let isChanged = [
      ("--data", data != nil), ("--arrays", arrays != nil), ("--no-bias", noBias),
      ("--activations", activations != standard.activations),
      ("--likelihood", likelihood != standard.likelihood),
    ]
    if let (name, _) = isChanged.first(where: { $0.1 }) {
      throw UserInputError(
        description: "\(name) was given without --weights; a batch and its arrays need a network: "
          + "add --weights w.npz.")
    }
  }

  /// The paths of both files; throws where one is missing.
  func paths() throws -> (weights: String, data: String) {
    guard let weights, let data else {
      throw UserInputError(
        description:
          "--weights was given without --data; a network needs a batch: add --data d.npz.")
    }
    return (weights, data)
  }

  /// Reads both files, each of at most the memory limit.
  func read(within limit: MemoryLimit) throws -> Inputs {
    let (weights, data) = try paths()
    let chosen = try activations.split(separator: ",", omittingEmptySubsequences: false).map {
      try UserInput.choice(String($0), option: "--activations", as: Activation.self)
    }
    let likelihood = try UserInput.likelihood(likelihood)
    let network = try NetworkArrays.read(
      path: weights, activations: chosen, likelihood: likelihood, hasBias: !noBias,
      limit: limit.bytes)
    let batch = try DataArrays.read(
      path: data, network: network, likelihood: likelihood, limit: limit.bytes)
    let files = try [weights, data].map { path in
      (
        path.split(separator: "/").last.map(String.init) ?? path,
        SHA256.hexDigest(try InputFile.read(path: path, limit: limit.bytes))
      )
    }
    return Inputs(
      network: network, activations: chosen, data: batch, likelihood: likelihood, files: files)
  }

  /// The quantities for `--arrays`, if they were asked for.
  func quantities(_ inputs: Inputs, options: ComparisonOptions, vectorization: Vectorization)
    throws -> Quantities?
  {
    guard arrays != nil else { return nil }
    var wanted = QuantityOptions()
    wanted.structures = options.structures
    wanted.lambdas = options.lambdas
    wanted.fisher = options.fisher
    wanted.blocks = options.blocks
    wanted.split = options.split
    wanted.vectorization = vectorization
    wanted.includesDense = options.dense
    wanted.limit = options.limit
    return try Quantities(
      inputs.network, inputs.data, likelihood: inputs.likelihood, options: wanted)
  }
}
