import Foundation

/// A training comparison that takes a second: three layers on the digits, two seeds.
struct SmallJob {
  let program: Program
  let summary: Table
  let files: [String: [UInt8]]

  static let arguments = [
    "compare", "--dataset", "digits", "--widths", "64,7,5,10", "--layers", "2-3", "--seeds", "2",
    "--iterations", "0,3", "--last-iteration", "5", "--batch", "64", "--split", "3",
    "--damping", "0.01,0.1", "--output", "results",
  ]

  /// The job that the tests of the files look at.
  static let quiet = Result { try SmallJob(["--quiet"]) }

  /// Its comparison.csv.
  static let table = Result { Table(try quiet.get().files["comparison.csv"] ?? []) }

  /// Runs the job with further arguments, through `launcher` where one is given.
  init(_ further: [String], launcher: [String] = []) throws {
    let (program, files) = try withTemporaryFolder { folder in
      let arguments = SmallJob.arguments + further
      let program =
        if let first = launcher.first {
          try Program.run(
            launcher.dropFirst() + [Program.path] + arguments, directory: folder, program: first)
        } else {
          try Program.run(arguments, directory: folder)
        }
      guard program.status == 0, try names(in: folder) == ["results"] else {
        throw Failed(program: program)
      }
      var files: [String: [UInt8]] = [:]
      for name in try names(in: folder + "/results") {
        files[name] = [UInt8](
          try Data(contentsOf: URL(fileURLWithPath: "\(folder)/results/\(name)")))
      }
      return (program, files)
    }
    self.program = program
    self.files = files
    guard let summary = files["summary.csv"] else { throw Failed(program: program) }
    self.summary = Table(summary)
  }

  /// The job ended otherwise than with 0 and one folder of results.
  struct Failed: Error { let program: Program }
}
