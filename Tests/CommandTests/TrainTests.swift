import Foundation
import Testing

@Suite("natgrad train")
struct TrainTests {
  static let arguments = [
    "train", "--dataset", "digits", "--widths", "64,7,5,10", "--steps", "24", "--evaluate-every",
    "8", "--batch", "64", "--growing-interval", "4", "--quiet",
  ]

  /// A run of the small network with further arguments, and the files that it wrote.
  private func train(_ further: String...) throws -> (program: Program, files: [String: Table]) {
    try withTemporaryFolder { folder in
      let program = try Program.run(TrainTests.arguments + further, directory: folder)
      var files: [String: Table] = [:]
      let results = "\(folder)/natgrad-training"
      for name in try names(in: results) where name.hasSuffix(".csv") {
        files[name] = Table(
          [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(results)/\(name)"))))
      }
      #expect(try !names(in: results).contains("checkpoints"))
      return (program, files)
    }
  }

  @Test func everyOptimizerTrains() throws {
    let listed = try withTemporaryFolder {
      try Program.run(["list", "optimizers"], directory: $0)
    }
    let names = listed.stdout.split(separator: "\n").filter { $0.hasPrefix("  ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names.count >= 19 && names.contains("thor-stop") && names.contains("adam"))
    let (program, files) = try train("--optimizer", names.joined(separator: ","))
    #expect(program.status == 0, "\(program.stderr)")
    let summary = try #require(files["summary.csv"])
    #expect(summary.rows.map { $0["method"] } == names)
    for row in summary.rows {
      #expect(row["diverged"] == "0", "\(row)")
      #expect(Double(row["operations_per_step"] ?? "") ?? 0 > 0, "\(row)")
      #expect(program.stdout.contains("\n\(row["method"] ?? "?") "))
    }
    let curves = try #require(files["curves.csv"])
    #expect(
      curves.rows.filter { $0["method"] == "thor" }.map { $0["step"] } == ["0", "8", "16", "24"])
    // Every method starts at the same network.
    #expect(Set(curves.rows.filter { $0["step"] == "0" }.map { $0["training_loss"] }).count == 1)
    // Tests of the trace rule at steps 0, 4, …, 20 on three layers, unless one stopped.
    let decisions = try #require(files["decisions.csv"])
    let own = decisions.rows.filter { $0["method"] == "thor" }
    #expect(own.count == 18 && own.prefix(3).allSatisfy { $0["outcome"] == "update" })
  }

  @Test func theSameSeedGivesTheSameBytes() throws {
    let runs = try (0..<2).map { _ in try train("--optimizer", "thor,momentum", "--seeds", "2") }
    for name in ["summary.csv", "curves.csv", "decisions.csv"] {
      #expect(runs[0].files[name]?.rows == runs[1].files[name]?.rows, "\(name)")
    }
    let curves = try #require(runs[0].files["curves.csv"])
    let ends = curves.rows(where: ["method": "thor", "step": "24"]).map { $0["training_loss"] }
    #expect(ends.count == 2 && ends[0] != ends[1], "two seeds are two runs")
  }

  @Test func aDivergingRunSaysSoAndStops() throws {
    let (program, files) = try train("--optimizer", "sgd", "--learning-rate", "1e300")
    #expect(program.status == 2)
    #expect(program.stdout.contains("diverged at step 1"), "\(program.stdout)")
    #expect(files["summary.csv"]?.rows.first?["diverged"] == "1")
    // One of two that diverges does not take the other's result away.
    let (mixed, _) = try train("--optimizer", "sgd,adam", "--seeds", "1", "--clip", "whole:1e9")
    #expect(mixed.status == 0)
  }

  static let refusals: [([String], [String])] = [
    (["--optimizer", "tohr"], ["--optimizer tohr", "did you mean thor?"]),
    (["--optimizer", "thor,thor"], ["listed twice"]),
    (["--omega1", "0.001", "--omega2", "0.01"], ["ω₂ must not exceed ω₁", "swap them?"]),
    (
      ["--optimizer", "thor-trace", "--factor-interval", "3", "--inverse-interval", "20"],
      ["T_FIM must divide T_INV", "stop the layer falsely"]
    ),
    (["--optimizer", "ekfac", "--inverse-interval", "0"], ["0", "at least 1 step"]),
    (
      ["--learning-rate", "polynomial:target=0.1,end=5,powr=2"],
      ["'powr' is not a field of polynomial", "did you mean power?"]
    ),
    (["--learning-rate", "polynomial:target=0.1,end=5"], ["power is missing"]),
    (["--learning-rate", "polynomial:target=0.1,end=5,power=x"], ["no finite number"]),
    (["--learning-rate", "polynomal:target=0.1"], ["did you mean polynomial?"]),
    (["--learning-rate", "polynomial:target=0.1,end=-5,power=2"], ["end -5.0", "positive"]),
    (["--damping", "-1"], ["-1.0", "at least 0"]),
    (["--growing-interval", "growing:initial=20,rate=0.5,most=40"], ["0.5", "at least 1"]),
    (["--growing-interval", "list:5=1"], ["begin"]),
    (["--growing-interval", "list:0=x"], ["'0=x'", "500=50"]),
    (["--preset", "cifar-100"], ["did you mean cifar-10?"]),
    (["--clip", "tensor"], ["--clip tensor", "tensor:1.0"]),
    (["--split", "0"], ["0", "at least 1"]),
    (["--rule", "pie"], ["did you mean pi?"]),
    (["--trace-reading", "z"], ["--trace-reading z", "known: a, b, c, d, e"]),
    (["--momentum", "-0.5"], ["-0.5", "at least 0"]),
    (["--levels", "101"], ["101", "percent"]),
    (["--evaluate-every", "0"], ["--evaluate-every 0", "at least 1"]),
    (["--batch", "5000"], ["--batch 5000", "training examples"]),
    (["--resume"], ["there is no checkpoint to resume from", "Leave out --resume"]),
    (["--output", ""], ["--output is empty"]),
    (["--optimizer", "nn.thor", "--frequency", "1"], ["frequency is 1", "at least 2"]),
    (["--optimizer", "cg-kfac", "--cg-tolerance", "2"], ["tolerance 2.0", "between 0 and 1"]),
  ]

  @Test("Bad values get one sentence, exit code 2 and no files", arguments: refusals)
  func badValues(options: [String], parts: [String]) throws {
    try withTemporaryFolder { folder in
      try expectRefusal(TrainTests.arguments + options, parts, in: folder)
    }
  }

  @Test func resumingWithOtherOptionsNamesTheOne() throws {
    try withTemporaryFolder { folder in
      let place = "\(folder)/natgrad-training/checkpoints"
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      let options = """
        {"activation": "relu", "batch": "32", "dataset": "digits", "evaluate-every": "8",
        "growing-interval": "4", "init": "he", "levels": "80,85,87", "optimizer": "thor",
        "seeds": "1", "steps": "24", "widths": "64,7,5,10"}
        """
      try Data(options.utf8).write(to: URL(fileURLWithPath: "\(place)/options.json"))
      try expectRefusal(
        TrainTests.arguments + ["--resume"], ["--batch was 32", "is 64 now"], in: folder)
    }
  }
}
