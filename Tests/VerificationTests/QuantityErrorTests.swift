import Curvature
import DataFiles
import DenseAlgebra
import Networks
import Testing
import Verification

struct QuantityErrorTests {
  /// Softmax makes G of the last layer singular: its rows sum to zero.
  @Test func aSingularFactorIsNamedWithItsPivot() throws {
    let error = #expect(throws: CurvatureError.self) {
      try QuantitiesTests.quantities {
        $0.structures = [.kfac]
        $0.lambdas = [0]
        $0.blocks = [1]
      }
    }
    guard case .notPositiveDefinite(let block, let size, let pivot, let value) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(block == "factor G of layer2" && size == 3 && pivot == 2 && value < 1e-15)
  }

  /// Two Fishers held twice; per layer two blocks and five approximations.
  @Test func matricesOverTheLimitAreRefusedWithTheirSize() throws {
    let needed = 8 * (4 * 31 * 31 + 7 * (16 * 16 + 15 * 15))
    let error = #expect(throws: CurvatureError.self) {
      try QuantitiesTests.quantities { $0.limit = MemoryLimit(bytes: needed - 1) }
    }
    guard case .exceedsMemory(_, let bytes, let limit, let advice) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(bytes == needed && limit == needed - 1 && advice.contains("--layers"))
    _ = try QuantitiesTests.quantities { $0.limit = MemoryLimit(bytes: needed) }
  }

  @Test(arguments: [
    (1e80, ["traces of layer1.A and layer1.G is", "e+159"]),
    (1e200, ["quantity layer1.A is inf at [0, 0]"]), (1e308, ["quantity logits is inf at [1, 0]"]),
  ])
  func anOverflowNamesTheQuantity(_ scale: Double, _ parts: [String]) throws {
    let network = try Network.multilayerPerceptron(
      weights: [Matrix(rows: [[1, 1, 0], [-1, -1, 0]])], activations: [])
    let data = Dataset(
      name: "large", inputs: Matrix(rows: [[0, scale], [0, scale]]), targets: .labels([0, 1]))
    var options = QuantityOptions()
    options.includesDense = false
    let error = #expect(throws: DataFileError.self) {
      try Quantities(network, data, likelihood: .categorical, options: options)
    }
    let message = try #require(error?.message)
    for part in parts + ["Scale the inputs"] {
      #expect(message.contains(part), "\(message)")
    }
  }
}

struct NearestNameTests {
  @Test(arguments: [
    ("tanhh", "tanh"), ("Relu", "relu"), ("rleu", "relu"), ("ralu", "relu"),
    ("logistc", "logistic"),
  ])
  func aSlipOfTheFingersIsFound(_ name: String, _ meant: String) {
    let names = Activation.allCases.map(\.rawValue)
    #expect(NearestName.suggestion(for: name, among: names) == meant)
  }

  @Test(arguments: ["gelu2x", "", "x", "sigmoid"])
  func nothingIsSuggestedForAnotherWord(_ name: String) {
    let names = Activation.allCases.map(\.rawValue)
    #expect(NearestName.suggestion(for: name, among: names) == nil)
  }
}
