import Curvature
import DenseAlgebra
import Experiments
import Foundation
import Networks
import TestSupport
import Testing

/// Every number is computed again from the definition, with LAPACK's solver where there is one.
@Suite("The measurements of a comparison, from their definitions")
struct ComparisonMeasurementTests {
  let network: Network
  let batch: Dataset
  let gradient: Vector
  let samples: GradientSamples
  let fisher: Matrix
  /// A and G of layers 2 and 3.
  let factors: [(a: Matrix, g: Matrix)]

  init() throws {
    (network, batch) = try ComparisonSample.state()
    samples = GradientSamples(
      network, batch, likelihood: .categorical, kind: .exact, blocks: [1, 2])
    fisher = try ExactFisher(samples).dense(within: .standard)
    let loss = LossGradient(network, batch, .categorical)
    gradient = Vector(loss.gradient.blocks[1].storage + loss.gradient.blocks[2].storage)
    factors = samples.blocks.map { block in
      let use = block.uses[0]
      var g = Matrix(rowCount: block.rowCount, columnCount: block.rowCount)
      for column in use.gradients {
        g.add(1.0 / 40, times: LAPACK.dgemm(column, column.transposed))
      }
      return ((1.0 / 40) * LAPACK.dgemm(use.inputs, use.inputs.transposed), g)
    }
  }

  /// The two blocks on the diagonal of a matrix of zeros.
  private func blockDiagonal(_ blocks: [Matrix]) -> Matrix {
    var matrix = Matrix(rowCount: 39, columnCount: 39)
    matrix.setBlock(row: 0, column: 0, to: blocks[0])
    matrix.setBlock(row: 24, column: 24, to: blocks[1])
    return matrix
  }

  private var exactBlocks: Matrix {
    blockDiagonal([
      fisher.block(rows: 0..<24, columns: 0..<24), fisher.block(rows: 24..<39, columns: 24..<39),
    ])
  }

  /// A ⊗ G with λ-shifts on the factors.
  private func kfac(_ shift: (_ a: Matrix, _ g: Matrix) -> (Double, Double) = { _, _ in (0, 0) })
    -> Matrix
  {
    blockDiagonal(
      factors.map { a, g in
        let (first, second) = shift(a, g)
        return Matrix.kronecker(a.addingToDiagonal(first), g.addingToDiagonal(second))
      })
  }

  /// Zeros outside the diagonal blocks of two rows of each factor.
  private var split: Matrix {
    func cut(_ matrix: Matrix) -> Matrix {
      Matrix(rowCount: matrix.rowCount, columnCount: matrix.columnCount) {
        $0 / 2 == $1 / 2 ? matrix[$0, $1] : 0
      }
    }
    return blockDiagonal(factors.map { Matrix.kronecker(cut($0.a), cut($0.g)) })
  }

  private func norm(_ matrix: Matrix) -> Double {
    matrix.storage.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  private func only(_ values: [Double]) throws -> Double {
    try #require(values.count == 1, "\(values)")
    return values[0]
  }

  private func isClose(_ a: Double, _ b: Double, _ relative: Double = 1e-12) -> Bool {
    abs(a - b) <= relative * abs(b)
  }

  @Test func relativeFrobeniusOfTheNetwork() throws {
    let cases: [(StructureKind, Matrix)] = [
      (.kfac, kfac()), (.kfacSplit, split), (.blockDiagonal, exactBlocks),
    ]
    let references: [(Reference, Matrix)] = [
      (.full, fisher), (.blocks, exactBlocks), (.kfac, kfac()),
    ]
    for (kind, matrix) in cases {
      for (reference, target) in references where kind != reference.structure {
        let found = try only(ComparisonSample.values(.relativeFrobenius, reference, kind))
        #expect(isClose(found, norm(matrix - target) / norm(target)), "\(kind) \(reference)")
        let largest = try only(ComparisonSample.values(.maximumAbsolute, reference, kind))
        let expected = (matrix - target).storage.map(\.magnitude).max() ?? 0
        #expect(isClose(largest, expected), "\(kind) \(reference)")
      }
    }
  }

  @Test func relativeFrobeniusOfALayer() throws {
    let range = 24..<39
    for (kind, reference, matrix, target) in [
      (StructureKind.kfac, Reference.blocks, kfac(), fisher), (.kfacSplit, .kfac, split, kfac()),
    ] {
      let part = matrix.block(rows: range, columns: range)
      let whole = target.block(rows: range, columns: range)
      let found = try only(
        ComparisonSample.values(.relativeFrobenius, reference, kind, place: .layer(3)))
      #expect(isClose(found, norm(part - whole) / norm(whole)), "\(kind)")
    }
  }

  @Test func referenceOfTheWholeDataSet() throws {
    let all = GradientSamples(
      network, try ComparisonSample.data.get(), likelihood: .categorical, kind: .exact,
      blocks: [1, 2])
    let target = try ExactFisher(all).dense(within: .standard)
    let found = try only(ComparisonSample.values(.relativeFrobenius, .fullData, .kfac))
    #expect(isClose(found, norm(kfac() - target) / norm(target)))
    let exact = try only(ComparisonSample.values(.relativeFrobenius, .fullData, .exact))
    #expect(isClose(exact, norm(fisher - target) / norm(target)))
    #expect(exact > 0.01, "40 of 120 examples are not all")
  }

  @Test func samplingErrorOfOtherFishers() throws {
    let empirical = GradientSamples(
      network, batch, likelihood: .categorical, kind: .empirical, blocks: [1, 2])
    let matrix = try ExactFisher(empirical).dense(within: .standard)
    let found = try only(
      ComparisonSample.values(.relativeFrobenius, .full, .exact, fisher: "empirical"))
    #expect(isClose(found, norm(matrix - fisher) / norm(fisher)))
    for fisher in ["monte-carlo(1)", "exact, moving average"] {
      let kfac = try ComparisonSample.values(.relativeFrobenius, .full, .kfac, fisher: fisher)
      #expect(kfac.count == 1 && kfac[0] > 0.01, "\(fisher)")
    }
  }

  /// η = (ûᵀF_λu)² / (ûᵀF_λû · uᵀF_λu) and its companions, by two dense solves.
  @Test(arguments: [DampingRule.sqrt, .factor, .pi, .exact], [0.01, 0.1])
  func stepMetricsOfKFAC(rule: DampingRule, lambda: Double) throws {
    let root = lambda.squareRoot()
    let damped: Matrix
    switch rule {
    case .exact: damped = kfac().addingToDiagonal(lambda)
    case .sqrt: damped = kfac { _, _ in (root, root) }
    case .factor: damped = kfac { _, _ in (lambda, lambda) }
    case .pi, .none:
      damped = kfac { a, g in
        let ratio = (a.trace / Double(a.rowCount)) / (g.trace / Double(g.rowCount))
        return (ratio.squareRoot() * root, root / ratio.squareRoot())
      }
    }
    func solve(_ matrix: Matrix) throws -> Vector {
      try LAPACK.dposv(matrix, gradient)
    }
    let reference = fisher.addingToDiagonal(lambda)
    let step = try solve(damped)
    let exact = try solve(reference)
    let cross = step.dot(reference * exact)
    let own = step.dot(reference * step)
    let best = exact.dot(reference * exact)
    let expected: [(ErrorMetric, Double)] = [
      (.efficiency, cross * cross / (own * best)),
      (.fisherCosine, cross / (own * best).squareRoot()),
      (.lengthRatio, step.norm / exact.norm),
      (.cosine, step.dot(exact) / (step.norm * exact.norm)),
      (.bestStepLength, gradient.dot(step) / own),
      (.predictedDecreaseAtBest, 0.5 * gradient.dot(step) * gradient.dot(step) / own),
    ]
    for (metric, value) in expected {
      let found = try only(
        ComparisonSample.values(
          metric, .full, .kfac, rule: rule, lambda: lambda, solver: "direct"))
      #expect(isClose(found, value, 1e-10), "\(metric): \(found), expected \(value)")
    }
  }

  @Test func lossDecreaseAndDivergenceOfAStep() throws {
    let damped = kfac().addingToDiagonal(0.1)
    let step = ParameterVector(
      try LAPACK.dposv(damped, gradient), layout: samples.layout)
    var moved = network
    for (index, block) in step.blocks.enumerated() {
      moved.parameters[index + 1].weights = network.parameters[index + 1].weights - block
    }
    func outputs(_ network: Network) -> Matrix { network.forward(batch.inputs).output }
    func loss(_ network: Network) -> Double {
      Likelihood.categorical.losses(outputs(network), batch.targets).reduce(0, +) / 40
    }
    func value(_ metric: ErrorMetric) throws -> Double {
      try only(
        ComparisonSample.values(
          metric, .full, .kfac, rule: .exact, lambda: 0.1, solver: "direct"))
    }
    #expect(isClose(try value(.decreaseAtOne), loss(network) - loss(moved), 1e-10))
    // KL = Σ p (log p − log q), from softmax by its definition.
    func probabilities(_ network: Network) -> Matrix {
      let powers = outputs(network).map { exp($0) }
      return Matrix(rowCount: 3, columnCount: 40) { row, column in
        let sum = powers[0, column] + powers[1, column] + powers[2, column]
        return powers[row, column] / sum
      }
    }
    let p = probabilities(network).storage
    let q = probabilities(moved).storage
    var divergence = 0.0
    for index in p.indices { divergence += p[index] * log(p[index] / q[index]) / 40 }
    #expect(isClose(try value(.divergenceAtOne), divergence, 1e-10))
  }

  @Test func inverseErrorOfALayer() throws {
    let range = 0..<24
    func inverse(_ matrix: Matrix) throws -> Matrix {
      try LAPACK.dpotri(matrix.block(rows: range, columns: range))
    }
    let exact = try inverse(fisher.addingToDiagonal(0.01))
    let approximate = try inverse(kfac { _, _ in (0.01, 0.01) })
    let found = try only(
      ComparisonSample.values(
        .relativeInverseFrobenius, .blocks, .kfac, place: .layer(2), rule: .factor, lambda: 0.01))
    #expect(isClose(found, norm(approximate - exact) / norm(exact), 1e-10))
  }
}
