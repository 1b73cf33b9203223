import Curvature
import DenseAlgebra
import Networks

extension CurvatureRecipe {
  /// Runs every stage on a setting.
  ///
  /// An inverse that does not exist and everything after it are left out of the dump; so is EKFAC
  /// where an eigenvalue gap of A or G is below 1e-8 of the largest, as its basis is not determined.
  public func dump(_ setting: CurvatureSetting) -> CurvatureDump {
    let tape = setting.network.forward(setting.data.inputs)
    let likelihood = likelihood(setting)
    let loss = layers(
      setting, tape, columns: [likelihood.gradient(tape.output, setting.data.targets)])
    let curvature = records(
      setting, tape, layers(setting, tape, columns: columns(setting, likelihood, tape.output)))
    var dump = CurvatureDump()
    for (index, samples) in curvature.enumerated() {
      let layer = "layer\(index + 1)"
      let v = gradient(setting, loss[index])
      let factors = KFACFactors(
        a: average(setting, a(setting, samples)), g: average(setting, g(setting, samples)))
      dump["\(layer).gradient"] = v
      dump["\(layer).A"] = factors.a
      dump["\(layer).G"] = factors.g
      dump["\(layer).diagonal"] = diagonal(samples, v)
      addStep(to: &dump, layer, setting, v, factors, samples)
      addSplit(to: &dump, layer, setting, v, factors)
      addEKFAC(to: &dump, layer, setting, v, factors, samples)
    }
    addConjugateGradients(to: &dump, setting, curvature)
    return dump
  }

  /// The samples of every layer for the given columns, through the recipe's own pullback.
  func layers(_ setting: CurvatureSetting, _ tape: Tape, columns: [Matrix]) -> [LayerSamples] {
    let pulled = columns.map { pullback(setting, $0, tape) }
    let parameters = setting.network.parameters
    let blocks = parameters.indices.map { index in
      GradientSamples.Block(
        name: parameters[index].name, rowCount: parameters[index].weights.rowCount,
        columnCount: parameters[index].weights.columnCount, hasBias: parameters[index].hasBias,
        uses: tape.uses.indices.filter { tape.uses[$0].block == index }.map { use in
          GradientSamples.Use(
            inputs: tape.uses[use].inputs, gradients: pulled.map { $0[use] },
            positions: tape.uses[use].positions)
        })
    }
    let samples = GradientSamples(
      exampleCount: setting.data.count, columnCount: columns.count, blocks: blocks, chain: [])
    return blocks.indices.map { LayerSamples(samples, block: $0) }
  }

  /// The damped inverses and the step of KFAC under the setting's rule.
  private func addStep(
    to dump: inout CurvatureDump, _ layer: String, _ setting: CurvatureSetting, _ v: Matrix,
    _ factors: KFACFactors, _ samples: LayerSamples
  ) {
    let damping = "\(setting.rule.rawValue).\(setting.lambda)"
    if let shifts = shifts(setting, factors) {
      guard let (inverseA, inverseG) = try? inverses(self, setting, samples, factors, shifts)
      else { return }
      dump["\(layer).A.inverse.\(damping)"] = inverseA
      dump["\(layer).G.inverse.\(damping)"] = inverseG
      dump["\(layer).step.kfac.\(damping)"] = step(
        v,
        DampedFactors(
          a: factors.a, g: factors.g, shifts: shifts, inverseA: inverseA, inverseG: inverseG))
    } else if let (qA, α) = try? KroneckerFactor(factors.a).eigendecomposition(),
      let (qG, γ) = try? KroneckerFactor(factors.g).eigendecomposition()
    {
      let eigenvalues = Matrix(rowCount: γ.count, columnCount: α.count) {
        dampedEigenvalue(α[$1], γ[$0], setting.lambda)
      }
      dump["\(layer).step.kfac.\(damping)"] = solve(v, qA, qG, eigenvalues)
    }
  }

  /// S and the step of EKFAC, S + λ in the eigenbasis.
  private func addEKFAC(
    to dump: inout CurvatureDump, _ layer: String, _ setting: CurvatureSetting, _ v: Matrix,
    _ factors: KFACFactors, _ samples: LayerSamples
  ) {
    guard let qA = basis(factors.a), let qG = basis(factors.g),
      qA.rowCount == samples.inputSize, qG.rowCount == samples.outputSize,
      let s = secondMoments(samples, v, qA, qG)
    else { return }
    dump["\(layer).second-moments"] = s
    dump["\(layer).step.ekfac.exact.\(setting.lambda)"] = solve(
      v, qA, qG, s.map { $0 + setting.lambda })
  }

  /// The eigenvectors of a factor, where its eigenvalues are simple enough to determine them up to the
  /// sign; `withPositiveColumns` determines that.
  private func basis(_ factor: Matrix) -> Matrix? {
    guard let decomposition = try? SymmetricEigendecomposition(factor) else { return nil }
    let values = decomposition.values.elements
    let gaps = zip(values.dropFirst(), values).map { $0 - $1 }
    let largest = values.map(\.magnitude).max() ?? 0
    return gaps.allSatisfy { $0 > 1e-8 * largest } ? decomposition.vectors.withPositiveColumns : nil
  }

  /// The solution in an eigenbasis; nil where the sizes do not fit.
  private func solve(_ v: Matrix, _ qA: Matrix, _ qG: Matrix, _ eigenvalues: Matrix) -> Matrix? {
    guard v.rowCount == qG.rowCount, v.columnCount == qA.rowCount else { return nil }
    return basisSolve(v, qA, qG, eigenvalues)
  }
}

extension Matrix {
  /// Each column times ±1, so that its largest entry is positive, the first one where several are equal
  /// to rounding.
  ///
  /// Where a mistake takes eigenvectors for rows their signs do not cancel, and every eigensolver
  /// chooses its own: what is dumped must not depend on that.
  var withPositiveColumns: Matrix {
    let signs = (0..<columnCount).map { j -> Double in
      let entries = column(j).elements
      let largest = entries.reduce(0) { max($0, $1.magnitude) }
      let leading = entries.first { $0.magnitude >= (1 - 1e-9) * largest } ?? 1
      return leading < 0 ? -1 : 1
    }
    return Matrix(rowCount: rowCount, columnCount: columnCount) { self[$0, $1] * signs[$1] }
  }
}
