import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// Chapter 05: what KFAC drops of the Fisher matrix, what that depends on, and where it is nothing.
enum KFACChapter {
  static let chapter = Chapter(
    5, "kfac", title: "KFAC: what it drops, and when it drops nothing",
    goal: "Name the two things that KFAC drops from the Fisher matrix, measure both, and say when "
      + "nothing is lost.",
    minutes: 80, prerequisites: [2, 4],
    seedItem: "THOR, Equations 3 to 6; CG-FAC note, Algorithm 1 and Equation 8"
  ) { context in
    var document = ChapterDocument(
      ConventionCard([
        "Network":
          #"""
        784-20-20-20-10 with ReLU on Fashion-MNIST; layers 2 to 4 trained by KFAC, layer 1 by \#
        gradient descent, as in chapter 09; batches of \#(given: ComparisonOptions().batch)
        """#,
        "Layer": #"input $\bar a$ with a last entry 1 for the bias, output side $g$"#,
        "Error": "relative Frobenius error unless the text says otherwise",
      ]),
      setup: """
        layer4 = np.load(DATA / "05-layer4.npz")
        dropped = pd.read_csv(DATA / "05-dropped.csv")
        growth = pd.read_csv(DATA / "05-growth.csv")
        """)
    var findings = Findings()
    let measured = try KFACMeasurement(context)
    whatIsDropped(measured, &document, &findings)
    onWhatItDepends(measured, &document, &findings)
    try whereItIsExact(measured, &document, &findings)
    try sumOrMean(measured, &document, &findings)
    exercises(&document, &findings)
    document.data("layer4", arrays(measured.states[0]))
    document.data(findings.table)
    return document
  }

  /// Inputs and probabilities of the last layer, from which its block can be made.
  private static func arrays(_ state: KFACMeasurement.State) -> [(
    name: String, array: NumericArray
  )] {
    let probabilities = KFACMeasurement.softmax(state.network.forward(state.batch.inputs).output)
    return [
      ("inputs", NumericArray(state.layers[2].inputs)),
      ("probabilities", NumericArray(probabilities)),
    ]
  }

  // MARK: The two steps

  private static func whatIsDropped(
    _ measured: KFACMeasurement, _ document: inout ChapterDocument, _ findings: inout Findings
  ) {
    let table = measured.droppedTable
    document.data(table)
    let across = table.number("across", row: 0, .percent(1))
    let within = table.number("within", row: 0, .percent(1))
    let total = table.number("total", row: 0, .percent(1))
    let squared = findings.report(
      "squared norm between layers",
      measured.dropped[0].acrossLayers * measured.dropped[0].acrossLayers,
      "share of ‖F‖² that lies between layers, seed 1", .percent(0))
    document.heading("The question")
    document.paragraph(
      #"""
      A layer of 20 units with 20 inputs and a bias has 420 parameters, so its part of the Fisher \#
      matrix $F$ has 420 rows and columns. KFAC keeps one matrix with 21 rows and one with 20 \#
      instead. Layers 2 to 4 of 784-20-20-20-10, the network of the THOR paper's Figure 4 (which \#
      prints 768 inputs), have 1050 parameters and more than a million entries of $F$; KFAC \#
      stores about two thousand numbers. What is lost on the way, and does it come back with more \#
      data?
      """#)
    document.heading("Two steps from F to KFAC")
    document.paragraph(
      #"""
      What is needed from [chapter 04](04-vec-and-kronecker.md), in short. $X \otimes Y$ is the \#
      matrix of all blocks $x_{ij} Y$, and $\mathrm{vec}$ stacks the columns of a matrix. Then:
      """#)
    document.list([
      #"$\mathrm{vec}(g a^\top) = a \otimes g$ and $(a \otimes g)(a \otimes g)^\top = a a^\top \otimes g g^\top$;"#,
      #"$(X \otimes Y) \, \mathrm{vec}(V) = \mathrm{vec}(Y V X^\top)$ and $(X \otimes Y)^{-1} = X^{-1} \otimes Y^{-1}$;"#,
      #"trace and Frobenius norm of $X \otimes Y$ are the products of those of $X$ and $Y$."#,
    ])
    document.paragraph(
      #"""
      Take one layer. For example $n$ of $N$, let $\bar a_n$ be its input, with a last entry 1 \#
      for the bias. The exact Fisher sends as many vectors backward as there are classes (chapter \#
      02); let $g_{n,c}$ be what arrives of vector $c$ at the layer's output, before the \#
      activation. The gradient of the layer's weights is the matrix $g_{n,c}\bar a_n^\top$, as a \#
      vector $\bar a_n \otimes g_{n,c}$. The layer's block $F_\ell$ of the Fisher matrix is the \#
      sum of the outer products of these vectors over $c$, and the mean over $n$. With \#
      $\Gamma_n = \sum_c g_{n,c} g_{n,c}^\top$, one small matrix for each example,
      """#)
    document.mathematics(
      #"F_\ell = \frac1N \sum_{n=1}^{N} \bar a_n \bar a_n^\top \otimes \Gamma_n ."#)
    document.paragraph(
      #"""
      KFAC goes from $F$ to a cheap matrix in two steps. First it sets all entries to zero that \#
      belong to parameters of two different layers. Then it replaces, in each layer, the mean of \#
      the products by the product of the means:
      """#)
    document.mathematics(
      #"F_\ell \approx A \otimes G, \qquad A = \frac1N \sum_n \bar a_n \bar a_n^\top, \qquad G = \frac1N \sum_n \Gamma_n ."#
    )
    document.paragraph(
      #"""
      These are Equations 3 and 4 of the THOR paper, and Equation 8 of the CG-FAC note. A layer's \#
      natural-gradient step $U$ for the gradient $V$ solves $(A \otimes G) \, \mathrm{vec}(U) = \#
      \mathrm{vec}(V)$, so $U = G^{-1} V A^{-1}$: two small systems (THOR, Equation 5). This is \#
      why the second step from $F$ is worth making.
      """#)
    document.predict(
      Prediction(
        #"""
        The network is 784-20-20-20-10 on Fashion-MNIST after ten iterations, and $F$ is that of \#
        layers 2 to 4. Which of the two steps drops more of $F$, measured as the Frobenius norm \#
        of what is dropped?
        """#,
        options: [
          "the first: two thirds of all entries lie between layers",
          "the second: the entries between layers are close to zero",
          "both about the same",
        ],
        answer: #"""
          A. The first step drops \#(across) of the norm of $F$, the second changes \#(within), \#
          and both together \#(total). The order is the same for all five seeds in the table \#
          below.
          """#))
    document.figure(
      Figure(
        "matrices", measured.matricesFigure,
        caption: #"""
          Above: $F$, its three diagonal blocks, and KFAC. Below, in the same colours: what the \#
          first step drops, what the second step changes, and both. Dashed lines separate the \#
          layers.
          """#,
        alternativeText: #"""
          Six heat maps of 1050 by 1050 entries. F has structure everywhere, also between layers. \#
          The block-diagonal matrix and KFAC look alike, but their difference is not empty: it \#
          fills the three blocks. The dropped part between layers has \#(across) of the norm of \#
          F, the difference inside the blocks \#(within).
          """#,
        tables: ["dropped"]))
    document.paragraph(
      #"""
      The two losses lie in different entries of the matrix, so their squares add: $\lVert F - \#
      \mathrm{KFAC}\rVert^2 = \lVert F - \mathrm{blocks}\rVert^2 + \lVert \mathrm{blocks} - \#
      \mathrm{KFAC}\rVert^2$. Here \#(squared) of the squared norm of $F$ lies between layers, \#
      and KFAC gives it up before any Kronecker product is made. The rest of the chapter is about \#
      the second step. Its panel is a warning about heat maps: the block-diagonal matrix and KFAC \#
      look alike above, and their difference is not small.
      """#)
    document.table(
      DocumentTable(
        table,
        caption:
          #"""
          Relative Frobenius errors for five seeds: of each step on layers 2 to 4 together, and \#
          of KFAC in each layer's own block.
          """#,
        columns: [
          .init("seed", "seed"), .init("across", "first step", .fixed(3)),
          .init("within", "second step", .fixed(3)), .init("total", "both", .fixed(3)),
          .init("layer2", "KFAC in layer 2", .fixed(3)),
          .init("layer3", "KFAC in layer 3", .fixed(3)),
          .init("layer4", "KFAC in layer 4", .fixed(3)),
        ]))
    document.source(SourceExcerpt("Sources/Curvature/KFAC.swift", "kfac-factors"))
    document.paragraph(
      #"""
      The excerpt is the whole of KFAC's statistics. It never pairs an input with a gradient. \#
      Applying the result needs no large matrix either:
      """#)
    document.source(SourceExcerpt("Sources/Curvature/KroneckerBlock.swift", "kronecker-apply"))
    document.caveat(
      #"""
      A smaller error of the matrix does not make a better optimizer. Steps are made with a \#
      damped inverse, and the damping hides some errors and enlarges others ([chapter \#
      06](06-damping.md)). The numbers above also depend on the network, the start and the \#
      iteration.
      """#)
  }
}
