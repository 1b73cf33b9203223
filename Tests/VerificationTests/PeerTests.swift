import Curvature
import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import TestSupport
import Testing
import Verification

/// Every array that NumPy, PyTorch, curvlinops 3.0.1 or nngeometry 0.4 computed in float64 meets ours of the same name.
///
/// Relative Frobenius differences: at most 1e-12, for solutions of linear systems 1e-9.
@Suite("Agreement with NumPy, PyTorch, curvlinops and nngeometry")
struct PeerTests {
  static let cases = [
    "convolution", "dense-logistic-bernoulli", "dense-relu-gaussian", "dense-tanh-categorical",
    "residual", "shared-sequence", "shared-sequence-expand", "tied",
  ]

  @Test("Every folder of peer vectors is in the list")
  func allCasesAreRead() throws {
    let folder = try Fixtures.path("vectors/peers")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == Self.cases)
  }

  @Test("Every array agrees", arguments: cases)
  func everyArrayAgrees(_ name: String) throws {
    let peers = try PeerCase(name)
    let quantities = VectorQuantities(peers.network, peers.data, peers.likelihood)
    for (name, quantity, expected) in peers.computed {
      let routes = try #require(
        try quantities.routes(to: quantity, shape: expected.shape), "no \(quantity)")
      for route in routes { expectAgreement(route, expected, name, quantity) }
    }
    #expect(peers.computed.count > 100)
  }

  @Test("Every quantity that is written agrees", arguments: cases)
  func everyQuantityAgreesWithThePeers(_ name: String) throws {
    let peers = try PeerCase(name)
    let quantities = try Quantities(
      peers.network, peers.data, likelihood: peers.likelihood, options: options(peers))
    // The factors of `reduce` are not among the quantities that are written.
    for (name, quantity, expected) in peers.computed where !name.contains("reduce") {
      let actual = try #require(quantities[quantity], "no \(quantity)")
      #expect(actual.shape == expected.shape, "\(quantity)")
      expectAgreement(actual.elements, expected, name, quantity)
    }
  }

  private func expectAgreement(
    _ actual: [Double], _ expected: NumericArray, _ name: String, _ quantity: String
  ) {
    #expect(actual.count == expected.elements.count, "\(name)")
    let difference = VectorComparison.relativeDifference(actual, expected.elements)
    let tolerance = quantity.contains(".step.") ? 1e-9 : 1e-12
    #expect(difference <= tolerance, "\(name): relative difference \(difference)")
  }

  /// The peers' structures; the others need layers that follow one another.
  private func options(_ peers: PeerCase) -> QuantityOptions {
    var options = QuantityOptions()
    options.structures = [
      .exact, .blockDiagonal, .diagonal, .unitWise, .kfac, .ekfac, .kfacSplit, .nearestKronecker,
      .tkfac,
    ]
    options.lambdas = peers.dampings
    options.split = peers.split
    return options
  }
}

/// ‖actual − expected‖ / ‖expected‖ in the Frobenius norm; infinite where the shapes differ.
func relativeDifference(_ actual: NumericArray, _ expected: NumericArray) -> Double {
  guard actual.shape == expected.shape else { return .infinity }
  return VectorComparison.relativeDifference(actual.elements, expected.elements)
}
