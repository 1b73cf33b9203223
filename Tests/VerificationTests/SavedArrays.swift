import DataFiles
import DenseAlgebra
import Foundation
import Testing

/// Runs a test with the path of an `.npz` file of the given arrays, removed afterwards.
func withArrays<Value>(
  _ arrays: [(name: String, array: NumericArray)], file: String = "w.npz",
  _ body: (String) throws -> Value
) throws -> Value {
  try withBytes(NPZ.encode(arrays), file: file, body)
}

/// Runs a test with the path of a file of the given bytes, removed afterwards.
func withBytes<Value>(
  _ bytes: [UInt8], file: String, _ body: (String) throws -> Value
) throws -> Value {
  let folder = NSTemporaryDirectory() + "natgrad-verification-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
  return try body("\(folder)/\(file)")
}

/// Expects a reader to refuse its file with a message that holds every part.
func expectMessage<Value>(
  _ parts: [String], sourceLocation: SourceLocation = #_sourceLocation,
  from read: () throws -> Value
) throws {
  do {
    let value = try read()
    Issue.record("no error, but \(value)", sourceLocation: sourceLocation)
  } catch let error as DataFileError {
    for part in parts {
      #expect(error.message.contains(part), "\(error.message)", sourceLocation: sourceLocation)
    }
  }
}

extension NumericArray {
  /// An array whose entries count up from 1 in steps of 1/8, so that every entry differs.
  static func counting(_ shape: Int...) -> NumericArray {
    let count = shape.reduce(1, *)
    return NumericArray(shape: shape, elements: (0..<count).map { 1 + Double($0) / 8 })
  }

  /// The same array with one entry replaced.
  func replacing(_ position: Int, by value: Double) -> NumericArray {
    var elements = elements
    elements[position] = value
    return NumericArray(shape: shape, elements: elements)
  }
}
