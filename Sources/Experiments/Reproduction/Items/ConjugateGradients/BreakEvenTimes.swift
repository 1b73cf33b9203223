import Curvature
import DenseAlgebra
import Foundation
import Networks
import Optimization

/// Times of one product, and of one step's solve, without factors and with them, on real layers.
///
/// The layers are those of multilayer perceptrons on the context's images; their samples have the real
/// shapes and data, at the random start. Reference: the specification, section 6.2.
public struct BreakEvenTimes {
  struct Layer {
    let name: String
    let widths: [Int]
    let block: Int
  }

  /// Processor times of one product, in seconds.
  struct Product {
    let layer: String
    let cost: ConjugateGradientCost
    let implicit: ProcessorTime
    let exact: ProcessorTime
    let formed: ProcessorTime
  }

  /// Times of one step's whole solve in seconds, medians.
  struct Step {
    let layer: String
    let cost: ConjugateGradientCost
    /// Twenty steps of conjugate gradients without factors.
    let implicit: Double
    /// The same with formed factors, and their formation.
    let formed: Double
    let eigen: Double
    let cholesky: Double
  }

  private(set) var products: [Product] = []
  private(set) var steps: [Step] = []

  static func layers(isQuick: Bool) -> [Layer] {
    let small = [784, 20, 20, 20, 10]
    let wide = [784, 512, 256, 10]
    let all = [
      Layer(name: "785 to 20", widths: small, block: 0),
      Layer(name: "21 to 20", widths: small, block: 1),
      Layer(name: "257 to 10", widths: wide, block: 2),
      Layer(name: "513 to 256", widths: wide, block: 1),
      Layer(name: "785 to 512", widths: wide, block: 0),
    ]
    return isQuick ? Array(all.prefix(3)) : all
  }

  init(_ data: Dataset, isQuick: Bool, progress: (String, Int, Int) -> Void) throws {
    let layers = BreakEvenTimes.layers(isQuick: isQuick)
    for (index, layer) in layers.enumerated() {
      progress("times of products", index, layers.count)
      for (kind, batches) in [
        (FisherKind.empirical, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]),
        (.exact, [1, 2, 4, 8, 16, 32, 64, 128]),
      ] {
        var formed: ProcessorTime?
        for batch in isQuick ? batches.filter({ $0 <= 128 }) : batches {
          let samples = try BreakEvenTimes.samples(layer, data, kind, batch)
          let x = BreakEvenTimes.vector(samples.layout.count)
          let implicitOperator = ImplicitKroneckerOperator(samples, lambda: 0.1)
          let exactOperator = ExactBlockOperator(samples, lambda: 0.1)
          if formed == nil {
            // Its time does not depend on the batch.
            let factors = KFACFactors(samples)
            let matrix = FormedKroneckerOperator(a: factors.a, g: factors.g, lambda: 0.1)
            formed = ProcessorTime { BreakEvenTimes.use(matrix.apply(x)) }
          }
          guard let formed else { continue }
          products.append(
            Product(
              layer: layer.name, cost: BreakEvenTimes.cost(samples),
              implicit: ProcessorTime { BreakEvenTimes.use(implicitOperator.apply(x)) },
              exact: ProcessorTime { BreakEvenTimes.use(exactOperator.apply(x)) },
              formed: formed))
        }
      }
      let samples = try BreakEvenTimes.samples(layer, data, .empirical, 128)
      steps.append(try BreakEvenTimes.step(layer.name, samples))
    }
    progress("times of products", layers.count, layers.count)
  }

  private static func step(_ name: String, _ samples: LayerSamples) throws -> Step {
    let right = vector(samples.layout.count)
    let gradient = ParameterVector(right, layout: samples.layout)
    // A tolerance that is not met, so that all twenty steps are taken.
    let twenty = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-300), maximumIterations: 20)
    let implicit = ProcessorTime(samples: 3) {
      use(twenty.solve(ImplicitKroneckerOperator(samples, lambda: 0.1), right).value)
    }
    let formed = ProcessorTime(samples: 3) {
      let factors = KFACFactors(samples)
      let matrix = FormedKroneckerOperator(a: factors.a, g: factors.g, lambda: 0.1)
      use(twenty.solve(matrix, right).value)
    }
    func direct(_ rule: DampingRule) throws -> ProcessorTime {
      try ProcessorTime(samples: 1) {
        use(try KroneckerBlock.kfac(samples).damped(rule, 0.1).solve(gradient).flattened)
      }
    }
    return Step(
      layer: name, cost: cost(samples), implicit: implicit.median, formed: formed.median,
      eigen: try direct(.exact).median, cholesky: try direct(.pi).median)
  }

  private static func samples(_ layer: Layer, _ data: Dataset, _ kind: FisherKind, _ batch: Int)
    throws -> LayerSamples
  {
    let network = try Network.multilayerPerceptron(
      widths: layer.widths, activation: .tanh, initialization: .he, seed: 1)
    let samples = GradientSamples(
      network, data.subset(Array(0..<batch)), likelihood: .categorical, kind: kind,
      blocks: [layer.block])
    return LayerSamples(samples, block: 0)
  }

  static func cost(_ samples: LayerSamples) -> ConjugateGradientCost {
    ConjugateGradientCost(
      inputSize: samples.inputSize, outputSize: samples.outputSize,
      examples: samples.exampleCount, columns: samples.columnCount)
  }

  private static func vector(_ count: Int) -> Vector {
    var random = SplitMix64(seed: 7)
    return Vector((0..<count).map { _ in random.normal() })
  }

  /// Looks at a result, so that its computation cannot be left out.
  private static func use(_ vector: Vector) {
    precondition(vector[0] == vector[0], "a product is not a number")
  }

  /// The batch at which a rising time passes a fixed one, by straight lines over the logarithms; nil
  /// where it never does, or is above it from the first batch on.
  public static func crossing(_ batches: [Double], _ times: [Double], above level: Double)
    -> Double?
  {
    guard let end = times.firstIndex(where: { $0 > level }), end > 0 else { return nil }
    let (x0, x1) = (batches[end - 1], batches[end])
    let (y0, y1) = (times[end - 1], times[end])
    let t = log(level / y0) / log(y1 / y0)
    return x0 * pow(x1 / x0, t)
  }

  /// The measured batch at which a product without factors becomes the slower one.
  func breakEven(_ layer: String, columns: Int) -> Double? {
    let chosen = products.filter { $0.layer == layer && $0.cost.columns == columns }
    guard let level = chosen.first?.formed.median else { return nil }
    return BreakEvenTimes.crossing(
      chosen.map { Double($0.cost.examples) }, chosen.map(\.implicit.median), above: level)
  }
}
