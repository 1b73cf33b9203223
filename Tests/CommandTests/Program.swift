import Foundation

/// The built `natgrad`, run as a child process.
struct Program {
  let status: Int32
  let stdout: String
  let stderr: String

  /// The lines of stderr.
  var complaints: [String] { stderr.split(separator: "\n").map(String.init) }

  /// The executable, which lies beside the test bundle.
  static let path: String = {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let candidate = folder.appendingPathComponent("natgrad").path
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder),
        !isFolder.boolValue
      {
        return candidate
      }
    }
    preconditionFailure("no natgrad beside \(CommandLine.arguments[0]); build it first")
  }()

  /// Runs `program` to its end; both streams go to files, so that no full pipe can stop it.
  static func run(
    _ arguments: [String], environment: [String: String] = [:], directory: String,
    program: String = path
  ) throws -> Program {
    try withTemporaryFolder { streams in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.currentDirectoryURL = URL(fileURLWithPath: directory)
      var variables = ProcessInfo.processInfo.environment
      variables["NATGRAD_FIXTURES"] = nil
      process.environment = variables.merging(environment) { $1 }
      let paths = ["out", "err"].map { "\(streams)/\($0)" }
      for path in paths { try Data().write(to: URL(fileURLWithPath: path)) }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle(forWritingAtPath: paths[0])
      process.standardError = FileHandle(forWritingAtPath: paths[1])
      try process.run()
      process.waitUntilExit()
      let texts = try paths.map { try String(contentsOfFile: $0, encoding: .utf8) }
      // A crash is no exit code: it must not pass for one.
      let status = process.terminationStatus
      return Program(
        status: process.terminationReason == .exit ? status : -status, stdout: texts[0],
        stderr: texts[1])
    }
  }
}

/// Runs a test with the path of a new folder, which is removed afterwards.
func withTemporaryFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
  let folder = NSTemporaryDirectory() + "natgrad-command-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// The names of everything in a folder, hidden files too.
func names(in folder: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}
