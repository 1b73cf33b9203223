import Curvature
import DataFiles
import DenseAlgebra
import Experiments

/// Chapter 04: which order, which side, which column.
enum VecChapter {
  static let chapter = Chapter(
    4, "vec-and-kronecker", title: "Vec, Kronecker, bias",
    goal: "Say in which order, on which side and in which column the numbers stand, and prove it.",
    minutes: 45, prerequisites: [2], seedItem: "THOR Equations 4 and 5"
  ) { context in
    let measured = try VecMeasurement(context.fashionMNIST.dataset, progress: context.progress)
    let costs = VecChapter.costs()
    var findings = Findings()
    var document = ChapterDocument(
      ConventionCard([
        "Bias": #"last entry of the layer input is 1; $b$ is the last column of $[W\ b]$"#,
        "Sizes": #"$d_G$ outputs, $d_A$ inputs with the bias; $[W\ b]$ is $d_G \times d_A$"#,
      ]), setup: VecCells.setup)
    lists(&document)
    identity(&document)
    wrong(&document, &findings, measured)
    cost(&document, costs)
    bias(&document, measured)
    libraries(&document)
    cells(&document, &findings, measured)
    ending(&document)
    for table in [
      VecExample.permutation, VecExample.entries, measured.steps, measured.curves, costs,
      measured.bias,
      VecChapter.libraryTable, findings.table,
    ] {
      document.data(table)
    }
    return document
  }

  private static func lists(_ document: inout ChapterDocument) {
    document.heading("A matrix is not a list")
    document.paragraph(
      #"""
      A layer's parameters are a matrix $[W\ b]$: one row per output, one column per input, and the \#
      bias $b$ as a last column that multiplies a constant input 1. A Fisher matrix needs them as a \#
      list. There are two natural lists. $\mathrm{cvec}$ stacks the columns: entry $(i, j)$, counted \#
      from zero, comes to place $j\,d_G + i$. $\mathrm{rvec}$ stacks the rows: it comes to place \#
      $i\,d_A + j$. Fortran, LAPACK and this suite store matrices by columns; C, NumPy and PyTorch by \#
      rows. Both are right. Trouble begins where one program writes and another reads.
      """#)
    let table = VecExample.permutation
    func place(_ entry: String, _ list: String) -> ReportedNumber {
      table.number(list, where: ["entry": entry], .fixed(0))
    }
    let alternative: Prose =
      #"""
      On the left a two by three matrix with two weight columns and a bias column. On the right a 6 × 6 grid with one 1 \#
      in each row and column. The two biases, at places \#(place("b₁", "cvec")) and \#(place("b₂", "cvec")) of the list by \#
      columns, counted from zero, stand at places \#(place("b₁", "rvec")) and \#(place("b₂", "rvec")) of the list by rows.
      """#
    document.figure(
      Figure(
        "permutation",
        VecExample.picture(alternativeText: alternative.markdown),
        caption:
          #"""
          A 2 × 3 matrix, its list by columns (above the grid), its list by rows (left of it), and the \#
          permutation matrix between them.
          """#,
        alternativeText: alternative, tables: ["permutation"]))
    document.paragraph(
      #"""
      The permutation matrix $\Pi$ with $\mathrm{rvec}(V) = \Pi\,\mathrm{cvec}(V)$ is called the \#
      commutation matrix. It is orthogonal, $\Pi^\top \Pi = I$. A vector in the one list becomes $\Pi v$ in \#
      the other, a matrix $M$ becomes $\Pi M \Pi^\top$. The suite converts at its borders with these lines, \#
      and computes in one convention only:
      """#)
    document.source(SourceExcerpt("Sources/Verification/Vectorization.swift", "row-positions"))
  }

  private static func identity(_ document: inout ChapterDocument) {
    document.heading("Which side")
    document.paragraph(
      #"""
      The Kronecker product $A \otimes G$ is the block matrix whose block $(j, j')$ is \#
      $A_{jj'}\,G$. So inside a block the index of $G$ runs, and from block to block the index of $A$. In \#
      $\mathrm{cvec}$ the output index runs fastest; outputs belong to $G$. That is why the factor of the inputs \#
      stands on the left:
      """#)
    document.mathematics(
      #"(A \otimes G)\,\mathrm{cvec}(V) = \mathrm{cvec}(G\,V A^\top), \qquad (G \otimes A)\,\mathrm{rvec}(V) = \mathrm{rvec}(G\,V A^\top)."#
    )
    document.paragraph(
      #"""
      One example's gradient is $g\bar a^\top$ with the layer input $\bar a$ and the gradient $g$ at \#
      the layer's output; $\mathrm{cvec}(g\bar a^\top) = \bar a \otimes g$. The mean of its outer products is \#
      approximated in the THOR paper's Equation 4 by $A_{i-1} \otimes G_i$, and inverted in Equation 5. The paper does not say \#
      how parameters are stacked; with that order it must be by columns. Properties P-01, \#
      P-02 and P-03 test both identities, and that the mixed forms are wrong also where the sizes agree.
      """#)
    document.figure(
      Figure(
        "products", VecExample.products.canvas,
        caption:
          #"""
          The same linear map for the two lists. The right panel is the left one with rows and \#
          columns permuted, and equals $G \otimes A$.
          """#,
        alternativeText:
          #"""
          Two heat maps of 6 × 6 entries. On the left three by three blocks of size two, each a multiple of the same \#
          small matrix; on the right two by two blocks of size three. The same 36 values at other places; the largest, \#
          \#(VecExample.entries.number("cvec", row: 0)), is in the first corner of both.
          """#, tables: ["products"]))
  }

  private static func wrong(
    _ document: inout ChapterDocument, _ findings: inout Findings, _ measured: VecMeasurement
  ) {
    let steps = measured.steps
    func number(_ column: String, _ layer: Int, _ order: VecMeasurement.Order)
      -> ReportedNumber
    {
      steps.number(
        column, where: ["layer": "layer \(layer)", "order": order.rawValue], .fixed(2))
    }
    let curves = measured.curves
    let start = curves.number("right", row: 0, .fixed(2))
    /// The last loss of a run that was recorded.
    func end(_ column: String) -> ReportedNumber {
      let place = curves.columns.firstIndex { $0.name == column } ?? 0
      let row = curves.rows.indices.last { curves.rows[$0][place] != .empty } ?? 0
      return curves.number(column, row: row, .fixed(2))
    }
    let (right, mixed, plain) = (end("right"), end("wrongSlow"), end("gradient"))
    let column = curves.columns.firstIndex { $0.name == "wrong" } ?? 0
    let survived = findings.report(
      "mixed-order-steps", Double(curves.rows.count { $0[column] != .empty } - 1),
      "steps with the mixed order at rate 0.1 before the loss passes a thousand")
    let count = VecMeasurement.steps
    document.claim(
      "the mixed order diverges at the large rate; at the small one it falls, no better than descent",
      holds: survived.value < Double(count) && mixed.value < start.value
        && mixed.value >= plain.value && right.value < plain.value)
    document.claim(
      "all steps have a positive cosine with the gradient",
      holds: steps.rows.indices.allSatisfy { steps.number("slope", row: $0).value > 0 })
    document.heading("What a wrong order does")
    document.paragraph(
      #"""
      We train 784-20-20-20-10 on the shipped Fashion-MNIST images with KFAC, once as it should be and once \#
      with a program that stacks the gradient by rows and uses the inverse of $A \otimes G$ all the \#
      same. The layers have \#(given: "20 × 785"), \#(given: "20 × 21"), \#(given: "20 × 21") and \#
      \#(given: "10 × 21") parameters; none is square.
      """#)
    document.predict(
      Prediction(
        "How does the mixed program show that it is wrong?",
        options: [
          "The first product stops with an error of shapes.",
          "It trains, but only with a much smaller rate, and then no better than gradient descent.",
          "The steps point uphill: the loss rises at every rate.",
        ],
        answer:
          #"""
          B. No shape is wrong: $A \otimes G$ has $d_A d_G$ rows in any order. At the rate \#(given: 0.1), which \#
          suits the right order, the mixed one diverges after \#(survived) steps. At \#(given: 0.01) its loss on a \#
          fixed batch falls from \#(start) to \#(mixed) in \#(given: count) steps; gradient \#
          descent at \#(given: 0.1) reaches \#(plain), the right order \#(right).
          """#))
    document.figure(
      Figure(
        "curves", measured.curveChart.canvas,
        caption:
          #"""
          The right order, the mixed order at two rates (one ends where it diverges), and gradient \#
          descent.
          """#,
        alternativeText:
          #"""
          Falling curves of the loss over \#(given: count) steps, all from \#(start). The right order ends at \#
          \#(right), the mixed order at the small rate at \#(mixed), gradient descent at \#(plain). The mixed \#
          order at the large rate is gone after \#(survived) steps.
          """#, tables: ["curves"]))
    document.paragraph(
      #"""
      A user would report: "KFAC is unstable, and with a small rate no better than gradient descent." \#
      Nothing in that sentence points to an order of numbers. The loss can fall because the damped inverse \#
      $P^{-1}$ of KFAC is symmetric and positive definite. A wrong order \#
      applies $\Pi^\top P^{-1} \Pi$ instead, which is symmetric and positive definite too. So the slope \#
      $v^\top \Pi^\top P^{-1} \Pi v$ is positive for every gradient $v \ne 0$: a small enough step \#
      always lowers the loss. A falling loss proves nothing about the order.
      """#)
    document.paragraph(
      #"""
      The next figure measures single steps. The efficiency $\eta$ is the share of the best possible \#
      decrease of the exact block's damped quadratic model that a step in that direction reaches.
      """#)
    let alternative: Prose =
      #"""
      Dot chart with three panels. In layer 2 the efficiency is \#(number("efficiency", 2, .right)) in the right \#
      order, \#(number("efficiency", 2, .rowsStacked)) with rows stacked, \#
      \#(number("efficiency", 2, .biasFirst)) with the bias first in A, and \#
      \#(number("efficiency", 2, .gradient)) for the gradient. All cosines with the gradient are above zero.
      """#
    document.figure(
      Figure(
        "orders", measured.dots.canvas(alternativeText: alternative.markdown),
        caption:
          #"""
          Four steps from the same numbers, for three layers: the cosine with the right step, the \#
          efficiency, and the cosine with the gradient.
          """#,
        alternativeText: alternative, tables: ["steps"]))
    let list = findings.report(
      "below-gradient",
      Double(
        [2, 3, 4].count {
          number("efficiency", $0, .rowsStacked).value < number("efficiency", $0, .gradient).value
        }),
      "layers, of three, where rows stacked against A ⊗ G are less efficient than the gradient")
    document.paragraph(
      #"""
      In layer 3 the mixed step has a cosine of \#(number("cosine", 3, .rowsStacked)) with the right one and an \#
      efficiency of \#(number("efficiency", 3, .rowsStacked)), where the right order has \#
      \#(number("efficiency", 3, .right)) and the bare gradient \#(number("efficiency", 3, .gradient)). \#
      In \#(list) of \#(given: 3) layers the mixed step is less efficient than the bare gradient. A bias that is \#
      first in $A$ and last in the gradient leaves \#(number("efficiency", 3, .biasFirst)). All of these \#
      steps have a positive cosine with the gradient.
      """#)
    document.caveat(
      #"""
      The steps have one damping, $\lambda =$ \#(given: VecMeasurement.lambda) on each factor, the runs \#
      $\lambda =$ \#(given: VecMeasurement.trainingLambda) and one seed. With a large $\lambda$ every order becomes the \#
      gradient, and the mistake becomes harder to see. It is no race between optimizers; that is \#
      [chapter 12](12-fair-race.md).
      """#)
  }

  private static func cost(_ document: inout ChapterDocument, _ costs: ResultTable) {
    let large = VecChapter.shapes[3].name
    func number(_ column: String, _ format: NumberFormat = .significant(2)) -> ReportedNumber {
      costs.number(column, where: ["shape": large], format)
    }
    document.heading("Never form the Kronecker product")
    document.paragraph(
      #"""
      The identity is also the reason why Kronecker factors pay. The explicit matrix has \#
      $(d_A d_G)^2$ entries and a product with it takes $2(d_A d_G)^2$ operations. $G V A^\top$ takes \#
      $2 d_A d_G (d_A + d_G)$ and stores $d_A^2 + d_G^2$ numbers. The same holds for the inverse, \#
      $(A \otimes G)^{-1} = A^{-1} \otimes G^{-1}$ (P-06), so the step is $G^{-1} V A^{-1}$ (P-59).
      """#)
    document.source(SourceExcerpt("Sources/Curvature/KroneckerBlock.swift", "kronecker-apply"))
    document.table(
      DocumentTable(
        costs,
        caption: "Memory and operations of one product, by formula; 8 bytes per number.",
        columns: [
          .init("shape", "layer"), .init("explicitBytes", "A ⊗ G, bytes"),
          .init("factorBytes", "A and G, bytes"),
          .init("explicitOperations", "product with A ⊗ G, operations"),
          .init("factorOperations", "G V Aᵀ, operations"), .init("ratio", "operations, ratio"),
        ]))
    document.paragraph(
      #"""
      For the 3 × 3 convolution with 512 channels the explicit matrix takes \#(number("explicitBytes")) bytes, the factors \#
      \#(number("factorBytes")); a product takes \#(number("ratio")) times fewer operations.
      """#)
  }

  static let shapes: [(name: String, inputs: Int, outputs: Int)] = [
    ("21 → 10 (layer 4 here)", 21, 10), ("21 → 20 (layers 2 and 3 here)", 21, 20),
    ("785 → 20 (layer 1 here)", 785, 20), ("4608 → 512 (a 3 × 3 convolution)", 4608, 512),
  ]

  static func costs() -> ResultTable {
    var table = ResultTable(
      "costs", "One product with A ⊗ G, formed or not.",
      [
        ("shape", "layer: inputs with the bias, outputs"),
        ("explicitBytes", "8 (d_A d_G)²"), ("factorBytes", "8 (d_A² + d_G²)"),
        ("explicitOperations", "2 (d_A d_G)²"), ("factorOperations", "2 d_A d_G (d_A + d_G)"),
        ("ratio", "explicitOperations / factorOperations"),
      ])
    for (name, inputs, outputs) in shapes {
      let (a, g) = (Double(inputs), Double(outputs))
      let explicit = a * g * a * g
      let factored = 2 * a * g * (a + g)
      table.append([
        .text(name), .number(8 * explicit), .number(8 * (a * a + g * g)), .number(2 * explicit),
        .number(factored), .number(2 * explicit / factored),
      ])
    }
    return table
  }

  private static func bias(_ document: inout ChapterDocument, _ measured: VecMeasurement) {
    let table = measured.bias
    func number(_ column: String, _ layer: Int) -> ReportedNumber {
      table.number(column, where: ["layer": "layer \(layer)"], .percent(1))
    }
    document.heading("Which column")
    document.paragraph(
      #"""
      The bias is a weight whose input is always 1. With the input $\bar a = [a; 1]$ no special case is \#
      left, and $A = \mathbb{E}[\bar a \bar a^\top]$ shows where the bias stands: its last \#
      entry is exactly 1, and its last row is the mean input $\mathbb{E}[a]$ with a 1. A program with \#
      the bias first has $A_{00} = 1$; one without a bias coordinate has an $A$ that is one row smaller.
      """#)
    document.paragraph(
      #"""
      There is a reward. KFAC replaces a mean of products by a product of means, and for the bias \#
      block one of the two factors is the constant 1. So there KFAC is exact (P-57), whatever the network:
      """#)
    document.table(
      DocumentTable(
        table,
        caption:
          #"""
          KFAC's relative Frobenius error after \#(given: VecMeasurement.iteration) steps, by part of the layer's block, \#
          and with weights and bias treated apart.
          """#,
        columns: [
          .init("layer", "layer"), .init("whole", "whole block", .percent(1)),
          .init("weights", "weights", .percent(1)),
          .init("cross", "weights against bias", .percent(1)),
          .init("biasBlock", "bias", .percent(1)), .init("apart", "treated apart", .percent(1)),
        ]))
    document.paragraph(
      #"""
      In layer 3 KFAC misses the weights' part by \#(number("weights", 3)) and the bias block by nothing. \#
      Some libraries treat weights and bias apart: then the cross part, $\mathbb{E}[a] \otimes G$, is \#
      set to zero (P-80) and the whole error goes from \#(number("whole", 3)) to \#
      \#(number("apart", 3)). That is a choice, not a mistake, but it has to be said.
      """#)
  }

  static let libraryTable: ResultTable = {
    var table = ResultTable(
      "libraries", "Conventions of papers and libraries, as read.",
      [
        ("source", "paper or library"), ("list", "how parameters are stacked"),
        ("block", "order of the factors"), ("bias", "where the bias is"),
      ])
    let rows = [
      ("Martens and Grosse 2015", "columns", "A ⊗ G", "homogeneous, last"),
      ("THOR paper, Eq. 4 and 5", "not stated; must be columns", "A ⊗ G", "not mentioned"),
      ("curvlinops 3.0.1", "rows", "G ⊗ A", "last column, or apart (default)"),
      ("nngeometry 0.4", "rows of W, then b", "G ⊗ A", "split out of A"),
      ("NumPy and PyTorch, flatten", "rows", "G ⊗ A", "weight and bias are two arrays"),
      ("this suite", "columns", "A ⊗ G", "homogeneous, last"),
    ]
    for row in rows { table.append([row.0, row.1, row.2, row.3].map { .text($0) }) }
    return table
  }()

  private static func libraries(_ document: inout ChapterDocument) {
    document.heading("Who does what")
    document.table(
      DocumentTable(
        libraryTable,
        caption:
          "Conventions as read in the papers and in the source of the versions named; each can be converted to each other.",
        columns: [
          .init("source", "source"), .init("list", "parameters stacked by"),
          .init("block", "block"), .init("bias", "bias"),
        ]))
    document.paragraph(
      #"""
      Layers that are stored transposed, inputs × outputs, add a third option: reading such an array by rows \#
      gives $\mathrm{cvec}$ of our $[W\ b]$. So compare numbers, not names. The safest test layer has \#
      different prime sizes for examples, inputs and outputs, inputs whose mean is not zero and biases that are \#
      not zero: then no wrong order can agree by accident.
      """#)
  }
}
