/// The two ways of writing inline mathematics, from one text with dollar signs.
enum InlineMathematics {
  /// A text cut at its dollar signs: odd pieces are mathematics.
  ///
  /// Code spans keep their dollar signs.
  static func pieces(of text: String) -> [(text: String, isMathematics: Bool)] {
    var pieces: [(text: String, isMathematics: Bool)] = []
    var (current, isMathematics, isCode) = ("", false, false)
    for character in text {
      if character == "`" && !isMathematics { isCode.toggle() }
      if character == "$" && !isCode {
        if !current.isEmpty { pieces.append((current, isMathematics)) }
        (current, isMathematics) = ("", !isMathematics)
      } else {
        current.append(character)
      }
    }
    precondition(!isMathematics, "an odd number of dollar signs in: \(text)")
    if !current.isEmpty { pieces.append((current, false)) }
    return pieces
  }

  /// GitHub's form: a backtick inside each dollar sign, so that Markdown leaves the formula alone.
  static func github(_ text: String) -> String {
    pieces(of: text).map { $0.isMathematics ? "$`\($0.text)`$" : $0.text }.joined()
  }

  /// Words without markup for a place where no formula is drawn.
  static func plain(_ text: String) -> String {
    pieces(of: text).map { piece in
      piece.isMathematics ? piece.text.filter { !#"\{}"#.contains($0) } : piece.text
    }.joined().filter { !"*`[]".contains($0) }
  }
}
