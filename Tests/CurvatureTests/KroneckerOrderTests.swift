import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Which approximations have no fixed order (spec 8): found by a search over networks.
@Suite("Orders that do not always hold")
struct KroneckerOrderTests {
  /// Small batches of perceptrons; the listed seeds show the rarer orders, which the search found.
  static func cases(_ seeds: [UInt64]) -> Cases<NetworkCase> {
    @Sendable func network(_ seed: UInt64) -> NetworkCase {
      NetworkCase(
        .perceptron, Activation.allCases[Int(seed % 5)], RandomNetwork.likelihoods[Int(seed % 3)],
        seed: seed, exampleCount: 2 + Int(seed % 3))
    }
    return Cases(edges: seeds.map(network), draw: { network($0.next() % 100_000) })
  }

  /// The largest ratio error(second)/error(first) of any layer whose errors are not round-off.
  static func advantage(
    _ test: NetworkCase, of first: (LayerSamples) throws -> any MatrixStructure,
    over second: (LayerSamples) throws -> any MatrixStructure
  ) throws -> Double {
    try test.layers.reduce(0) { largest, layer in
      let unit = 1 / layer.scale
      let near = frobenius(
        unit * (layer.fisher - (try first(layer.samples).dense(within: .standard))))
      let far = frobenius(
        unit * (layer.fisher - (try second(layer.samples).dense(within: .standard))))
      return far < 1e-6 ? largest : max(largest, far / max(near, 1e-6))
    }
  }

  @Test("P-88: EKFAC can be nearer to F than the nearest Kronecker product, and further")
  func ekfacAgainstNearest() {
    let ekfac: @Sendable (LayerSamples) throws -> any MatrixStructure = {
      try EigenbasisBlock.ekfac($0)
    }
    let nearest: @Sendable (LayerSamples) throws -> any MatrixStructure = {
      try KroneckerBlock.nearestKronecker($0)
    }
    for (claim, first, second) in [
      ("EKFAC can be nearer to F than the nearest Kronecker product", ekfac, nearest),
      ("EKFAC can be further from F than the nearest Kronecker product", nearest, ekfac),
    ] {
      property(
        "P-88", .counterProperty, oracle: "dlange, search", claim: claim,
        over: Self.cases([5, 116, 275]),
        holds: .some
      ) { test, checks in
        checks.bounded(
          try Self.advantage(test, of: first, over: second), atLeast: 1.01, "ratio of errors")
      }
    }
  }

  @Test("P-95: TKFAC can be nearer to F than KFAC, and further")
  func tkfacAgainstKFAC() {
    let tkfac: @Sendable (LayerSamples) throws -> any MatrixStructure = { KroneckerBlock.tkfac($0) }
    let kfac: @Sendable (LayerSamples) throws -> any MatrixStructure = { KroneckerBlock.kfac($0) }
    for (claim, first, second) in [
      ("TKFAC can be nearer to F than KFAC", tkfac, kfac),
      ("TKFAC can be further from F than KFAC", kfac, tkfac),
    ] {
      property(
        "P-95", .counterProperty, oracle: "dlange, search", claim: claim,
        over: Self.cases([658, 852, 1205, 3555]),
        holds: .some
      ) { test, checks in
        checks.bounded(
          try Self.advantage(test, of: first, over: second), atLeast: 1.01, "ratio of errors")
      }
    }
  }
}
