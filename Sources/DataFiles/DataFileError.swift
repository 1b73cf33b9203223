/// What is wrong with a file or folder, as sentences for the person who gave it.
///
/// The message says what was seen (file, array, index, value), what was expected, and the one thing
/// to do.
public struct DataFileError: Error, Equatable, CustomStringConvertible, Sendable {
  /// The sentences.
  public let message: String

  /// Takes the sentences as they are.
  public init(_ message: String) { self.message = message }

  /// The same as `message`.
  public var description: String { message }
}
