import Curvature
import DenseAlgebra
import Experiments
import Networks
import TestSupport
import Testing

@Suite("The chain from the population's Fisher to the step taken")
struct WaterfallTests {
  let network: Network
  let data: Dataset
  let batch: Dataset

  init() throws {
    network = try Network.multilayerPerceptron(
      widths: [6, 5, 4, 3], activation: .tanh, initialization: .he, seed: 3)
    data = try ComparisonSample.data.get()
    batch = data.subset(Array(0..<30))
  }

  private func setting(_ population: Dataset) -> WaterfallChain.Setting {
    var setting = WaterfallChain.Setting(
      network: network, batch: batch, population: population, lambdas: [0.05])
    setting.split = 2
    setting.labelSeed = 17
    return setting
  }

  private func point(
    _ link: WaterfallChain.Link, _ rule: DampingRule, _ points: [WaterfallChain.Point]
  ) throws -> WaterfallChain.Point {
    try #require(points.first { $0.link == link && $0.rule == rule })
  }

  /// F = (1/N) Σ u uᵀ from the single gradients, column by column.
  private func fisher(_ data: Dataset, _ kind: FisherKind) -> Matrix {
    let samples = GradientSamples(network, data, likelihood: .categorical, kind: kind)
    let size = samples.layout.count
    var sum = Matrix(rowCount: size, columnCount: size)
    for c in 0..<samples.columnCount {
      for n in 0..<data.count {
        let u = samples.blocks.flatMap { block in
          let use = block.uses[0]
          return Matrix(rowCount: block.rowCount, columnCount: block.columnCount) {
            use.gradients[c][$0, n] * use.inputs[$1, n]
          }.storage
        }
        for j in 0..<size { for i in 0..<size { sum[i, j] += u[i] * u[j] } }
      }
    }
    return (1 / Double(data.count)) * sum
  }

  /// ‖F̂⁻¹g − F⁻¹g‖_F / ‖F⁻¹g‖_F by LU factorisations of dense matrices.
  private func error(_ approximation: Matrix, _ reference: Matrix, _ g: Vector) throws -> (
    error: Double, efficiency: Double
  ) {
    func solve(_ matrix: Matrix) throws -> Vector { try LUFactorization(matrix).solve(g) }
    let (û, u) = (try solve(approximation), try solve(reference))
    func inner(_ x: Vector, _ y: Vector) -> Double { x.dot(reference * y) }
    let cosine = inner(û, u) / (inner(û, û) * inner(u, u)).squareRoot()
    return (
      (inner(û - u, û - u) / inner(u, u)).squareRoot(), cosine * cosine
    )
  }

  @Test func errorsAreThoseOfTheDenseMatrices() throws {
    let points = try WaterfallChain.measure(setting(data)).points
    let λ = 0.05
    let reference = fisher(data, .exact).addingToDiagonal(λ)
    let g = LossGradient(network, batch, .categorical).gradient.flattened
    let drawn = fisher(batch, .monteCarlo(samples: 1, seed: 17))
    var blocks = Matrix(rowCount: drawn.rowCount, columnCount: drawn.rowCount)
    for (block, offset) in zip(network.layout.blocks, network.layout.offsets) {
      let range = offset..<offset + block.count
      blocks.setBlock(
        row: offset, column: offset, to: drawn.block(rows: range, columns: range))
    }
    let expected: [(WaterfallChain.Link, Matrix)] = [
      (.batch, fisher(batch, .exact)), (.labels, drawn), (.blocks, blocks),
    ]
    for (link, matrix) in expected {
      let (error, efficiency) = try error(matrix.addingToDiagonal(λ), reference, g)
      let found = try point(link, .exact, points)
      #expect(abs(found.error - error) < 1e-9 * (1 + error), "\(link)")
      #expect(abs(found.efficiency - efficiency) < 1e-9, "\(link)")
    }
  }

  @Test func theBatchLinkIsFreeWhereTheBatchIsThePopulation() throws {
    let points = try WaterfallChain.measure(setting(batch)).points
    #expect(try point(.batch, .exact, points).error < 1e-12)
    #expect(try point(.labels, .exact, points).error > 0.01)
  }

  @Test func incrementsSumUpToTheErrorAndNoChangeIsSmallerThanItsIncrement() throws {
    var setting = setting(data)
    setting.older = WaterfallChain.factors(
      network, data.subset(Array(30..<60)), .categorical, seed: 4)
    let points = try WaterfallChain.measure(setting).points
    for rule in setting.rules {
      let chain = points.filter { $0.rule == .exact || $0.rule == rule }
      #expect(chain.map(\.link) == WaterfallChain.Link.allCases)
      let sum = chain.map(\.increment).reduce(0, +)
      #expect(abs(sum - chain[7].error) < 1e-12 * (1 + chain[7].error))
      for point in chain {
        expectAtMost(abs(point.increment), point.change, slack: 1e-12, "\(point.link)")
      }
    }
  }

  @Test func linksThatDoNothingMoveNothing() throws {
    var setting = setting(data)
    setting.split = 7
    setting.older = WaterfallChain.factors(network, batch, .categorical, seed: 17)
    setting.iteration = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-13), maximumIterations: 500)
    let points = try WaterfallChain.measure(setting).points
    #expect(try point(.split, .exact, points).change == 0)
    for rule in setting.rules {
      #expect(try point(.staleness, rule, points).change == 0)
      #expect(try point(.conjugateGradients, rule, points).change < 1e-9)
      #expect(try point(.damping, rule, points).change > 0.01)
    }
  }
}
