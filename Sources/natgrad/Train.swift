import ArgumentParser
import DataFiles
import DenseAlgebra
import Experiments
import Foundation
import Networks

/// Trains a network with any of the optimizers, from several seeds.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network with one or more optimizers and compare their curves.",
    discussion: """
      Writes curves.csv (loss and accuracy over steps and operations), timings.csv, decisions.csv (every
      test of THOR's trace rule), summary.csv (best accuracy, steps and operations to a level of accuracy,
      as in the paper's Tables 2 and 4), summary-times.csv, curves.svg and .png, and manifest.json. An
      interrupted run leaves checkpoints in the output folder: the same command with --resume goes on and
      gives the same numbers. 'natgrad list optimizers' explains the names.

      EXAMPLES
        natgrad train
        natgrad train --optimizer thor,kfac,momentum --epochs 3 --seeds 3
        natgrad train --optimizer thor --dataset digits --damping 0.03 --omega1 0.05
        natgrad train --optimizer adam --dataset fashion-mnist-full --epochs 10 --resume
      """)

  @Option(help: "One optimizer or several, separated by commas; 'natgrad list optimizers'.")
  var optimizer = "thor"
  @OptionGroup(title: "Network and data") var setting: NetworkArguments
  @OptionGroup(title: "The optimizers' numbers") var numbers: OptimizerArguments
  @Option(parsing: .unconditional, help: "Passes over the training data; fractions are allowed.")
  var epochs = 5.0
  @Option(parsing: .unconditional, help: "Steps, instead of epochs.")
  var steps: Int?
  @Option(
    parsing: .unconditional,
    help: "The steps between two evaluations. Default: a fifth of an epoch.")
  var evaluateEvery: Int?
  @Option(
    parsing: .unconditional,
    help: "How many seeds (1, 2, …), or a list of seeds with a comma in it.")
  var seeds = "1"
  @Option(
    parsing: .unconditional, help: "The test accuracies, in percent, whose first reaching is told.")
  var levels = "80,85,87"
  @Option(help: "The folder that the results are written to.")
  var output = "natgrad-training"
  @Flag(help: "Go on with an interrupted run of the same options.")
  var resume = false
  @Flag(help: "No progress on stderr.")
  var quiet = false

  func run() throws {
    let progress = Progress(isQuiet: quiet)
    let folder = try UserInput.output(output, example: "natgrad-training")
    let methods = try optimizer.split(separator: ",", omittingEmptySubsequences: false).map {
      try UserInput.choice(String($0), option: "--optimizer", as: OptimizerMethod.self)
    }
    guard Set(methods).count == methods.count else {
      throw UserInputError(
        description: "--optimizer \(optimizer): one is listed twice; list each once.")
    }
    let entries = try methods.map { method in
      TrainingExperiment.Entry(method, try numbers.settings(method))
    }
    let (data, options) = try trainingOptions()
    // Numbers that cannot be used are refused before any folder is made.
    for entry in entries {
      _ = try entry.settings.optimizer(entry.method, options.length(data))
    }
    let record = self.record(options)
    if !resume { try makeOutput() }
    let checkpoints = try CheckpointFolder(
      path: output + "/checkpoints", options: record, isResuming: resume)
    let experiment = try TrainingExperiment(
      entries, options: options, data: data, checkpoints: checkpoints, progress: progress.report)
    let figure = TrainingFigure.canvas(
      experiment, title: "Training on \(data.training.name)",
      subtitle: options.widths.map(String.init).joined(separator: "-")
        + ", \(options.activation.rawValue), batch \(options.batch)")
    var files: [(name: String, bytes: [UInt8])] = [
      ("summary.csv", TrainingReport.summary(experiment).csv),
      ("curves.csv", TrainingReport.curves(experiment).csv),
      ("decisions.csv", TrainingReport.decisions(experiment).csv),
    ]
    let manifest = Manifest(
      options: record, seeds: options.seeds, data: data.files, files: files)
    files += [
      ("summary-times.csv", TrainingReport.times(experiment).csv),
      ("timings.csv", TrainingReport.timings(experiment).csv),
      ("curves.svg", Array(figure.svg().utf8)), ("curves.png", figure.png()),
      ("manifest.json", try manifest.encoded()),
    ]
    try folder.write(files)
    checkpoints.remove()
    print(TrainingReport.text(experiment))
    let diverged = experiment.runs.compactMap(\.divergence)
    for sentence in diverged { print("\n" + sentence) }
    print("\nResults: \(output)/summary.csv first; curves.png shows the curves.")
    if diverged.count == experiment.runs.count { throw ExitCode(2) }
  }

  private func trainingOptions() throws -> (TrainingData, TrainingExperiment.Options) {
    var options = TrainingExperiment.Options()
    let (data, widths) = try setting.load()
    options.widths = widths
    options.activation = try UserInput.choice(
      setting.activation, option: "--activation", as: Activation.self)
    options.initialization = try UserInput.initialization(setting.`init`)
    options.batch = setting.batch
    guard options.batch >= 1 && options.batch <= data.training.count else {
      throw UserInputError(
        description: "--batch \(options.batch): \(data.training.name) has \(data.training.count) "
          + "training examples; give a batch from 1 to \(data.training.count).")
    }
    let perEpoch = options.stepsPerEpoch(data)
    if let steps {
      guard steps >= 1, steps <= 1_000_000_000 else {
        throw UserInputError(description: "--steps \(steps): at least 1 step was expected.")
      }
      options.steps = steps
    } else {
      _ = try UserInput.positive(epochs, option: "--epochs")
      guard epochs * Double(perEpoch) <= 1e9 else {
        throw UserInputError(
          description:
            "--epochs \(epochs): at most a thousand million steps were expected; give fewer.")
      }
      options.steps = max(1, Int((epochs * Double(perEpoch)).rounded()))
    }
    options.evaluateEvery = evaluateEvery ?? max(1, perEpoch / 5)
    guard options.evaluateEvery >= 1 else {
      throw UserInputError(
        description: "--evaluate-every \(options.evaluateEvery): at least 1 step was expected.")
    }
    options.seeds = try UserInput.seeds(seeds, option: "--seeds")
    options.levels = try UserInput.numbers(levels, option: "--levels").map { $0 / 100 }
    if let bad = options.levels.first(where: { !($0 > 0 && $0 <= 1) }) {
      throw UserInputError(
        description:
          "--levels \(levels): \(100 * bad) is no accuracy in percent; give numbers above 0, "
          + "at most 100.")
    }
    return (data, options)
  }

  private func record(_ options: TrainingExperiment.Options) -> [String: String] {
    var record = numbers.record
    record["optimizer"] = optimizer
    record["dataset"] = setting.dataset
    record["widths"] = options.widths.map(String.init).joined(separator: ",")
    record["activation"] = options.activation.rawValue
    record["init"] = setting.`init`
    record["batch"] = "\(options.batch)"
    record["steps"] = "\(options.steps)"
    record["evaluate-every"] = "\(options.evaluateEvery)"
    record["seeds"] = options.seeds.map { "\($0)" }.joined(separator: ",")
    record["levels"] = levels
    return record
  }

  /// Makes the output folder where it is missing, since checkpoints lie in it.
  private func makeOutput() throws {
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
  }
}

/// The options of a network that is trained from a random start.
struct NetworkArguments: ParsableArguments {
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
  @Option(help: "The random start: he, glorot or normal:σ.")
  var `init` = "he"
  @Option(parsing: .unconditional, help: "Examples in a batch.")
  var batch = 128

  /// Reads the data and settles the widths.
  func load() throws -> (TrainingData, [Int]) {
    var sizes: [Int] = []
    if let widths {
      sizes = try UserInput.integers(widths, option: "--widths", least: 1)
      guard sizes.count >= 2 else {
        throw UserInputError(
          description: "--widths \(widths): at least two sizes were expected, inputs and outputs.")
      }
    }
    let data = try UserInput.dataset(dataset, labelColumn: labelColumn)
      .loadParts(widths: sizes.isEmpty ? [20, 20, 20, 10] : sizes)
    let inputs = data.training.inputs.rowCount
    if sizes.isEmpty { sizes = [inputs, 20, 20, 20, data.classCount] }
    let written = sizes.map(String.init).joined(separator: ",")
    guard sizes[0] == inputs else {
      throw UserInputError(
        description:
          "--widths \(written): the first size is \(sizes[0]), but \(data.training.name) has "
          + "\(inputs) inputs; begin the list with \(inputs).")
    }
    guard let last = sizes.last, last >= data.classCount else {
      throw UserInputError(
        description: "--widths \(written): the last size is \(sizes.last ?? 0), but "
          + "\(data.training.name) has \(data.classCount) classes; end the list with "
          + "\(data.classCount).")
    }
    let cells = zip(sizes, sizes.dropFirst()).reduce(0.0) { $0 + Double($1.0 + 1) * Double($1.1) }
    guard cells <= 1e8 else {
      throw UserInputError(
        description:
          "--widths \(written): the network would have \(cells) parameters; at most 1e8 were "
          + "expected. Give smaller layers.")
    }
    return (data, sizes)
  }
}
