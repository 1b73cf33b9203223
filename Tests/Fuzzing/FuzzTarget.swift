// The entry points of libFuzzer. Built by scripts/fuzz, not by the package: it needs a main function
// that is libFuzzer's, and nobody who uses the package needs this.

import DataFiles
import Foundation

@_silgen_name("allocationMeterStart") private func allocationMeterStart()
@_silgen_name("allocationMeterStop") private func allocationMeterStop() -> Int

/// The reader that the environment names.
let reader: HostileReader = {
  let name = ProcessInfo.processInfo.environment["NATGRAD_FUZZ_READER"] ?? ""
  guard let reader = HostileReader(rawValue: name) else {
    fatalError("NATGRAD_FUZZ_READER is '\(name)'; scripts/fuzz sets it to a reader's name")
  }
  return reader
}()

private let showsAllocation =
  ProcessInfo.processInfo.environment["NATGRAD_FUZZ_SHOW"] != nil

/// Reads one input; stops the program where the reader owes something, or takes too much memory.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  let reader = reader
  allocationMeterStart()
  let answer = reader.answer(to: bytes)
  let peak = allocationMeterStop()
  let most = reader.mostAllocated(size: count, answer: answer)
  if showsAllocation { print("\(reader): \(count) bytes, peak \(peak), allowed \(most)") }
  guard peak <= most else {
    fatalError("\(reader): \(peak) bytes were allocated at once for \(count); \(most) are allowed")
  }
  if let complaint = HostileReader.complaint(about: answer) {
    fatalError("\(reader): \(complaint)")
  }
  return 0
}
