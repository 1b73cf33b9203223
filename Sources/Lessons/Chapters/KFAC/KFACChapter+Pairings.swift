import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

extension KFACMeasurement {
  /// One layer whose inputs were given to other examples' gradients; A and G stay what they are.
  struct Pairing {
    let layer: Int
    /// The wanted dependence, -1 to 1; nil for the pairs as they are.
    let setting: Double?
    /// The correlation of ‖ā‖² with tr Γ over the examples.
    let correlation: Double
    let error, traceRatio: Double

    init(_ samples: LayerSamples, kfac: Matrix, order: [Int], layer: Int, setting: Double?) throws {
      let inputs = Matrix(rowCount: samples.inputSize, columnCount: samples.exampleCount) {
        samples.inputs[$0, order[$1]]
      }
      let fisher = try KFACMeasurement.exactBlock(
        GradientSamples(
          exampleCount: samples.exampleCount, columnCount: samples.columnCount,
          blocks: [
            GradientSamples.Block(
              name: samples.name, rowCount: samples.outputSize, columnCount: samples.inputSize,
              hasBias: true,
              uses: [
                GradientSamples.Use(inputs: inputs, gradients: samples.gradients, positions: 1)
              ])
          ], chain: [[0]]))
      self.layer = layer
      self.setting = setting
      correlation = Pairing.correlation(
        Pairing.inputSizes(inputs), Pairing.gradientSizes(samples))
      error = KFACMeasurement.relativeError(kfac, fisher)
      traceRatio = kfac.trace / fisher.trace
    }

    /// Pairings of a wanted dependence and the real one; medians of 20 random ones, over all
    /// examples and within the classes that the network predicts.
    static func measure(
      _ state: State, _ progress: @Sendable (String, Int, Int) -> Void
    ) throws -> (asked: [Pairing], shuffled: [Double], withinClass: [Double]) {
      let layers = state.layers
      let settings = (-10...10).map { Double($0) / 10 }
      let shuffles = 20
      let outputs = state.network.forward(state.batch.inputs).output
      let classes = (0..<outputs.columnCount).map { n in
        (0..<outputs.rowCount).max { outputs[$0, n] < outputs[$1, n] } ?? 0
      }
      let kfac = try layers.map { try KroneckerBlock.kfac($0).dense(within: .standard) }
      let jobs = settings.count + 1 + 2 * shuffles
      let found = try Parallel.map(layers.count * jobs, "pairings", progress) { job in
        let (layer, index) = (job / jobs, job % jobs)
        let samples = layers[layer]
        var generator = SplitMix64(seed: UInt64(700 + index))
        let order: [Int]
        if index < settings.count {
          order = Pairing.order(samples, dependence: settings[index], &generator)
        } else if index == settings.count {
          order = Array(0..<samples.exampleCount)
        } else if index <= settings.count + shuffles {
          order = generator.permutation(samples.exampleCount)
        } else {
          order = Pairing.order(withinClasses: classes, &generator)
        }
        return try Pairing(
          samples, kfac: kfac[layer], order: order, layer: layer,
          setting: index < settings.count ? settings[index] : nil)
      }
      let asked = layers.indices.flatMap { found[$0 * jobs...($0 * jobs + settings.count)] }
      func medians(_ from: Int) -> [Double] {
        layers.indices.map { layer in
          let start = layer * jobs + from
          return Quantiles.median(found[start..<start + shuffles].map(\.error))
        }
      }
      return (asked, medians(settings.count + 1), medians(settings.count + 1 + shuffles))
    }

    /// A random order that gives every example the input of one of the same class.
    private static func order(withinClasses classes: [Int], _ generator: inout SplitMix64) -> [Int]
    {
      var order = Array(classes.indices)
      for label in 0...(classes.max() ?? 0) {
        let members = classes.indices.filter { classes[$0] == label }
        for (place, other) in generator.permutation(members.count).enumerated() {
          order[members[place]] = members[other]
        }
      }
      return order
    }

    /// Gives large inputs to large gradients (dependence 1), to small ones (-1), or by chance (0).
    private static func order(
      _ samples: LayerSamples, dependence: Double, _ generator: inout SplitMix64
    ) -> [Int] {
      let n = samples.exampleCount
      let byInput = Array(0..<n).stablySorted(by: inputSizes(samples.inputs))
      let byGradient = Array(0..<n).stablySorted(by: gradientSizes(samples))
      let rest = (1 - dependence * dependence).squareRoot()
      var keys: [Double] = []
      for rank in 0..<n {
        let uniform: Double = (Double(rank) + 0.5) / Double(n) - 0.5
        let score: Double = 12.0.squareRoot() * uniform
        keys.append(dependence * score + rest * generator.normal())
      }
      // The input with the k-th smallest key goes to the gradient with the k-th smallest trace.
      var order = [Int](repeating: 0, count: n)
      for (place, rank) in Array(0..<n).stablySorted(by: keys).enumerated() {
        order[byGradient[place]] = byInput[rank]
      }
      return order
    }

    private static func inputSizes(_ inputs: Matrix) -> [Double] {
      (0..<inputs.columnCount).map { inputs.column($0).dot(inputs.column($0)) }
    }

    private static func gradientSizes(_ samples: LayerSamples) -> [Double] {
      (0..<samples.exampleCount).map { n in
        samples.gradients.reduce(0.0) { $0 + $1.column(n).dot($1.column(n)) }
      }
    }

    private static func correlation(_ x: [Double], _ y: [Double]) -> Double {
      let n = Double(x.count)
      let (meanX, meanY) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
      let product = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
      let squareX = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
      let squareY = y.reduce(0) { $0 + ($1 - meanY) * ($1 - meanY) }
      return squareX * squareY > 0 ? product / (squareX * squareY).squareRoot() : 0
    }
  }
}

extension [Int] {
  /// Ascending by the values at these indices; equal values by index.
  fileprivate func stablySorted(by values: [Double]) -> [Int] {
    sorted { (values[$0], $0) < (values[$1], $1) }
  }
}
