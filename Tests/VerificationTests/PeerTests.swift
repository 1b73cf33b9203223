import Curvature
import DataFiles
import DenseAlgebra
import TestSupport
import Testing
import Verification

/// Every array that NumPy, PyTorch, curvlinops or nngeometry computed meets ours of the same name.
struct PeerTests {
  static let cases = [
    "convolution", "dense-logistic-bernoulli", "dense-relu-gaussian", "dense-tanh-categorical",
    "residual", "shared-sequence", "shared-sequence-expand", "tied",
  ]

  @Test(arguments: cases)
  func everyQuantityAgreesWithThePeers(_ name: String) throws {
    let peers = try PeerCase(name)
    let quantities = try Quantities(
      peers.network, peers.data, likelihood: peers.likelihood, options: options(peers))
    let given = ["inputs", "labels", "targets"]
    var compared = 0
    for (name, expected) in peers.arrays {
      // The factors of `reduce` are not among the quantities that are written.
      if given.contains(name) || name.hasSuffix(".weights") || name.contains("reduce") { continue }
      let ours = name.hasPrefix("peer.") ? name.split(separator: ".").dropFirst(2) : [name[...]]
      let quantity = ours.joined(separator: ".")
      let actual = try #require(quantities[quantity], "no \(quantity)")
      #expect(actual.shape == expected.shape, "\(quantity)")
      let difference = relativeDifference(actual, expected)
      let tolerance = quantity.contains(".step.") ? 1e-9 : 1e-12
      #expect(difference <= tolerance, "\(name): relative difference \(difference)")
      compared += 1
    }
    #expect(compared >= 60)
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

/// ‖actual − expected‖ / ‖expected‖ in the Frobenius norm; NaN where anything is.
func relativeDifference(_ actual: NumericArray, _ expected: NumericArray) -> Double {
  guard actual.shape == expected.shape else { return .infinity }
  let reference = Vector(expected.elements).norm
  let difference = (Vector(actual.elements) - Vector(expected.elements)).norm
  return difference == 0 ? 0 : difference / reference
}
