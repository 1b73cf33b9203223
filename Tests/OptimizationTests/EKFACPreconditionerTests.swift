import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// EKFAC with a stale basis and running second moments (spec 5, Amortisation).
@Suite("EKFAC over time")
struct EKFACPreconditionerTests {
  /// Networks whose factors have simple spectra: classes and coins, more examples than inputs.
  static let states: [TrainingState] = (0..<4).map {
    TrainingState(
      NetworkCase(
        .perceptron, .tanh, $0 % 2 == 0 ? .categorical : .bernoulli, seed: 80 + UInt64($0),
        exampleCount: 20))
  }

  /// Two batches and two networks: the state at step 0 and at step 1.
  static func pair(_ index: Int) -> [TrainingState] {
    let start = states[index]
    var (first, second) = (start, start)
    first.batch = start.batch.subset(Array(0..<12))
    second.batch = start.batch.subset(Array(8..<20))
    second.network = start.network.adding(start.gradient, scale: -0.5)
    return [first, second]
  }

  /// Q_A and Q_G of explicit factors by `dsyevd`, and Q = Q_A ⊗ Q_G.
  struct Basis {
    let a: LAPACK.Eigen
    let g: LAPACK.Eigen
    var matrix: Matrix { kronecker(a.vectors, g.vectors) }

    init(_ layer: ExplicitLayer) throws {
      a = try LAPACK.dsyevd(layer.a)
      g = try LAPACK.dsyevd(layer.g)
    }

    /// diag(Qᵀ F Q), where Q has cvec's order.
    func moments(_ fisher: Matrix) -> [Double] {
      let q = matrix
      return LAPACK.dgemm(LAPACK.dgemm(q, fisher, transposeA: true), q).diagonal
    }

    /// Q diag(s + λ) Qᵀ.
    func damped(_ s: [Double], _ λ: Double) -> Matrix {
      let q = matrix
      let scaled = Matrix(rowCount: q.rowCount, columnCount: q.columnCount) {
        q[$0, $1] * (s[$1] + λ)
      }
      return LAPACK.dgemm(scaled, q, transposeB: true).symmetrized
    }
  }

  static func options(
    basis: Int = 1, decay: Double = 0.95, _ moments: EKFACPreconditioner.Moments = .perExample,
    restart: EKFACPreconditioner.Restart = .batch
  ) -> EKFACPreconditioner.Options {
    var options = EKFACPreconditioner.Options()
    options.averaging = .fresh
    options.lambda = .constant(0.1)
    options.basisInterval = .constant(basis)
    options.decay = decay
    options.moments = moments
    options.restart = restart
    return options
  }

  @Test(
    "With interval 1 and fresh factors it is the structure ekfac, bit for bit", arguments: 0..<4)
  func freshIsTheStructure(index: Int) throws {
    var amortised = try EKFACPreconditioner(Self.options())
    var fresh = NaturalGradientPreconditioner(
      structure: .ekfac, rule: .exact, lambda: .constant(0.1))
    for (step, state) in Self.pair(index).enumerated() {
      let point = state.point(step: step)
      let gradient = state.gradient
      #expect(
        try amortised.direction(for: gradient, at: point)
          == fresh.direction(for: gradient, at: point))
    }
  }

  /// The direction at the second state, and s of every layer by the given rule from
  /// (basis of the first state, first layer, second layer, second gradient, its N).
  private func check(
    _ index: Int, _ options: EKFACPreconditioner.Options,
    _ moments: (Basis, ExplicitLayer, ExplicitLayer, Matrix, Int) -> [Double]
  ) throws {
    let states = Self.pair(index)
    var optimizer = try EKFACPreconditioner(options)
    _ = try optimizer.direction(for: states[0].gradient, at: states[0].point(step: 0))
    let gradient = states[1].gradient
    let direction = try optimizer.direction(for: gradient, at: states[1].point(step: 1))
    let (old, new) = (states[0].layers(), states[1].layers())
    var checks = Checks()
    for layer in old.indices {
      let basis = try Basis(old[layer])
      let s = moments(basis, old[layer], new[layer], gradient.blocks[layer], states[1].batch.count)
      // Simple spectra: eigenvectors are known to ε/gap.
      for values in [basis.a.values.elements, basis.g.values.elements] {
        let gap = zip(values.dropFirst(), values).map { $0 - $1 }.min() ?? 1
        try #require(gap > 1e-7 * values[values.count - 1], "layer \(layer)")
      }
      let expected = try LAPACK.dposv(basis.damped(s, 0.1), cvec(gradient.blocks[layer]))
      expectAtMost(
        (cvec(direction.blocks[layer]) - expected).norm, 1e-7 * expected.norm, "layer \(layer)")
      checks.holds(s.allSatisfy { $0 > -1e-12 }, "moments")
    }
    #expect(checks.holds)
  }

  @Test(
    "In a stale basis S is diag(Qᵀ F Q) of the batch at hand when nothing is kept", arguments: 0..<4
  )
  func staleBasis(index: Int) throws {
    try check(index, Self.options(basis: 10, decay: 0)) { basis, _, new, _, _ in
      basis.moments(new.fisher)
    }
  }

  @Test("S runs: ρ S + (1 − ρ) S_batch in the stale basis", arguments: 0..<4)
  func runningMoments(index: Int) throws {
    try check(index, Self.options(basis: 10, decay: 0.7)) { basis, old, new, _, _ in
      zip(basis.moments(old.fisher), basis.moments(new.fisher)).map { 0.7 * $0 + 0.3 * $1 }
    }
  }

  @Test("S of the batch gradient is N (Q_Gᵀ V Q_A)², from KFAC's γαᵀ on", arguments: 0..<4)
  func batchGradientMoments(index: Int) throws {
    try check(index, Self.options(basis: 10, decay: 0.7, .batchGradient, restart: .kfac)) {
      basis, _, _, gradient, count in
      let rotated = LAPACK.dgemm(
        LAPACK.dgemm(basis.g.vectors, gradient, transposeA: true), basis.a.vectors)
      return rotated.storage.enumerated().map { place, value in
        let (i, j) = (place % rotated.rowCount, place / rotated.rowCount)
        let start = max(basis.g.values[i], 0) * max(basis.a.values[j], 0)
        return 0.7 * start + 0.3 * Double(count) * value * value
      }
    }
  }

  @Test(
    "Restarted at γαᵀ the first step is KFAC's exact damped solve, at the batch EKFAC's",
    arguments: 0..<4)
  func restarts(index: Int) throws {
    let state = Self.pair(index)[0]
    let gradient = state.gradient
    var checks = Checks()
    var kfac = try EKFACPreconditioner(Self.options(restart: .kfac))
    let first = try kfac.direction(for: gradient, at: state.point())
    for (layer, explicit) in state.layers().enumerated() {
      try checks.solves(
        first.blocks[layer], explicit.damped(.exact, 0.1), gradient.blocks[layer], "γαᵀ")
    }
    var batch = try EKFACPreconditioner(Self.options(restart: .batch))
    let second = try batch.direction(for: gradient, at: state.point())
    for (layer, explicit) in state.layers().enumerated() {
      let basis = try Basis(explicit)
      try checks.solves(
        second.blocks[layer], basis.damped(basis.moments(explicit.fisher), 0.1),
        gradient.blocks[layer], "the batch")
    }
    #expect(checks.holds, "\(checks.measurements.filter { !$0.holds })")
    expectDifferent(first.flattened, second.flattened, relative: 1e-4)
  }

  @Test("A new basis restarts S; between two the factors are averaged, the basis is not touched")
  func newBasesRestart() throws {
    let states = Self.pair(0)
    var options = Self.options(basis: 2, decay: 0.7)
    options.averaging = .martensGrosse(most: 0.95)
    var optimizer = try EKFACPreconditioner(options)
    for step in 0..<2 {
      _ = try optimizer.direction(
        for: states[step].gradient, at: states[step].point(step: step))
    }
    // At step 2 the third batch enters the mean of three, and S is that of the batch alone.
    let gradient = states[0].gradient
    let direction = try optimizer.direction(for: gradient, at: states[0].point(step: 2))
    let (first, second) = (states[0].layers(), states[1].layers())
    let samples = states[0].point().samples(
      .exact, blocks: Array(states[0].network.parameters.indices))
    for index in first.indices {
      let third = 1.0 / 3
      let a = 2 * third * first[index].a + third * second[index].a
      let g = 2 * third * first[index].g + third * second[index].g
      let block = try EigenbasisBlock.ekfac(
        LayerSamples(samples, block: index), basisOf: (KroneckerFactor(a), KroneckerFactor(g)))
      let expected = try block.damped(.exact, 0.1).solve(
        ParameterVector(blocks: [gradient.blocks[index]])
      ).blocks[0]
      expectAtMost(
        frobenius(direction.blocks[index] - expected), 1e-7 * frobenius(expected), "\(index)")
    }
  }

  @Test("Factors and moments rest between two factor steps")
  func factorIntervals() throws {
    let states = Self.pair(1)
    var options = Self.options(basis: 4, decay: 0.7)
    options.factorInterval = .constant(2)
    var rare = try EKFACPreconditioner(options)
    _ = try rare.direction(for: states[0].gradient, at: states[0].point(step: 0))
    var archive = Archive(savingFor: states[0].network.layout)
    try rare.exchange(&archive)
    _ = try rare.direction(for: states[1].gradient, at: states[1].point(step: 1))
    var after = Archive(savingFor: states[0].network.layout)
    try rare.exchange(&after)
    let name = "curvature.layer1.second-moments"
    #expect(archive.arrays[name] != nil && after.arrays[name] == archive.arrays[name])
    _ = try rare.direction(for: states[1].gradient, at: states[1].point(step: 2))
    try rare.exchange(&after)
    #expect(after.arrays[name] != archive.arrays[name])
  }
}
