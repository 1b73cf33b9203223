/// The beginning of a text out of a file, fit to stand inside a message: at most 80 Unicode scalars,
/// without line ends or other characters that steer a terminal.
struct Excerpt: CustomStringConvertible {
  /// The most scalars that are shown.
  private static let longest = 80

  let description: String

  init(_ text: some StringProtocol) {
    var shown = ""
    // Counted in scalars: one character can consist of any number of them.
    for scalar in text.unicodeScalars.prefix(Self.longest) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
        .unassigned:
        shown += "\\u{\(String(scalar.value, radix: 16))}"
      default: shown.unicodeScalars.append(scalar)
      }
    }
    description = text.unicodeScalars.count > Self.longest ? shown + "…" : shown
  }
}
