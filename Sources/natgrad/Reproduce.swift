import ArgumentParser
import DataFiles
import Experiments
import Foundation
import Networks

/// Recomputes the THOR paper's figures and tables, and the questions that they leave open.
struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Recompute the figures and tables of the THOR paper, with a verdict for each claim.",
    discussion: """
      For each item: CSV tables, figures (SVG and PNG), a manifest, and CLAIM.md with the paper's words,
      what was measured here, and a verdict: reproduced, in form only, not found, arithmetic consistent,
      or out of scope here. A finished item is not computed again: delete its folder, or use --again.

      EXAMPLES
        natgrad reproduce list
        natgrad reproduce figure-4
        natgrad reproduce all --quick
        natgrad reproduce figure-5 --factors A.npz --output my-split
      """)

  @Argument(help: "Items by name, or all, or list.")
  var items: [String]
  @Flag(help: "Smaller sizes and fewer seeds: minutes for all.")
  var quick = false
  @Option(help: "The folder; each item gets a folder of its own in it.")
  var output = "natgrad-reproduction"
  @Option(
    help: """
      What is trained on: a data set's name, a folder of IDX files with MNIST's names, or a CSV file. \
      Default: the full Fashion-MNIST where Debian's package is installed, else the shipped part of it; \
      with --quick always the shipped part.
      """)
  var dataset: String?
  @Option(parsing: .unconditional, help: "How many seeds (1, 2, …), or a list with a comma in it.")
  var seeds: String?
  @Option(help: "An .npz of Kronecker factors (square matrices) for the choice of the split.")
  var factors: String?
  @Flag(help: "Compute finished items again.")
  var again = false
  @Flag(help: "No progress on stderr.")
  var quiet = false

  func run() throws {
    if items == ["list"] {
      let width = ReproductionItem.all.map(\.id.count).max() ?? 0
      for item in ReproductionItem.all {
        let padding = String(repeating: " ", count: width - item.id.count)
        print("  \(item.id)\(padding)  \(item.isOfPaper ? "" : "[beyond the paper] ")\(item.title)")
      }
      return
    }
    let chosen = try chosenItems()
    let seedList = try UserInput.seeds(seeds ?? (quick ? "2" : "5"), option: "--seeds")
    let data = try loadData()
    let folder = try prepare()
    let progress = Progress(isQuiet: quiet)
    let context = ReproductionContext(
      isQuick: quick, seeds: seedList, data: data,
      factors: factors.map { [(name: $0, path: $0)] } ?? [], progress: progress.report)
    let options = [
      "quick": "\(quick)", "seeds": seedList.map { "\($0)" }.joined(separator: ","),
      "dataset": data.training.training.name,
      "factors": factors.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "",
    ]
    for item in chosen {
      let place = "\(folder)/\(item.id)"
      if !again && ReproductionFiles.isFinished(at: place, options: options, seeds: seedList) {
        progress.say("\(item.id) is finished already")
        continue
      }
      progress.say("\(item.id): \(item.title)")
      let start = ContinuousClock.now
      let result = try item.run(context)
      try AtomicFolder(path: place).write(
        try ReproductionFiles.all(item, result, options: options, context: context))
      progress.say("\(item.id) took \((ContinuousClock.now - start).formatted())")
    }
    let overview = try ReproductionOverview(folder: folder)
    try AtomicFile.write(Array(overview.markdown.utf8), to: "\(folder)/VERDICTS.md")
    print(overview.text(of: chosen.map(\.id)))
    print("\nResults: \(folder)/VERDICTS.md first; CLAIM.md in each item's folder.")
  }

  private func chosenItems() throws -> [ReproductionItem] {
    if items.contains("all") { return ReproductionItem.all }
    return try items.map { name in
      try UserInput.choice(
        name, option: "item",
        among: ReproductionItem.all.map { ($0.id, $0) })
    }
  }

  /// The output folder, made where it is missing.
  private func prepare() throws -> String {
    _ = try UserInput.output(output, example: "natgrad-reproduction")
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    return output
  }

  private func loadData() throws -> ReproductionData {
    let source: DatasetSource
    if let dataset {
      source = try UserInput.dataset(dataset, labelColumn: "label")
    } else {
      source = !quick && DatasetSource.hasFullFashionMNIST ? .fashionMNISTFull : .fashionMNIST
    }
    return ReproductionData(
      small: try DatasetSource.fashionMNIST.load(widths: []),
      training: try source.loadParts(widths: [784, 20, 20, 20, 10]))
  }
}
