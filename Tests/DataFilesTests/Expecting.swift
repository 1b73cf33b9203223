import DataFiles
import Testing

/// Runs a reader on bad input and checks that its message holds every given part.
func expectMessage<Value>(
  _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
  from read: () throws -> Value
) {
  do {
    let value = try read()
    Issue.record("no error, but \(value)", sourceLocation: sourceLocation)
  } catch let error as DataFileError {
    for part in parts {
      #expect(error.message.contains(part), "\(error.message)", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("another error: \(error)", sourceLocation: sourceLocation)
  }
}

/// The bytes that hexadecimal digits spell; blanks and line ends are skipped.
func bytes(hexadecimal text: String) -> [UInt8] {
  let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
  precondition(digits.count % 2 == 0, "an odd number of digits")
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}
