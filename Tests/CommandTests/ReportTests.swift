import Foundation
import Testing

@Suite("What natgrad compare prints, and that it is always the same")
struct ReportTests {
  let job: SmallJob
  let table: Table

  init() throws {
    job = try SmallJob.quiet.get()
    table = try SmallJob.table.get()
  }

  /// The share in percent as a report prints it.
  private func percent(_ value: Double) -> String {
    String(format: value < 0.1 ? "%.2g %%" : "%.1f %%", 100 * value)
  }

  @Test func quietLeavesNothingOnStderr() {
    #expect(job.program.stderr.isEmpty)
    #expect(!job.program.stdout.isEmpty)
  }

  @Test func theTableShowsTheSummaryOfTheLastIteration() throws {
    let lines = job.program.stdout.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0].contains("Iteration 3") && lines[0].contains("λ = 0.01"))
    #expect(
      lines.contains(
        "Training between iterations: kfac (factor), learning rate 0.1, λ 0.3, batch 64."))
    let shown = lines.dropFirst(2).prefix { !$0.isEmpty }
    let rows = job.summary.rows(where: ["iteration": "3", "layer": "network"])
    #expect(shown.count == rows.count)
    for (line, row) in zip(shown, rows) {
      let split = (row["split"] ?? "").isEmpty ? [] : [row["split"] ?? ""]
      let numbers = try ["relative_frobenius_block", "eta", "f_cosine", "length_ratio"].map {
        let cell = try #require(row[$0])
        return try cell.isEmpty ? "-" : String(format: "%.3g", #require(Double(cell)))
      }
      let names =
        [row["structure"] ?? ""] + split + [row["damping_rule"] ?? "", row["solver"] ?? ""]
      #expect(line.split(separator: " ").map(String.init) == names + numbers)
    }
  }

  @Test func theFirstSentenceIsRecomputedFromTheLongTable() throws {
    func split(_ metric: String) throws -> (mean: Double, deviation: Double) {
      let found = table.values(where: [
        "iteration": "3", "layer": "network", "structure": "kfac-split", "reference": "kfac",
        "metric": metric, "fisher": "exact",
      ])
      try #require(found.count == 2)
      // The sample deviation of two numbers is |a − b| / √2.
      return ((found[0] + found[1]) / 2, abs(found[0] - found[1]) / 2.0.squareRoot())
    }
    let relative = try split("relative-frobenius")
    let largest = try split("maximum-absolute")
    let expected =
      "Split 3 against KFAC on digits, start he, 2 seeds: \(percent(relative.mean)) ± "
      + "\(percent(relative.deviation)) relative Frobenius (largest entry "
      + String(format: "%.3g ± %.3g", largest.mean, largest.deviation) + ") after 3 iterations; "
      + "the paper (MNIST; norm, start and damping unstated) prints about 5 % after 10 and 1 % "
      + "after 50."
    #expect(job.program.stdout.contains(expected), "expected: \(expected)")
  }

  @Test func theSecondSentenceIsRecomputedFromTheLongTable() throws {
    let sentence = try #require(
      job.program.stdout.split(separator: "\n").first { $0.hasPrefix("Of the full Fisher's") })
    let rules = [
      "block-diagonal": "exact", "block-tridiagonal": "pi", "diagonal": "exact",
      "unit-wise": "exact", "kfac": "pi", "ekfac": "exact", "kfac-split": "factor",
      "nearest-kronecker": "pi", "tkfac": "pi", "kl-kronecker": "exact",
    ]
    let shares = try #require(sentence.split(separator: ":").last)
      .split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " .")) }
    #expect(shares.count == rules.count)
    for (structure, rule) in rules {
      let found = table.values(where: [
        "iteration": "3", "layer": "network", "structure": structure, "reference": "full",
        "metric": "eta", "damping_rule": rule, "lambda": "0.01", "solver": "direct",
        "fisher": "exact",
      ])
      try #require(found.count == 2, "\(structure)")
      #expect(shares.contains("\(structure) \(percent((found[0] + found[1]) / 2))"), "\(structure)")
    }
  }

  @Test func jsonHoldsTheSummaryAndTheSameFilesAreWritten() throws {
    struct Row: Decodable {
      let iteration: Int
      let layer, structure, dampingRule, solver: String
      let split: Int?
      let lambda: Double
      let relativeFrobeniusBlock, relativeFrobeniusFull, relativeFrobeniusKFAC: Double?
      let fisherCosine, eta, lengthRatio: Double?
    }
    struct Document: Decodable {
      let rows: [Row]
      let sentences: [String]
    }
    let json = try SmallJob(["--quiet", "--json"])
    let document = try JSONDecoder().decode(Document.self, from: Data(json.program.stdout.utf8))
    #expect(document.rows.count == json.summary.rows.count)
    for (row, line) in zip(document.rows, json.summary.rows) {
      #expect(
        [String(row.iteration), row.layer, row.structure, row.dampingRule, row.solver]
          == ["iteration", "layer", "structure", "damping_rule", "solver"].map { line[$0] })
      #expect(row.split == line["split"].flatMap { Int($0) })
      let numbers = [
        row.lambda, row.relativeFrobeniusBlock, row.relativeFrobeniusFull,
        row.relativeFrobeniusKFAC, row.fisherCosine, row.eta, row.lengthRatio,
      ]
      let cells = [
        "lambda", "relative_frobenius_block", "relative_frobenius_full",
        "relative_frobenius_kfac", "f_cosine", "eta", "length_ratio",
      ].map { line[$0].flatMap(Double.init) }
      #expect(numbers == cells)
    }
    #expect(document.sentences.count == 2)
    for sentence in document.sentences { #expect(job.program.stdout.contains(sentence)) }
    for (name, bytes) in job.files { #expect(json.files[name] == bytes, "second run: \(name)") }
    #expect(json.files.count == job.files.count)
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/taskset")))
  func oneProcessorGivesTheSameBytesAndProgressIsOnStderrOnly() throws {
    let single = try SmallJob([], launcher: ["/usr/bin/taskset", "-c", "0"])
    for (name, bytes) in job.files { #expect(single.files[name] == bytes, "\(name)") }
    #expect(single.files.count == job.files.count)
    #expect(single.program.stdout == job.program.stdout)
    #expect(single.program.complaints.allSatisfy { $0.hasPrefix("natgrad: ") })
    #expect(single.program.stderr.contains("natgrad: training 2/2\n"))
    #expect(single.program.stderr.contains("natgrad: measuring 6/6\n"))
  }
}
