/// A JSON document as a value.
///
/// Source: RFC 8259, read strictly: one value, UTF-8, no comments, no trailing commas, no name twice
/// in an object. Numbers are rounded once to the nearest `Double`.
public enum JSON: Equatable, Sendable {
  case null
  case boolean(Bool)
  /// Always finite.
  case number(Double)
  // Boxed, so that the value of a large array of numbers takes 16 bytes an element and not 24.
  indirect case string(String)
  case array([JSON])
  case object([String: JSON])

  /// The deepest nesting of arrays and objects that is read.
  public static let deepestNesting = 128

  /// Reads a file.
  ///
  /// Throws `DataFileError` naming line and column where the file is missing, larger than `limit`
  /// bytes, no JSON, nested deeper than `deepestNesting`, or holds a number too large for a `Double`.
  public static func read(
    path: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> JSON {
    try decode(InputFile.read(path: path, limit: limit), name: path)
  }

  /// Reads a document from memory; `name` is what messages call it.
  ///
  /// Takes at most 32 bytes of memory for each byte of the document.
  public static func decode(_ bytes: [UInt8], name: String) throws(DataFileError) -> JSON {
    var reader = JSONReader(bytes, name: name)
    return try reader.document()
  }

  /// The member of an object, or nil where this is no object or has no such member.
  public subscript(_ member: String) -> JSON? {
    if case .object(let members) = self { members[member] } else { nil }
  }
}
