import Curvature
import DataFiles
import DenseAlgebra
import Networks

extension Quantities {
  /// The Fisher matrices of all compared layers together.
  mutating func addFisher(_ state: QuantityState) throws {
    guard let fisher = state.fisher, let empirical = state.empiricalFisher else { return }
    try add("fisher", dense: fisher, state.layout, state.options)
    try add("fisher.empirical", dense: empirical, state.layout, state.options)
    try addEigenvalues("fisher.eigenvalues", of: fisher)
  }

  /// The gradient, the factors and the exact block of one layer.
  mutating func addLayer(_ state: QuantityState, _ index: Int) throws {
    let layer = "layer\(state.numbers[index])"
    let limit = state.options.limit
    for (factor, size) in [
      ("A", state.layers[index].inputSize), ("G", state.layers[index].outputSize),
    ] {
      try limit.require(
        rows: size, columns: size, for: "factor \(factor) of \(layer)",
        advice: "leave the layer out (--layers)")
    }
    let factors = KFACFactors(state.layers[index])
    let empirical = KFACFactors(state.empiricalLayers[index])
    try add("\(layer).gradient", NumericArray(state.gradient.blocks[index]))
    try add("\(layer).A", NumericArray(factors.a))
    try add("\(layer).G", NumericArray(factors.g))
    // Structures multiply entries of A by entries of G, and norms square the product.
    let scale = factors.a.trace * factors.g.trace
    guard (scale * scale).isFinite else {
      throw DataFileError(
        "The product of the traces of \(layer).A and \(layer).G is \(scale), and a number below "
          + "1e154 is expected: inputs or weights are too large. Scale the inputs as in training.")
    }
    try add("\(layer).G.empirical", NumericArray(empirical.g))
    try addEigenvalues("\(layer).A.eigenvalues", of: factors.a)
    try addEigenvalues("\(layer).G.eigenvalues", of: factors.g)
    guard let fisher = state.fisher, let empiricalFisher = state.empiricalFisher else { return }
    let layout = state.layout(ofLayer: index)
    let block = state.block(fisher, index)
    try add("\(layer).block", dense: block, layout, state.options)
    try add(
      "\(layer).block.empirical", dense: state.block(empiricalFisher, index), layout,
      state.options)
    try addEigenvalues("\(layer).eigenvalues", of: block)
  }

  /// The Kronecker-factored approximations of one layer's block, as matrices.
  mutating func addApproximations(_ state: QuantityState, _ index: Int) throws {
    let layer = "layer\(state.numbers[index])"
    let samples = state.layers[index]
    let options = state.options
    for kind in options.structures {
      let structure: any MatrixStructure
      switch kind {
      case .kfac: structure = KroneckerBlock.kfac(samples)
      case .kfacSplit: structure = KroneckerBlock.kfacSplit(samples, split: options.split)
      case .nearestKronecker: structure = try KroneckerBlock.nearestKronecker(samples)
      case .tkfac: structure = KroneckerBlock.tkfac(samples)
      case .ekfac:
        let ekfac = try EigenbasisBlock.ekfac(samples)
        try add("\(layer).second-moments", NumericArray(ekfac.secondMoments))
        try add("\(layer).A.eigenvectors", NumericArray(ekfac.inputBasis))
        try add("\(layer).G.eigenvectors", NumericArray(ekfac.outputBasis))
        structure = ekfac
      case .exact, .blockDiagonal, .blockTridiagonal, .diagonal, .unitWise, .klKronecker: continue
      }
      guard options.includesDense else { continue }
      try add(
        "\(layer).\(options.name(of: kind))", dense: structure.dense(within: options.limit),
        samples.layout, options)
    }
  }
}
