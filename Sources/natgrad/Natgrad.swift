import ArgumentParser

@main
struct Natgrad: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "natgrad",
    abstract: "Reference and verification suite for natural-gradient mathematics.")
}
