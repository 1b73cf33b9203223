import ArgumentParser
import Curvature
import Experiments
import Verification

/// The options of what is measured, for training runs and given networks alike.
struct MeasurementArguments: ParsableArguments {
  @Option(
    help: "The compared layers, counted from 1. Default: 2 to the last, or all of a given network.")
  var layers: String?
  @Option(parsing: .unconditional, help: "The block size of kfac-split.")
  var split = 10
  @Option(parsing: .unconditional, help: "The damping strengths.")
  var damping = "0.0001,0.001,0.01,0.1,1"
  @Option(
    parsing: .unconditional,
    help: "λ of the summary; one of --damping. Default: 0.01 where listed, else the first.")
  var defaultDamping: Double?
  @Option(help: "Which Fisher: exact, empirical or monte-carlo:M.")
  var fisher = "exact"
  @Option(help: "The structures to compare, separated by commas; default: all.")
  var structures: String?
  @Option(help: "The order of dense matrices in --arrays: column or row.")
  var vectorization = "column"
  @Option(help: "The largest matrix formed and the largest file of yours read, such as 500M or 4G.")
  var maxMemory = "2G"
  @Flag(help: "Every rule, reference, preconditioner and λ for every metric; slow.")
  var all = false
  @Flag(help: "Compare steps only and form no dense matrix, so that large layers can be measured.")
  var noDense = false

  /// Puts these options on top of others, checked.
  ///
  /// `firstLayer` is where the compared layers begin unless --layers says otherwise.
  func options(_ base: ComparisonOptions, layerCount: Int, firstLayer: Int) throws
    -> ComparisonOptions
  {
    var options = base
    options.layers = min(firstLayer, layerCount)...layerCount
    if let layers { options.layers = try UserInput.range(layers, option: "--layers") }
    guard options.layers.upperBound <= layerCount else {
      throw UserInputError(
        description: "--layers \(layers ?? ""): the network has \(layerCount) layers with "
          + "parameters; give a range within 1-\(layerCount).")
    }
    guard split >= 1 else {
      throw UserInputError(
        description: "--split \(split): a block size of at least 1 was expected.")
    }
    options.split = split
    options.lambdas = try UserInput.dampings(damping, option: "--damping")
    options.defaultLambda = options.lambdas.contains(0.01) ? 0.01 : options.lambdas[0]
    if let defaultDamping {
      guard options.lambdas.contains(defaultDamping) else {
        throw UserInputError(
          description: "--default-damping \(defaultDamping): not among --damping \(damping); "
            + "give one of them.")
      }
      options.defaultLambda = defaultDamping
    }
    options.fisher = try UserInput.fisher(fisher, seed: 1)
    if let structures {
      options.structures = try UserInput.choices(
        structures, option: "--structures", as: StructureKind.self)
    }
    options.limit = try UserInput.memory(maxMemory)
    options.everything = all
    options.dense = !noDense
    return options
  }

  func order() throws -> Vectorization {
    try UserInput.choice(vectorization, option: "--vectorization", as: Vectorization.self)
  }
}
