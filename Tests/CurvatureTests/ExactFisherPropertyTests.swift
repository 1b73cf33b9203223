import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Spec 10.2, P-30 … P-35 and P-41, over the generator: signs, ranks and the two forms of the exact
/// Fisher matrix.
@Suite("The exact Fisher: sign, rank and Gram form")
struct ExactFisherPropertyTests {
  /// Networks whose dense forms stay small; N·K up to 80, P up to 200.
  private static let small = NetworkCase.all.filter { $0.problem.network.layout.count <= 200 }

  @Test("P-30: F is symmetric, and xᵀFx = ‖Uᵀx‖², whatever the Fisher kind")
  func fisherIsAGramMatrix() {
    property("P-30", .equal, oracle: "dsyrk", over: Self.small) { value, checks in
      let test = CurvatureCase(value.problem, value.kind)
      let fisher = ExactFisher(test.samples)
      let dense = try fisher.dense(within: .standard)
      checks.holds(dense == dense.transposed, "symmetric, bit for bit")
      checks.equal(dense, test.fisher, "(1/N) Σ u uᵀ")
      let x = test.source.direction(seed: value.seed + 30)
      let flat = x.flattened
      let projected = fisher.project(x)
      let scale = LAPACK.norm1(dense) * flat.dot(flat)
      checks.equal(
        projected.dot(projected), flat.dot(LAPACK.dgemm(dense, flat)), size: flat.count,
        scale: scale, "‖Uᵀx‖²")
      checks.equal(
        fisher.apply(x).flattened, LAPACK.dgemm(dense, flat),
        scale: LAPACK.norm1(dense) * LAPACK.norm1(Matrix(column: flat)), "U(Uᵀx)")
    }
  }

  @Test("P-30: no eigenvalue of F is negative")
  func fisherIsSemidefinite() {
    property("P-30", .inequality, oracle: "dsyev", over: Self.small) { value, checks in
      let test = CurvatureCase(value.problem, value.kind)
      let dense = try ExactFisher(test.samples).dense(within: .standard)
      checks.atMost(
        0, try LAPACK.dsyev(dense).values[0], size: dense.rowCount, scale: LAPACK.norm1(dense))
    }
  }

  @Test("P-31: rank F ≤ NK, and N(C − 1) for softmax")
  func rankIsBounded() {
    let few = Self.small.with { $0.exampleCount = 1 + $0.exampleCount % 4 }
    property("P-31", .inequality, oracle: "dgesvd", over: few) { value, checks in
      let test = CurvatureCase(value.problem, value.kind)
      let dense = try ExactFisher(test.samples).dense(within: .standard)
      let (n, k) = (test.samples.exampleCount, test.samples.columnCount)
      let isSoftmax = value.likelihood == .categorical
      let bound = isSoftmax ? n * min(k, test.source.network.outputCount - 1) : n * k
      let values = try LAPACK.dgesvd(dense).values
      checks.holds(n * k > 0, "there are columns")
      if bound < values.count {
        checks.atMost(
          values[bound], 0, size: dense.rowCount, scale: values[0], "singular value \(bound + 1)")
      }
    }
  }

  @Test("P-32: the non-zero spectra of F and of its Gram matrix are one")
  func spectraAgree() {
    property("P-32", .equal, oracle: "dsyev twice", over: Self.small) { value, checks in
      let test = CurvatureCase(value.problem, value.kind)
      let gram = try LAPACK.dsyev(try ExactFisher(test.samples).gram()).values.elements
      let fisher = try LAPACK.dsyev(test.fisher).values.elements
      let count = min(gram.count, fisher.count)
      let size = max(gram.count, fisher.count)
      // Eigenvalue by eigenvalue, each known to nε of the largest norm.
      for (ours, theirs) in zip(gram.suffix(count), fisher.suffix(count)) {
        checks.equal(ours, theirs, size: size, scale: LAPACK.norm1(test.fisher))
      }
      for rest in gram.dropLast(count) + fisher.dropLast(count) {
        checks.equal(rest, 0, size: size, scale: LAPACK.norm1(test.fisher), "the others vanish")
      }
    }
  }

  @Test("P-33: the Gram matrix by layer inner products is UᵀU")
  func gramIsTheInnerProducts() {
    property("P-33", .equal, oracle: "dsyrk", over: Self.small) { value, checks in
      let test = CurvatureCase(value.problem, value.kind)
      let expected =
        (1 / Double(test.samples.exampleCount))
        * LAPACK.dsyrk(test.stackedGradients, transposed: true)
      checks.equal(try ExactFisher(test.samples).gram(), expected)
    }
  }

  /// The dampings of a case: relative to the largest eigenvalue, or as they are where F is zero.
  private func dampings(_ test: CurvatureCase) throws -> [Double] {
    let largest = try LAPACK.dsyevd(test.fisher).values.elements.last ?? 0
    return [1, 1e-2, 1e-5, 1e-8].map { $0 * (largest > 0 ? largest : 1) }
  }

  @Test("P-34: Woodbury's solve is the dense solve, and so is the form for right sides U w")
  func gramSolvesLikeTheDenseForm() {
    property("P-34", .equal, oracle: "dpotrs, over κ", over: Self.small, share: 0.5) {
      value, checks in
      let test = CurvatureCase(value.problem, value.kind)
      let fisher = ExactFisher(test.samples)
      var generator = Generator(seed: value.seed)
      let w = generator.vector(test.samples.exampleCount * test.samples.columnCount)
      let image = fisher.combine(w).flattened
      let right = [generator.vector(test.samples.layout.count), test.gradient.flattened]
      for λ in try dampings(test) {
        let damped = try fisher.dampedGram(.exact, λ)
        let matrix = test.fisher.addingToDiagonal(λ)
        let lower = try LAPACK.dpotrf(matrix)
        let κ = LAPACK.norm1(matrix) / λ
        for b in right {
          let x = damped.solve(ParameterVector(b, layout: damped.layout)).flattened
          checks.ratio(.solve(matrix, x, b), "residual, λ = \(λ)")
          checks.ratio(
            .difference(x, try LAPACK.dpotrs(lower: lower, b)).over(condition: κ), "λ = \(λ)")
        }
        checks.ratio(
          .difference(
            damped.solve(imageOf: w).flattened, try LAPACK.dpotrs(lower: lower, image)
          ).over(condition: κ), "U w, λ = \(λ)")
      }
    }
  }

  /// d log det = tr(M⁻¹ dM): n ε κ for n pivots, and the round-off of the sum.
  @Test("P-35: log det(F + λI) = (P − NK) log λ + log det(UᵀU + λI)")
  func logDeterminantOfTheGramForm() {
    property("P-35", .equal, oracle: "dpotrf", over: Self.small, share: 0.5) { value, checks in
      let test = CurvatureCase(value.problem, value.kind)
      for λ in try dampings(test) {
        let matrix = test.fisher.addingToDiagonal(λ)
        let expected = try LAPACK.dpotrf(matrix).diagonal.reduce(0) { $0 + 2 * logarithm($1) }
        checks.equal(
          try ExactFisher(test.samples).dampedGram(.exact, λ).logDeterminant, expected,
          size: matrix.rowCount, scale: LAPACK.norm1(matrix) / λ + abs(expected), "λ = \(λ)")
      }
    }
  }

  /// A unit that is on contributes (wᵀAw) Gᵢᵢ > 0 to the quadratic form, which the cross term between
  /// the two layers cancels in F and which KFAC leaves out.
  @Test("P-41: KFAC does not annihilate the rescaling of a ReLU unit")
  func kfacDoesNotAnnihilateTheRescaling() {
    let generic = NetworkCase.generic.with { $0.activation = .relu }.filter {
      // Some unit of the first hidden layer is on for an example, and so is one behind it.
      let problem = $0.problem
      let tape = problem.network.forward(problem.data.inputs)
      return tape.uses.dropFirst().allSatisfy { use in
        (0..<use.inputs.columnCount).contains { n in
          use.inputs.column(n).elements.dropLast().contains { $0 > 0.1 }
        }
      }
    }
    property("P-41", .counterProperty, oracle: "P-40", over: generic) { value, checks in
      let test = CurvatureCase(value.problem)
      let parameters = test.source.network.parameters
      let fisher = ExactFisher(test.samples)
      let kfac = LayerwiseStructure(test.layers.map { KroneckerBlock.kfac($0) })
      let form = { (x: ParameterVector, y: ParameterVector) in
        x.flattened.dot(y.flattened)
      }
      var largest = 0.0
      for unit in 0..<parameters[0].weights.rowCount {
        var direction = ParameterVector.zero(test.samples.layout)
        for j in 0..<parameters[0].weights.columnCount {
          direction.blocks[0][unit, j] = parameters[0].weights[unit, j]
        }
        for i in 0..<parameters[1].weights.rowCount {
          direction.blocks[1][i, unit] = -parameters[1].weights[i, unit]
        }
        let scale = LAPACK.norm1(test.fisher) * direction.norm * direction.norm
        largest = max(largest, form(direction, kfac.apply(direction)) / scale)
        checks.equal(
          form(direction, fisher.apply(direction)), 0, size: test.samples.layout.count,
          scale: scale, "F annihilates it")
      }
      checks.bounded(largest, atLeast: 1e-6, "KFAC's form over ‖F‖‖δ‖²")
    }
  }
}

extension Cases<NetworkCase> {
  /// The same cases with something fixed.
  fileprivate func with(_ change: @escaping @Sendable (inout NetworkCase) -> Void) -> Cases {
    @Sendable func changed(_ value: NetworkCase) -> NetworkCase {
      var copy = value
      change(&copy)
      return copy
    }
    return Cases(
      edges: edges.map(changed),
      smaller: { value in
        smaller(value).map(changed).filter { $0.description != value.description }
      },
      draw: { changed(draw(&$0)) })
  }
}
