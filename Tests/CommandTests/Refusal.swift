import Testing

/// Runs natgrad on bad input in `folder` and checks that it is refused as promised: exit code 2, one
/// line on stderr that begins "natgrad: " and holds every part, nothing on stdout, nothing written.
func expectRefusal(
  _ arguments: [String], _ parts: [String], in folder: String,
  environment: [String: String] = [:], program: String = Program.path,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let before = try names(in: folder)
  let result = try Program.run(
    arguments, environment: environment, directory: folder, program: program)
  let seen = "\(arguments.joined(separator: " ")): \(result.status), \(result.stderr.prefix(600))"
  #expect(result.status == 2, "\(seen)", sourceLocation: sourceLocation)
  #expect(result.stdout.isEmpty, "\(seen)", sourceLocation: sourceLocation)
  #expect(result.complaints.count == 1, "\(seen)", sourceLocation: sourceLocation)
  #expect(result.stderr.hasPrefix("natgrad: "), "\(seen)", sourceLocation: sourceLocation)
  #expect(result.stderr.hasSuffix(".\n"), "\(seen)", sourceLocation: sourceLocation)
  for part in parts {
    #expect(
      result.stderr.contains(part), "no “\(part)” in \(seen)", sourceLocation: sourceLocation)
  }
  #expect(try names(in: folder) == before, "\(seen)", sourceLocation: sourceLocation)
}
