import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The README's table: each algorithm, end to end, against LAPACK on explicit dense matrices built
/// from the gradient samples by `DefinedLayer`, which shares no code with Sources/Curvature.
@Suite("Each algorithm, end to end, against LAPACK")
struct LapackComparisonTests {
  func gradient(_ test: CurvatureCase, _ index: Int) -> ParameterVector {
    ParameterVector(blocks: [test.gradient.blocks[index]])
  }

  @Test("Exact FIM = dsyrk, dposv, dpotri and dsyevd", arguments: LapackComparisonCase.all)
  func fisher(case input: LapackComparisonCase) throws {
    let test = input.curvature()
    let exact = ExactFisher(test.samples)
    let fisher = test.fisher
    try LapackRow(
      "exact FIM", .exact, oracle: "dsyrk, dposv, dpotri", "\(input)", seed: input.seed
    ).compare(
      try exact.damped(.exact, input.λ), with: fisher.addingToDiagonal(input.λ),
      gradient: test.gradient)
    try LapackRow("exact FIM", .none, oracle: "dsyrk, dsyevd", "\(input)", seed: input.seed)
      .comparePseudoInverse(
        try exact.damped(.none, 0), with: fisher, gradient: test.gradient)
  }

  @Test(
    "KFAC and its split under every rule = the explicit Kronecker product, dposv, dpotri, dsyevd",
    arguments: LapackComparisonCase.all)
  func kfac(case input: LapackComparisonCase) throws {
    let test = input.curvature()
    for (index, defined) in test.defined.enumerated() {
      let (a, g) = defined.factors()
      let name = "\(input), layer \(index)"
      let layer = test.layers[index]
      for (algorithm, block, a, g) in [
        ("KFAC", KroneckerBlock.kfac(layer), a, g),
        (
          "KFAC split", KroneckerBlock.kfacSplit(layer, split: 2), pinching(a, 2), pinching(g, 2)
        ),
      ] {
        for rule in DampingRule.allCases {
          let row = LapackRow(
            algorithm, rule, oracle: rule == .none ? "dsyrk, dsyevd" : "dsyrk, dposv, dpotri", name,
            seed: input.seed)
          let matrix = damped(a, g, rule, input.λ)
          let found = try block.damped(rule, rule == .none ? 0 : input.λ)
          if rule == .none {
            try row.comparePseudoInverse(found, with: matrix, gradient: gradient(test, index))
          } else {
            try row.compare(found, with: matrix, gradient: gradient(test, index))
          }
        }
      }
    }
  }

  /// The smallest gap between two eigenvalues over the largest; those at round-off count as one.
  func smallestGap(_ values: [Double]) -> Double {
    let largest = values.last ?? 0
    guard largest > 0 else { return 1 }
    let clear = values.filter { $0 > 1e-13 * largest }
    return zip(clear, clear.dropFirst()).reduce(clear.count < values.count ? clear[0] / largest : 1)
    {
      min($0, ($1.1 - $1.0) / largest)
    }
  }

  /// Eigenvectors move by ε/gap, and equal eigenvalues leave EKFAC undetermined (spec 5): where a gap is
  /// small, Q is taken from the block, which must be a basis that diagonalises A and G.
  @Test(
    "EKFAC = the eigenvectors of dsyevd, diag(QᵀFQ), dposv, dpotri",
    arguments: LapackComparisonCase.all)
  func ekfac(case input: LapackComparisonCase) throws {
    let test = input.curvature()
    for (index, defined) in test.defined.enumerated() {
      let block = try EigenbasisBlock.ekfac(test.layers[index])
      let (a, g) = defined.factors()
      let (first, second) = (try LAPACK.dsyevd(a), try LAPACK.dsyevd(g))
      let gap = min(smallestGap(first.values.elements), smallestGap(second.values.elements))
      let isDetermined = gap > 1e-4
      let name = "\(input), layer \(index)"
      if !isDetermined {
        try expectDiagonalises(block.inputBasis, a, name, seed: input.seed)
        try expectDiagonalises(block.outputBasis, g, name, seed: input.seed)
      }
      let q =
        isDetermined
        ? kronecker(first.vectors, second.vectors)
        : kronecker(block.inputBasis, block.outputBasis)
      let rotated = LAPACK.dgemm(q, defined.gradients, transposeA: true)
      let s = (0..<defined.size).map { row in
        rotated.row(row).dot(rotated.row(row)) / Double(defined.exampleCount)
      }
      let matrix = LAPACK.dgemm(LAPACK.dgemm(q, .diagonal(s)), q, transposeB: true).symmetrized
      let algorithm = isDetermined ? "EKFAC, error·gap" : "EKFAC, repeated eigenvalues"
      let basis = isDetermined ? "dsyevd" : "dgemm"
      // Not determined by A and G means not comparable with another basis, but exact in its own.
      let sensitivity = isDetermined ? 1 / gap : 1
      try LapackRow(
        algorithm, .exact, oracle: "\(basis), dposv, dpotri", name, seed: input.seed
      ).compare(
        try block.damped(.exact, input.λ), with: matrix.addingToDiagonal(input.λ),
        gradient: gradient(test, index), sensitivity: sensitivity)
      try LapackRow(algorithm, .none, oracle: "\(basis), dsyevd", name, seed: input.seed)
        .comparePseudoInverse(
          try block.damped(.none, 0), with: matrix, gradient: gradient(test, index),
          sensitivity: sensitivity)
    }
  }

  func expectDiagonalises(_ q: Matrix, _ m: Matrix, _ name: String, seed: UInt64) throws {
    expectRatio(.orthogonality(q), name, seed: seed)
    let rotated = LAPACK.dgemm(q, LAPACK.dgemm(m, q), transposeA: true)
    expectRatio(
      Ratio(
        rotated, against: .diagonal(rotated.diagonal), size: m.rowCount,
        scale: LAPACK.norm1(m)), name, seed: seed)
  }

  @Test(
    "CG-FAC, both operators = the explicit matrix and dposv", arguments: LapackComparisonCase.all)
  func conjugateGradients(case input: LapackComparisonCase) throws {
    let test = input.curvature()
    let λ = max(input.λ, 0.03)
    for operation in MatrixFreeSolver.Operator.allCases {
      let solver = MatrixFreeSolver(operation, iteration: MatrixFreeTests.exact)
      let (step, _) = try solver.solve(test.layers, test.gradient, lambda: λ)
      for (index, defined) in test.defined.enumerated() {
        let matrix = MatrixFreeTests.dense(defined, operation, λ)
        let layer = test.layers[index]
        let found =
          operation == .kfac
          ? ImplicitKroneckerOperator(layer, lambda: λ).dense()
          : ExactBlockOperator(layer, lambda: λ).dense()
        let right = Vector(test.gradient.blocks[index].storage)
        let solution = Vector(step.blocks[index].storage)
        LapackRow(
          "CG-FAC, \(operation.rawValue)", .exact, oracle: "dsyrk, dposv",
          "\(input), layer \(index)", seed: input.seed
        ).expect([
          ("operator", .difference(found, matrix)),
          ("residual", .solve(matrix, solution, right)),
          (
            "step, error/κ",
            solutionRatio(
              solution, try LAPACK.dposv(matrix, right),
              condition: LAPACK.norm1(matrix) * LAPACK.norm1(try LAPACK.dpotri(matrix)))
          ),
        ])
      }
    }
  }
}
