import DataFiles
import DenseAlgebra
import Experiments

/// Steepest descent under each ruler, and what the natural gradient is invariant to.
extension TwoRulersChapter {
  static func paths(_ document: inout ChapterDocument) throws {
    let paths = try TwoRulersMeasurement.paths()
    let bends = try TwoRulersMeasurement.bendTable(paths)
    document.data(TwoRulersMeasurement.pathTable(paths))
    document.data(bends)
    func value(_ column: String, _ method: String, _ format: NumberFormat) -> ReportedNumber {
      bends.number(column, where: ["method": method], format)
    }
    let methods = ["gradient", "Newton", "natural gradient"]
    document.claim(
      "in the plane of the means only the natural path is straight",
      holds: methods.allSatisfy {
        (value("means", $0, .significant(2)).value < 1e-9) == ($0 == "natural gradient")
      })
    document.claim(
      "in the plane of the parameters all three paths are bent",
      holds: methods.allSatisfy { value("parameters", $0, .significant(2)).value > 0.1 })
    document.heading("Downhill under each ruler")
    document.paragraph(
      #"""
      Which small step lowers a loss $L$ most? The answer depends on the ruler that limits the \#
      step. With a Euclidean limit it is the gradient, $\delta = -\eta \nabla L$, with a learning \#
      rate $\eta$. With the limit $\frac12\delta^\top F\delta \le \epsilon$ it is (set the \#
      derivative of $\nabla L^\top\delta + \frac{1}{2\eta}\delta^\top F\delta$ to zero)
      """#)
    document.mathematics(#"\delta = -\eta \, F^{-1} \nabla L ,"#)
    document.paragraph(
      #"""
      the **natural gradient** step. Newton's step $-H^{-1}\nabla L$ has the same form, with the \#
      Hessian $H$ of the loss instead of $F$. MindSpore's introduction writes all second-order \#
      methods as $\theta - \eta\, G^{-1} \nabla L$ and draws the descent paths of a first-order \#
      and of Newton's method (Figure 2). We draw three paths on a valley that is bent, and whose \#
      loss is a likelihood:
      """#)
    document.mathematics(
      #"L(a, b) = \frac12 \lVert m - (1, 0) \rVert^2 , \qquad m = \left(a, \; 4 (b - a^2)\right) ."#
    )
    document.paragraph(
      #"""
      Two normal observations, 1 and 0, have the means $m$ and variance one. With the Jacobian $J \#
      = \partial m / \partial (a, b)$ the Fisher matrix is $F = J^\top J$, and $\mathrm{KL} = \#
      \frac12 \lVert m - m' \rVert^2$: in the plane of the means the two rulers agree.
      """#)
    document.predict(
      Prediction(
        #"""
        All three methods start at $(-1.2, 1)$ with very small steps. Whose path is a straight \#
        line, and where?
        """#,
        options: [
          #"the gradient's, in the plane of $(a, b)$"#, #"Newton's, in the plane of $(a, b)$"#,
          "the natural gradient's, in the plane of the means", "none of them, anywhere",
        ],
        answer: #"""
          C. In the plane of the means the natural path bends by \#
          \#(value("means", "natural gradient", .significant(2))) of its length (to round-off), \#
          Newton's by \#(value("means", "Newton", .percent(0))), the gradient's by \#
          \#(value("means", "gradient", .percent(0))). In $(a, b)$ all three are bent.
          """#))
    let alternative: Prose =
      #"""
      Two panels. In (a), the parameters, a bent valley: the gradient drops into the valley and \#
      follows its floor, the natural path cuts below it, all three are curved. In (b), the means, \#
      the loss lines are circles: the natural path is a straight line to the end, Newton's bends \#
      by \#(value("means", "Newton", .percent(0))) and the gradient's by \#
      \#(value("means", "gradient", .percent(0))) of the distance.
      """#
    document.figure(
      Figure(
        "paths", TwoRulersFigures.paths(paths, alternativeText: alternative.markdown),
        caption: #"""
          The same three paths in the plane of the parameters and in the plane of the means. \#
          Grey: lines of equal loss.
          """#,
        alternativeText: alternative,
        tables: ["paths", "bends"]))
    document.paragraph(
      #"""
      The reason takes one line. A small natural step moves the means by $J\delta = -\eta\, J \#
      (J^\top J)^{-1} J^\top (m - y) = -\eta\,(m - y)$ with $y = (1, 0)$: straight to the data, \#
      wherever we are. Newton's Hessian is $F$ plus the curvature of the means times the residual \#
      $m - y$. Here only the second mean $m_2$ is curved, so both matrices are equal where $m_2 = \#
      0$, on the floor of the valley, and differ elsewhere. The Hessian can even be indefinite: \#
      its determinant is $16\,(1 - 8 m_2)$, negative where $m_2$ is above $\frac18$. There \#
      Newton's step can lead uphill. $F$ has no negative eigenvalue.
      """#)
    document.table(
      DocumentTable(
        bends,
        caption: #"""
          Bend of the paths (largest distance from the straight line, over its length), length of \#
          the path in the plane of the means over the straight line, and the number of finite \#
          steps until the loss is below a millionth, each step halved until the loss falls.
          """#,
        columns: [
          .init("method", "method"), .init("parameters", "bend in (a, b)", .significant(2)),
          .init("means", "bend in the means", .significant(2)),
          .init("length", "length", .fixed(2)), .init("steps", "finite steps"),
        ]))
    document.caveat(
      #"""
      Two parameters and no noise: this shows what the directions are, not which optimizer wins. \#
      A step of a large network costs very different amounts of work under the three methods, and \#
      $F$ has to be approximated ([chapter 05](05-kfac.md)).
      """#)
  }

  static func invariance(_ document: inout ChapterDocument) throws {
    let table = try TwoRulersMeasurement.invarianceTable()
    let steps = try TwoRulersMeasurement.stepTable()
    document.data(table)
    document.data(steps)
    document.heading("What does not depend on how we write it")
    document.paragraph(
      #"""
      The normal distribution can be written with $\sigma$, with $\log\sigma$, with the variance, \#
      or with its natural parameters. The distributions are the same, the numbers are not. Fit it \#
      to data by maximum likelihood and ask each method for its direction in each kind of \#
      coordinates. Then map the direction back to $(\mu, \sigma)$ with the Jacobian and compare. \#
      Every Fisher matrix and gradient comes from its own formula:
      """#)
    document.source(
      SourceExcerpt(
        "Sources/Lessons/Chapters/TwoRulers/TwoRulersChapter+Model.swift", "natural-direction"))
    document.table(
      DocumentTable(
        table,
        caption: #"""
          Relative difference between the direction found in other coordinates and that found in \#
          $(\mu, \sigma)$, at one place; last column: the largest difference of the natural \#
          gradient at 100 random places. 0 is below \#(given: 1e-12).
          """#,
        columns: [
          .init("coordinates", "coordinates"), .init("gradient", "gradient"),
          .init("newton", "Newton"), .init("natural", "natural gradient"),
          .init("largest", "natural, 100 places"),
        ]))
    document.paragraph(
      #"""
      The natural gradient is the same vector in all of them, to round-off. The reason: if $J$ is \#
      the Jacobian of the change of coordinates, the gradient picks up a factor $J^{-\top}$ and \#
      the Fisher matrix becomes $J^{-\top} F J^{-1}$; the factors cancel, and what remains is $J$ \#
      times the old direction. Newton's method lacks this because the Hessian picks up second \#
      derivatives of the change too. (In the natural parameters $H = F$, so there Newton's step \#
      *is* the natural one; the row compares it with Newton's step in $(\mu, \sigma)$.)
      """#)
    let whole = steps.number("natural gradient", row: 0, .percent(1))
    let small = steps.number("natural gradient", row: 4, .percent(3))
    document.claim(
      "the difference of the natural gradient's ends is in proportion to the rate",
      holds: (50...200).contains(whole.value / small.value))
    document.figure(
      Figure(
        "steps", TwoRulersFigures.steps(steps),
        caption: #"""
          One step made in $(\mu, \sigma)$ and in $(\mu, \log\sigma)$: the Fisher distance of the \#
          two ends over the length of the step.
          """#,
        alternativeText: #"""
          Three curves against the learning rate, both axes logarithmic. Towards small rates those \#
          of the gradient and of Newton become level, at \#
          \#(steps.number("gradient", row: 8, .significant(2))) and \#
          \#(steps.number("Newton", row: 8, .significant(2))): the two ends stay apart \#
          by a fixed multiple of the step. The natural gradient's falls in proportion to the rate, from \#
          \#(whole) at rate 1 to \#(small) at a hundredth.
          """#,
        tables: ["steps"]))
    document.paragraph(
      #"""
      A warning goes with it: the *direction* is invariant, a finite *step* is not. A straight \#
      step in $\log\sigma$ is not straight in $\sigma$. At rate 1 the two ends differ by \#
      \#(whole) of the step, at rate one hundredth by \#(small): in proportion to the rate. For \#
      affine changes of coordinates the finite step is invariant too. For networks and KFAC \#
      without damping that is property P-72; with damping it does not hold (P-74).
      """#)
  }
}
