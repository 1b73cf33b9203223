import ArgumentParser
import Experiments
import Foundation

/// The command line: parse, call, print.
struct NatgradCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "natgrad",
    abstract: "Reference and verification suite for natural-gradient mathematics.",
    discussion: """
      Exact Fisher information, KFAC, EKFAC, CG-FAC and THOR's split, measured against each other.
      Results go to files and stdout, progress to stderr; bad input is one sentence and exit code 2.
      """,
    version: Natgrad.version,
    subcommands: [Compare.self, Train.self, Reproduce.self, Notebooks.self, List.self])
}

@main
enum Main {
  static func main() {
    var command: any ParsableCommand
    do {
      command = try NatgradCommand.parseAsRoot()
    } catch {
      NatgradCommand.exit(withError: error)
    }
    do {
      try command.run()
    } catch let code as ExitCode {
      // A command that has said what it found: a check that failed.
      NatgradCommand.exit(withError: code)
    } catch  where NatgradCommand.exitCode(for: error) != .failure {
      // Help, version and what the argument parser itself refuses keep their own codes.
      NatgradCommand.exit(withError: error)
    } catch {
      // Bad input: one sentence that says what was seen, what was expected and what to do.
      FileHandle.standardError.write(Data("natgrad: \(error)\n".utf8))
      Foundation.exit(2)
    }
  }
}
