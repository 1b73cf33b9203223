import Curvature
import DenseAlgebra
import Experiments
import Networks

/// What chapter 09 measures of THOR's split on the network of Figure 4.
struct SplitMeasurement: Sendable {
  /// One training state.
  struct State: Sendable {
    let network: Network
    let batch: Dataset
    /// KFAC's factors of layers 2 to 4.
    let factors: [KFACFactors]
    /// The split's error under each reading of "the middle three layers".
    let errors: [FigureFour.Layers: SplitError]
    /// A ⊗ G, and its split, against the exact layer blocks.
    let kfac, split: MatrixComparison
  }

  /// What "error" may mean: the four measures of the chapter.
  static let measures: [(name: String, norm: SplitError.Norm, damping: SplitError.Damping)] = [
    ("relative Frobenius", .frobenius, .out),
    ("relative spectral", .spectral, .out),
    ("largest entry (absolute)", .largest, .out),
    ("damped inverse (relative Frobenius)", .inverse, .factors),
  ]
  static let iterations = [10, 50]
  static let sizes = [1, 2, 4, 5, 7, 10, 11, 20, 21]

  let options: ComparisonOptions
  /// By seed, then after 10 and after 50 iterations.
  let states: [[State]]

  init(_ data: Dataset, _ progress: @Sendable (String, Int, Int) -> Void) throws {
    let options = ComparisonOptions()
    self.options = options
    states = try Parallel.map(options.seeds.count, "chapter 09, training", progress) {
      try SplitMeasurement.states(options, data, seed: options.seeds[$0])
    }
  }

  private static func states(_ options: ComparisonOptions, _ data: Dataset, seed: UInt64) throws
    -> [State]
  {
    var longer = options
    longer.widths.insert(options.widths[1], at: 1)
    let runs = try [options, longer].map {
      try TrainingRun(
        seed: seed, data: data, likelihood: .categorical, options: $0, iterations: iterations)
    }
    return try iterations.indices.map { index in
      let (state, other) = (runs[0].states[index], runs[1].states[index])
      let batch = data.subset(state.batch)
      func error(_ network: Network, _ batch: Dataset, _ layers: ClosedRange<Int>) throws
        -> SplitError
      {
        try FigureFour.splitError(
          network, batch, layers: layers, split: options.split, lambda: options.trainingLambda)
      }
      let errors: [FigureFour.Layers: SplitError] = [
        .last: try error(state.network, batch, 2...4),
        .middleOfSix: try error(other.network, data.subset(other.batch), 2...4),
        .first: try error(state.network, batch, 1...3),
      ]
      let samples = GradientSamples(
        state.network, batch, likelihood: .categorical, kind: .exact, blocks: options.blocks)
      let factors = samples.blocks.indices.map { KFACFactors(LayerSamples(samples, block: $0)) }
      var (kfac, split) = (MatrixComparison(), MatrixComparison())
      for (block, factors) in zip(ExactFisher.blocks(of: samples), factors) {
        let exact = try block.dense(within: .standard)
        kfac = kfac + MatrixComparison(of: .kronecker(factors.a, factors.g), with: exact)
        let pinched = Matrix.kronecker(
          factors.a.pinched(blockSize: options.split), factors.g.pinched(blockSize: options.split))
        split = split + MatrixComparison(of: pinched, with: exact)
      }
      return State(
        network: state.network, batch: batch, factors: factors, errors: errors, kfac: kfac,
        split: split)
    }
  }

  /// A start with small weights, after 10 iterations of the first seed.
  struct SmallStart {
    static let deviation = 0.02
    /// The split's relative Frobenius error.
    let error: Double
    /// The share of the squared norm of all layers that layer 4 holds.
    let lastLayer: Double
    /// The share of the squared norm of layer 4's A that its bias entry holds.
    let bias: Double

    init(_ data: Dataset) throws {
      var options = ComparisonOptions()
      options.initialization = .normal(standardDeviation: SmallStart.deviation)
      let state = try SplitMeasurement.states(options, data, seed: options.seeds[0])[0]
      let squares = state.factors.map { $0.a.dot($0.a) * $0.g.dot($0.g) }
      error = state.errors[.last]?.value(.frobenius, .out) ?? .nan
      lastLayer = squares[2] / squares.reduce(0, +)
      bias = 1 / state.factors[2].a.dot(state.factors[2].a)
    }
  }

  /// The split's error for any size, or in any basis, from the factors of the layers.
  func error(_ factors: [KFACFactors], split: Int) throws -> SplitError {
    let λ = options.trainingLambda
    return SplitError(
      try factors.map {
        SplitError.Layer(
          a: try SplitFactor($0.a, split: split, lambda: λ),
          g: try SplitFactor($0.g, split: split, lambda: λ))
      }, lambda: λ)
  }

  /// One value of every seed's state after 10 (0) or 50 (1) iterations.
  func values(_ index: Int, _ value: (State) throws -> Double?) rethrows -> [Double] {
    try states.compactMap { try value($0[index]) }
  }

  func mean(_ index: Int, _ value: (State) throws -> Double?) rethrows -> Double {
    Quantiles.mean(try values(index, value))
  }

  /// A block-diagonal matrix of the layers after 10 or 50 iterations of the first seed.
  func dense(_ index: Int, split: Int?) -> Matrix {
    let blocks = states[0][index].factors.map { factors in
      split.map {
        Matrix.kronecker(factors.a.pinched(blockSize: $0), factors.g.pinched(blockSize: $0))
      } ?? Matrix.kronecker(factors.a, factors.g)
    }
    let size = blocks.reduce(0) { $0 + $1.rowCount }
    var whole = Matrix(rowCount: size, columnCount: size)
    var start = 0
    for block in blocks {
      whole.setBlock(row: start, column: start, to: block)
      start += block.rowCount
    }
    return whole
  }
}

/// The order of the hidden units, and other bases, for the first seed's state.
struct SplitBases {
  /// Relative Frobenius errors of random orders of the hidden units, ascending.
  let randomOrders: [Double]
  /// The order found by exchanging units between groups, measured on the re-ordered network.
  let swapped: SplitError
  /// The largest change of an output by the re-ordering.
  let outputChange: Double
  let rotated, eigenvectors: SplitError

  static let orderCount = 500

  init(_ measurement: SplitMeasurement, _ state: SplitMeasurement.State) throws {
    let split = measurement.options.split
    let widths = state.network.parameters.dropLast().map(\.weights.rowCount)
    var generator = SplitMix64(seed: 9)
    let energy = SplitBases.Energy(state.factors, split: split)
    randomOrders = (0..<SplitBases.orderCount).map { _ in
      energy.error(widths.map { generator.permutation($0) })
    }.sorted()
    let best = energy.improved(widths.map { Array(0..<$0) })
    let other = HiddenUnitOrder.permuted(state.network, best)
    swapped = try FigureFour.splitError(
      other, state.batch, layers: measurement.options.layers, split: split,
      lambda: measurement.options.trainingLambda)
    outputChange =
      (other.forward(state.batch.inputs).output - state.network.forward(state.batch.inputs).output)
      .maximumMagnitude
    func turned(_ basis: (Matrix) throws -> Matrix) throws -> SplitError {
      func turn(_ factor: Matrix) throws -> Matrix {
        let q = try basis(factor)
        return (q.transposed * factor * q).symmetrized
      }
      return try measurement.error(
        state.factors.map { KFACFactors(a: try turn($0.a), g: try turn($0.g)) }, split: split)
    }
    rotated = try turned { factor in
      let noise = Matrix(rowCount: factor.rowCount, columnCount: factor.rowCount) { _, _ in
        generator.normal()
      }
      return try SymmetricEigendecomposition(noise.symmetrized).vectors
    }
    eigenvectors = try turned { try SymmetricEigendecomposition($0).vectors }
  }

  /// The squares of the entries, from which the error of any order follows.
  struct Energy {
    let a, g: [Matrix]
    let split: Int

    init(_ factors: [KFACFactors], split: Int) {
      a = factors.map { $0.a.hadamard($0.a) }
      g = factors.map { $0.g.hadamard($0.g) }
      self.split = split
    }

    /// Σ of the kept squares of one factor, whose units stand in an order (the bias stays last).
    private func kept(_ squares: Matrix, _ order: [Int]?) -> Double {
      let count = squares.rowCount
      let places = (0..<count).map { place in
        order.map { place < $0.count ? $0[place] : place } ?? place
      }
      var sum = 0.0
      for range in Matrix.pinchingRanges(size: count, blockSize: split) {
        for i in range { for j in range { sum += squares[places[i], places[j]] } }
      }
      return sum
    }

    /// √(1 − kept / all) over the layers, with one order for each hidden layer.
    func error(_ orders: [[Int]]) -> Double {
      var (inside, all) = (0.0, 0.0)
      for layer in a.indices {
        let outputs = layer + 1 < orders.count ? orders[layer + 1] : nil
        inside += kept(a[layer], orders[layer]) * kept(g[layer], outputs)
        all += a[layer].storage.reduce(0, +) * g[layer].storage.reduce(0, +)
      }
      return max(0, 1 - inside / all).squareRoot()
    }

    /// Exchanges two units of different groups as long as that lowers the error.
    func improved(_ start: [[Int]]) -> [[Int]] {
      var orders = start
      var best = error(orders)
      var isImproving = true
      while isImproving {
        isImproving = false
        for hidden in orders.indices {
          for i in orders[hidden].indices {
            for j in i + 1..<orders[hidden].count where i / split != j / split {
              orders[hidden].swapAt(i, j)
              let value = error(orders)
              if value < best - 1e-12 {
                (best, isImproving) = (value, true)
              } else {
                orders[hidden].swapAt(i, j)
              }
            }
          }
        }
      }
      return orders
    }
  }
}
