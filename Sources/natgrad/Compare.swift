import ArgumentParser
import Curvature
import DataFiles
import Experiments
import Networks
import Verification

/// Measures every approximation of the Fisher against the exact one, on training runs or on your network.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how far each approximation of the Fisher is from the exact one.",
    discussion: """
      Without arguments: the network of the THOR paper's Figure 4 on the shipped Fashion-MNIST, five
      seeds, measured at iterations 0, 10 and 50 of training. Writes summary.csv (open this first),
      comparison.csv (every number), figures (SVG and PNG) and manifest.json.

      With --weights and --data: your own network and batch, read from NumPy files; --arrays writes
      every quantity of it. 'natgrad list' explains all names, columns and arrays.

      EXAMPLES
        natgrad compare
        natgrad compare --dataset digits --layers 1-4 --seeds 3
        natgrad compare --init normal:0.02 --activation tanh --output small-start
        natgrad compare --weights w.npz --data d.npz --activations tanh --likelihood categorical \\
          --damping 0.1,0.001 --arrays out.npz
      """)

  @OptionGroup(title: "Training runs") var training: TrainingArguments
  @OptionGroup(title: "Your own network") var given: GivenNetworkArguments
  @OptionGroup(title: "What is measured") var measured: MeasurementArguments

  @Option(help: "The folder that the results are written to.")
  var output = "natgrad-results"
  @Flag(help: "No progress on stderr.")
  var quiet = false
  @Flag(help: "Print the summary as JSON instead of a table.")
  var json = false

  func run() throws {
    let progress = Progress(isQuiet: quiet)
    let folder = try UserInput.output(output, example: "natgrad-results")
    let vectorization = try measured.order()
    let comparison: Comparison
    var quantities: Quantities?
    var files: [(name: String, sha256: String)] = []
    if given.isUsed {
      _ = try given.paths()
      try training.requireUnused()
      let inputs = try given.read(within: UserInput.memory(measured.maxMemory))
      let options = try measured.options(
        ComparisonOptions(), layerCount: inputs.network.parameters.count, firstLayer: 1)
      if given.arrays != nil { progress.say("computing the arrays") }
      quantities = try given.quantities(inputs, options: options, vectorization: vectorization)
      progress.say("measuring")
      comparison = try Comparison(
        options, network: inputs.network, activations: inputs.activations, dataset: inputs.data,
        likelihood: inputs.likelihood)
      files = inputs.files
    } else {
      try given.requireUnused()
      let (loaded, base) = try training.options(within: UserInput.memory(measured.maxMemory))
      let options = try measured.options(
        base, layerCount: base.widths.count - 1, firstLayer: 2)
      files = loaded.files
      comparison = try Comparison(
        options, dataset: loaded.dataset, likelihood: .categorical, progress: progress.report)
    }
    progress.say("writing \(output)")
    let summary = ComparisonSummary(comparison)
    let results = try ComparisonFiles.all(
      comparison, summary, options: manifestOptions(comparison.options), data: files)
    // Nothing is written before everything is computed.
    if let quantities, let arrays = given.arrays { try NPZ.write(quantities.arrays, to: arrays) }
    try folder.write(results)
    if json {
      print(try ComparisonReport.json(comparison, summary))
    } else {
      let report = ComparisonReport(comparison, summary)
      let parts = [report.table, report.training].compactMap { $0 } + report.sentences
      print(parts.joined(separator: "\n\n"))
      print("\nResults: \(output)/summary.csv first; 'natgrad list columns' explains the columns.")
    }
  }

  /// The options by name, as used (defaults filled in), for the manifest.
  private func manifestOptions(_ options: ComparisonOptions) -> [String: String] {
    func list<Value>(_ values: [Value]) -> String {
      values.map { "\($0)" }.joined(separator: ",")
    }
    var record = [
      "layers": "\(options.layers.lowerBound)-\(options.layers.upperBound)",
      "split": "\(options.split)", "damping": list(options.lambdas),
      "default-damping": "\(options.defaultLambda)", "fisher": options.fisher.label,
      "structures": list(options.structures.map(\.rawValue)), "all": "\(options.everything)",
      "no-dense": "\(!options.dense)", "max-memory": "\(options.limit.bytes)",
    ]
    if given.isUsed {
      record["activations"] = given.activations
      record["likelihood"] = given.likelihood
      record["vectorization"] = measured.vectorization
    } else {
      record["dataset"] = training.dataset
      record["widths"] = list(options.widths)
      record["activation"] = options.activation.rawValue
      record["init"] = options.initialization.label
      record["training"] = options.training.rawValue
      record["learning-rate"] = "\(options.learningRate)"
      record["training-damping"] = "\(options.trainingLambda)"
      record["batch"] = "\(options.batch)"
      record["iterations"] = list(options.iterations)
      record["last-iteration"] = "\(options.lastIteration)"
    }
    return record
  }
}
