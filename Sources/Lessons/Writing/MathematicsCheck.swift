/// The part of TeX that GitHub, Jupyter and MathML converters draw alike.
public enum MathematicsCheck {
  /// The commands that may stand in a formula.
  public static let commands: Set<String> = Set(
    """
    alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau \
    phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega \
    frac sqrt sum prod int partial nabla infty cdot cdots ldots dots times otimes odot oplus circ \
    le leq ge geq ne neq approx equiv sim ll gg in notin subset cup cap to mapsto rightarrow \
    leftarrow Rightarrow Leftrightarrow pm mp propto \
    left right lvert rvert lVert rVert langle rangle lfloor rfloor lceil rceil \
    mathrm mathbf mathbb mathcal text hat bar tilde dot vec overline underbrace widetilde widehat \
    top bot perp mid prime star ast dagger quad qquad min max log exp det dim ker cos sin tanh arg \
    begin end big Big bigl bigr Bigl Bigr succeq preceq succ prec lim sup inf forall exists ell
    """.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init))

  /// What keeps a formula from being drawn everywhere, or nil.
  ///
  /// Inline formulas hold no line breaks; `\begin` opens `aligned`, `pmatrix`, `bmatrix` or `cases`
  /// of a displayed one.
  public static func problem(in formula: String, isDisplayed: Bool) -> String? {
    var depth = 0
    var pairs = 0
    let characters = Array(formula)
    var index = 0
    while index < characters.count {
      let character = characters[index]
      index += 1
      switch character {
      case "{": depth += 1
      case "}":
        depth -= 1
        if depth < 0 { return "a closing brace too many" }
      case "|" where !isDisplayed: return #"a bar: write \lvert or \mid, a table would break"#
      case "$", "`": return "a '\(character)' inside"
      case "\\":
        let name = String(characters[index...].prefix { $0.isLetter && $0.isASCII })
        index += name.count
        if name.isEmpty {
          guard index < characters.count else { return "a backslash at the end" }
          let next = characters[index]
          index += 1
          if next == "\\" && !isDisplayed { return "a line break in an inline formula" }
          if !"\\,;: ".contains(next) { return "'\\\(next)' is not portable" }
        } else if !commands.contains(name) {
          return "'\\\(name)' is not among the portable commands"
        } else if name == "left" {
          pairs += 1
        } else if name == "right" {
          pairs -= 1
          if pairs < 0 { return #"a \right without \left"# }
        } else if name == "begin" || name == "end" {
          let environment = String(characters[index...].dropFirst().prefix { $0 != "}" })
          if !isDisplayed { return "an environment in an inline formula" }
          if !["aligned", "pmatrix", "bmatrix", "cases"].contains(environment) {
            return "the environment '\(environment)' is not portable"
          }
        }
      default: break
      }
    }
    if depth != 0 { return "an open brace" }
    if pairs != 0 { return #"a \left without \right"# }
    return nil
  }
}
