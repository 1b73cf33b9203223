import Lessons
import Testing

@Suite("Portable mathematics")
struct MathematicsTests {
  @Test(
    "What GitHub and Jupyter draw alike is accepted",
    arguments: [
      #"F = \frac{1}{N}\sum_n u_n u_n^\top"#, #"\left( A + \lambda I \right)^{-1}"#,
      #"\lVert A \rVert_F \leq 1"#, #"W \in \mathbb R^{m \times n}"#, #"a\,b\;c"#,
    ])
  func portable(formula: String) {
    #expect(MathematicsCheck.problem(in: formula, isDisplayed: false) == nil)
    #expect(MathematicsCheck.problem(in: formula, isDisplayed: true) == nil)
  }

  @Test("Environments and line breaks are for displayed formulas only")
  func displayed() {
    let formula = #"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}"#
    #expect(MathematicsCheck.problem(in: formula, isDisplayed: true) == nil)
    #expect(MathematicsCheck.problem(in: formula, isDisplayed: false) != nil)
    #expect(MathematicsCheck.problem(in: #"a \\ b"#, isDisplayed: false) != nil)
  }

  @Test(
    "What breaks somewhere is refused with its reason",
    arguments: [
      (#"\operatorname{tr} A"#, "operatorname"), (#"\newcommand{\x}{y}"#, "newcommand"),
      (#"\{a\}"#, "not portable"), ("{a", "open brace"), ("a}", "brace too many"),
      (#"\left( a"#, "without"), (#"a \right)"#, "without"), ("a$b", "inside"), ("a`b", "inside"),
      (#"\begin{align} a \end{align}"#, "align"), ("a\\", "backslash at the end"),
    ])
  func refused(formula: String, reason: String) {
    let problem = MathematicsCheck.problem(in: formula, isDisplayed: true)
    #expect(problem?.contains(reason) == true, "\(problem ?? "nothing found")")
  }

  @Test("A bar inside a line of text would end a table's cell")
  func bars() {
    #expect(MathematicsCheck.problem(in: "p(y | x)", isDisplayed: false) != nil)
    #expect(MathematicsCheck.problem(in: "p(y | x)", isDisplayed: true) == nil)
  }
}
