import Curvature
import DataFiles
import Fixtures
import Foundation
import Testing

@Suite("The results folder of natgrad compare")
struct ResultFilesTests {
  let job: SmallJob
  let table: Table

  init() throws {
    job = try SmallJob.quiet.get()
    table = try SmallJob.table.get()
  }

  @Test func everyPromisedFileIsThereAndNoOther() throws {
    #expect(
      job.files.keys.sorted() == [
        "comparison.csv", "figure4-errors.png", "figure4-errors.svg", "figure4.png", "figure4.svg",
        "manifest.json", "step-quality.png", "step-quality.svg", "summary.csv",
      ])
    for name in ["figure4", "figure4-errors", "step-quality"] {
      let png = try #require(job.files["\(name).png"])
      #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
      let svg = String(decoding: try #require(job.files["\(name).svg"]), as: UTF8.self)
      #expect(svg.hasSuffix("</svg>\n"), "\(name).svg is cut")
    }
  }

  @Test func headersAreTheDocumentedColumns() {
    #expect(
      table.header == [
        "run", "dataset", "network", "activation", "init", "optimizer", "learning_rate", "seed",
        "iteration", "loss", "fisher", "batch", "layer", "parameters", "structure", "split",
        "damping_rule", "lambda", "solver", "cg_steps", "reference", "metric", "value",
      ])
    #expect(
      job.summary.header == [
        "iteration", "layer", "structure", "split", "damping_rule", "lambda", "solver",
        "relative_frobenius_block", "relative_frobenius_full", "relative_frobenius_kfac",
        "maximum_absolute_kfac", "relative_inverse_block", "f_cosine", "eta", "length_ratio",
        "seeds", "relative_frobenius_block_min", "relative_frobenius_block_max",
        "relative_frobenius_kfac_min", "relative_frobenius_kfac_max", "eta_min", "eta_max",
      ])
  }

  @Test func theSummaryIsShort() {
    #expect(job.summary.rows.count <= 150)
    #expect(job.summary.rows.count > 20)
  }

  @Test func everyNumberIsFiniteAndInTheFewestDigits() throws {
    for row in table.rows {
      for column in ["learning_rate", "loss", "lambda", "value"] {
        guard let cell = row[column], !cell.isEmpty else { continue }
        let value = try #require(Double(cell), "\(column): \(cell)")
        #expect(value.isFinite && "\(value)" == cell, "\(column): \(cell)")
      }
    }
    let words: Set = ["layer", "structure", "damping_rule", "solver"]
    for row in job.summary.rows {
      for (column, cell) in row where !words.contains(column) && !cell.isEmpty {
        let value = try #require(Double(cell), "\(column): \(cell)")
        #expect(value.isFinite, "\(column): \(cell)")
      }
    }
  }

  @Test func cellsAreFilledWhereTheyHaveAMeaning() throws {
    let always = [
      "run", "dataset", "network", "activation", "init", "optimizer", "learning_rate", "seed",
      "iteration", "loss", "fisher", "batch", "layer", "parameters", "structure", "reference",
      "metric", "value",
    ]
    var seen: Set<String> = []
    for row in table.rows {
      for column in always where row[column]?.isEmpty != false {
        Issue.record("\(column) is empty: \(row)")
      }
      let metric = try #require(ErrorMetric(rawValue: row["metric"] ?? ""))
      let isDamped = metric.family != .matrix
      let isStep = metric.family == .step
      let isIterative = isStep && row["solver"] != "direct"
      #expect(row["damping_rule"]?.isEmpty == !isDamped, "\(row)")
      #expect(row["lambda"]?.isEmpty == !isDamped, "\(row)")
      #expect(row["solver"]?.isEmpty == !isStep, "\(row)")
      #expect(row["cg_steps"]?.isEmpty == !isIterative, "\(row)")
      #expect(row["split"] == (row["structure"] == "kfac-split" ? "3" : ""), "\(row)")
      seen.insert("\(metric.family)\(isIterative)")
    }
    #expect(seen == ["matrixfalse", "dampedMatrixfalse", "stepfalse", "steptrue"])
  }

  @Test func noRowStandsTwice() {
    var seen: Set<[String: String]> = []
    for row in table.rows {
      var key = row
      key["value"] = nil
      #expect(seen.insert(key).inserted, "\(key)")
    }
  }

  @Test func rowsCoverSeedsIterationsLayersAndStructures() {
    func values(_ column: String, _ cells: [String: String] = [:]) -> Set<String> {
      Set(table.rows(where: cells).compactMap { $0[column] })
    }
    #expect(values("seed") == ["1", "2"])
    // All metrics at the iterations asked for, matrix errors at every fifth.
    #expect(values("iteration", ["metric": "eta"]) == ["0", "3"])
    #expect(values("iteration", ["metric": "relative-frobenius"]) == ["0", "3", "5"])
    #expect(values("layer") == ["2", "3", "network"])
    #expect(values("structure") == Set(StructureKind.allCases.map(\.rawValue)))
    #expect(values("reference") == Set(Reference.allCases.map(\.rawValue)))
    #expect(values("lambda", ["metric": "eta"]) == ["0.01", "0.1"])
    // Layer 2 has 5 × (7 + 1) parameters, layer 3 has 10 × (5 + 1).
    #expect(values("parameters", ["layer": "2"]) == ["40"])
    #expect(values("parameters", ["layer": "3"]) == ["60"])
    #expect(values("parameters", ["layer": "network"]) == ["100"])
    #expect(values("solver") == ["", "direct", "cg-kfac", "cg-exact-block"])
  }

  @Test func theSummaryCondensesTheLongTable() throws {
    let columns: [(name: String, metric: String, reference: String)] = [
      ("relative_frobenius_block", "relative-frobenius", "blocks"),
      ("relative_frobenius_full", "relative-frobenius", "full"),
      ("relative_frobenius_kfac", "relative-frobenius", "kfac"),
      ("maximum_absolute_kfac", "maximum-absolute", "kfac"),
      ("relative_inverse_block", "relative-inverse-frobenius", "blocks"),
      ("f_cosine", "f-cosine", ""), ("eta", "eta", ""), ("length_ratio", "length-ratio", ""),
    ]
    let keys = [
      "fisher", "metric", "iteration", "layer", "structure", "reference", "damping_rule", "lambda",
      "solver",
    ]
    let found = Dictionary(grouping: table.rows) { row in keys.map { row[$0] } }
      .mapValues { $0.compactMap { $0["value"].flatMap(Double.init) } }
    var compared = 0
    for row in job.summary.rows {
      for column in columns {
        let family = try #require(ErrorMetric(rawValue: column.metric)).family
        var key: [String: String] = ["fisher": "exact", "metric": column.metric]
        for name in ["iteration", "layer", "structure"] { key[name] = row[name] }
        key["reference"] = column.reference
        if family == .step { key["reference"] = row["layer"] == "network" ? "full" : "blocks" }
        key["damping_rule"] = family == .matrix ? "" : row["damping_rule"]
        key["lambda"] = family == .matrix ? "" : row["lambda"]
        key["solver"] = family == .step ? row["solver"] : ""
        // What a solver does not touch stands in the line of the direct one only.
        let repeats = row["solver"] != "direct" && family != .step
        let values = repeats ? [] : found[keys.map { key[$0] }] ?? []
        let cell = try #require(row[column.name])
        guard !values.isEmpty else {
          #expect(cell.isEmpty, "\(column.name): \(row)")
          continue
        }
        #expect(values.count == 2 && row["seeds"] == "2", "\(key)")
        #expect(Double(cell) == (values[0] + values[1]) / 2, "\(column.name): \(row)")
        if let least = row["\(column.name)_min"], let greatest = row["\(column.name)_max"] {
          #expect(Double(least) == values.min() && Double(greatest) == values.max())
        }
        compared += 1
      }
    }
    #expect(compared > 300)
  }

  @Test func theManifestNamesWhatTheFolderWasMadeOf() throws {
    struct Manifest: Decodable {
      struct File: Decodable { let name, sha256: String }
      let version, instructionSet, cLibrary: String
      let options: [String: String]
      let seeds: [Int]
      let data, files: [File]
    }
    let manifest = try JSONDecoder().decode(
      Manifest.self, from: Data(try #require(job.files["manifest.json"])))
    let others = job.files.keys.filter { $0 != "manifest.json" }.sorted()
    #expect(manifest.files.map(\.name).sorted() == others)
    for file in manifest.files {
      #expect(file.sha256 == SHA256.hexDigest(try #require(job.files[file.name])), "\(file.name)")
    }
    let digits = try Data(
      contentsOf: URL(fileURLWithPath: Fixtures.path("datasets/digits/digits.csv")))
    #expect(manifest.data.map(\.name) == ["digits.csv"])
    #expect(manifest.data.map(\.sha256) == [SHA256.hexDigest([UInt8](digits))])
    #expect(manifest.seeds == [1, 2])
    #expect(manifest.options["widths"] == "64,7,5,10")
    #expect(manifest.options["damping"] == "0.01,0.1")
    #expect(manifest.options["training-damping"] == "0.3", "a default that was not given")
    #expect(!manifest.version.isEmpty && !manifest.instructionSet.isEmpty)
    #expect(manifest.cLibrary.hasPrefix("glibc"))
  }
}
