import ArgumentParser
import Curvature
import DenseAlgebra
import Experiments
import Networks

/// The options of training runs.
struct TrainingArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A data set's name, or a folder of IDX files with MNIST's names, or a CSV file.",
      valueName: "name or path"))
  var dataset = "fashion-mnist"
  @Option(help: "The label column of a CSV file.")
  var labelColumn = "label"
  @Option(
    help: "Layer sizes, inputs first. Default: three layers of 20 between inputs and classes.")
  var widths: String?
  @Option(help: "The activation between layers: identity, tanh, logistic, relu or softplus.")
  var activation = "relu"
  @Option(help: "The random start: he, glorot or normal:σ (the paper's kind, with its σ).")
  var `init` = "he"
  @Option(help: "What trains the compared layers: kfac (rule factor) or sgd.")
  var training = "kfac"
  @Option(parsing: .unconditional, help: "The learning rate.")
  var learningRate = 0.1
  @Option(parsing: .unconditional, help: "λ of the KFAC training.")
  var trainingDamping = 0.3
  @Option(parsing: .unconditional, help: "Examples in a batch.")
  var batch = 256
  @Option(parsing: .unconditional, help: "The training steps after which everything is measured.")
  var iterations = "0,10,50"
  @Option(parsing: .unconditional, help: "The last step up to which matrix errors are followed.")
  var lastIteration = 100
  @Option(
    parsing: .unconditional,
    help: "How many seeds (1, 2, …), or a list of seeds with a comma in it.")
  var seeds = "5"

  /// Throws where an option of training runs stands beside a given network, which is not trained.
  func requireUnused() throws {
    let standard = try TrainingArguments.parse([])
    let isChanged = [
      ("--dataset", dataset != standard.dataset),
      ("--label-column", labelColumn != standard.labelColumn),
      ("--widths", widths != standard.widths), ("--activation", activation != standard.activation),
      ("--init", `init` != standard.`init`), ("--training", training != standard.training),
      ("--learning-rate", learningRate != standard.learningRate),
      ("--training-damping", trainingDamping != standard.trainingDamping),
      ("--batch", batch != standard.batch), ("--iterations", iterations != standard.iterations),
      ("--last-iteration", lastIteration != standard.lastIteration),
      ("--seeds", seeds != standard.seeds),
    ]
    if let (name, _) = isChanged.first(where: { $0.1 }) {
      throw UserInputError(
        description:
          "\(name) was given with --weights; a given network is not trained here, so the "
          + "option has no effect: leave it out.")
    }
  }

  /// Reads the data set and checks that the options fit it.
  func options(within limit: MemoryLimit) throws -> (
    data: LoadedDataset, options: ComparisonOptions
  ) {
    var options = ComparisonOptions()
    options.limit = limit
    if let widths {
      options.widths = try UserInput.integers(widths, option: "--widths", least: 1)
      guard options.widths.count >= 2 else {
        throw UserInputError(
          description: "--widths \(widths): at least two sizes were expected, inputs and outputs.")
      }
    }
    options.activation = try UserInput.choice(
      activation, option: "--activation", as: Activation.self)
    options.initialization = try UserInput.initialization(`init`)
    options.training = try UserInput.choice(
      training, option: "--training", as: ComparisonOptions.Training.self)
    options.learningRate = try UserInput.positive(learningRate, option: "--learning-rate")
    options.trainingLambda = try UserInput.positive(trainingDamping, option: "--training-damping")
    options.iterations = Set(
      try UserInput.integers(iterations, option: "--iterations", least: 0)
    ).sorted()
    guard lastIteration >= 0 else {
      throw UserInputError(
        description: "--last-iteration \(lastIteration): a number of at least 0 was expected.")
    }
    options.lastIteration = lastIteration
    options.seeds = try UserInput.seeds(seeds, option: "--seeds")
    options.batch = batch
    // Before the data, which a teacher of these widths may have to make.
    if widths != nil { try options.requireMemoryOfStates() }
    let loaded = try UserInput.dataset(dataset, labelColumn: labelColumn).load(
      widths: options.widths, limit: options.limit.bytes)
    let data = loaded.dataset
    if widths == nil { options.widths = [data.inputs.rowCount, 20, 20, 20, loaded.classCount] }
    try check(options, against: loaded)
    return (loaded, options)
  }

  /// Throws where batch or layer sizes do not fit the data.
  private func check(_ options: ComparisonOptions, against loaded: LoadedDataset) throws {
    let data = loaded.dataset
    let written = options.widths.map(String.init).joined(separator: ",")
    guard batch >= 1 && batch <= data.count else {
      throw UserInputError(
        description: "--batch \(batch): \(data.name) has \(data.count) examples; give a batch "
          + "from 1 to \(data.count).")
    }
    guard options.widths[0] == data.inputs.rowCount else {
      throw UserInputError(
        description:
          "--widths \(written): the first size is \(options.widths[0]), but \(data.name) "
          + "has \(data.inputs.rowCount) inputs; begin the list with \(data.inputs.rowCount).")
    }
    guard options.widths[options.widths.count - 1] >= loaded.classCount else {
      throw UserInputError(
        description: "--widths \(written): the last size is \(options.widths.last ?? 0), but "
          + "\(data.name) has \(loaded.classCount) classes; end the list with \(loaded.classCount)."
      )
    }
  }
}
