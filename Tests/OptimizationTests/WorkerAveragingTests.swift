import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// Simulated workers: what is averaged (P-135), and what travels.
@Suite("nn.thor: workers")
struct WorkerAveragingTests {
  /// The factors of some workers.
  struct WorkersCase: Sendable, CustomStringConvertible {
    var matrices: [MatrixCase]
    var damping: Double
    var blockSize: Int

    var size: Int { matrices[0].size }
    var description: String {
      "workers \(matrices), damping \(damping), blocks of \(blockSize)"
    }

    static let kinds: [MatrixKind] = [
      .identity, .geometric, .zero, .rankOne, .rankDeficient, .repeated, .clustered, .toeplitz,
      .hilbert, .graded,
    ]

    static let all = cases(atLeast: 1, kinds)
    /// Two workers and more, whose factors have random eigenvectors, hence differ.
    static let different = cases(atLeast: 2, [.geometric, .rankOne, .repeated, .clustered])
      .filter { $0.size > 1 }.generic

    private static func cases(atLeast least: Int, _ kinds: [MatrixKind]) -> Cases<WorkersCase> {
      Cases(
        edges: (least...4).map { count in
          WorkersCase(
            matrices: (0..<count).map {
              MatrixCase(kinds[$0 % kinds.count], size: 2 + count, seed: UInt64($0))
            }, damping: 0.1, blockSize: count)
        } + [
          WorkersCase(
            matrices: [
              MatrixCase(.zero, size: 1, seed: 1), MatrixCase(.repeated, size: 1, seed: 1),
            ],
            damping: 1e-4, blockSize: 1)
        ],
        smaller: { value in
          var candidates: [WorkersCase] = []
          if value.matrices.count > least {
            var copy = value
            copy.matrices.removeLast()
            candidates.append(copy)
          }
          for size in 1..<max(value.size, 1) {
            var copy = value
            for index in copy.matrices.indices { copy.matrices[index].size = size }
            candidates.append(copy)
          }
          return candidates
        },
        draw: { random in
          let size = 1 + random.below(8)
          let matrices = (0..<least + random.below(4)).map { _ in
            MatrixCase(
              kinds[random.below(kinds.count)], size: size, seed: random.next() % 100_000)
          }
          return WorkersCase(
            matrices: matrices, damping: [1e-4, 0.01, 0.3, 3][random.below(4)],
            blockSize: 1 + random.below(size + 1))
        })
    }

    /// A split and damped matrix.
    func damped(_ matrix: Matrix) -> Matrix {
      Matrix(rowCount: size, columnCount: size) {
        ($0 / blockSize == $1 / blockSize ? matrix[$0, $1] : 0) + ($0 == $1 ? damping : 0)
      }
    }

    /// The mean of matrices of the case's size.
    func mean(_ matrices: [Matrix]) -> Matrix {
      (1 / Double(matrices.count))
        * matrices.reduce(Matrix(rowCount: size, columnCount: size), +)
    }
  }

  @Test("P-135: the mean over workers of inverses ⪰ the inverse of the mean; equal for one worker")
  func meanOfInversesIsLarger() {
    property("P-135", .inequality, oracle: "dpotri", over: WorkersCase.all) { test, checks in
      let factors = test.matrices.map(\.matrix)
      func averaged(_ averaging: WorkerAveraging) throws -> Matrix {
        try averaging.inverse(
          of: factors, shift: test.damping, blockSize: test.blockSize, name: "factor"
        ).dense
      }
      let (ofInverses, ofFactors) = (try averaged(.inverses), try averaged(.factors))
      let damped = factors.map(test.damped)
      let expectedInverses = test.mean(try damped.map { try LAPACK.dpotri($0) })
      let expectedFactors = try LAPACK.dpotri(test.mean(damped))
      let condition = try damped.reduce(1.0) {
        let values = try LAPACK.dsyevd($1).values
        return max($0, values[test.size - 1] / values[0])
      }
      let scale = condition * LAPACK.norm1(expectedInverses)
      checks.equal(ofInverses, expectedInverses, scale: scale, "mean of inverses, over κ")
      checks.equal(ofFactors, expectedFactors, scale: scale, "inverse of the mean, over κ")
      let smallest = try LAPACK.dsyevd((ofInverses - ofFactors).symmetrized).values[0]
      checks.atMost(-smallest, 0, size: test.size, scale: scale, "least eigenvalue ≥ 0")
      if factors.count == 1 { checks.holds(ofInverses == ofFactors, "one worker: equal bits") }
    }
  }

  @Test("P-135: workers whose factors differ have a strictly larger mean of inverses")
  func generallyTheyDiffer() {
    property("P-135", .counterProperty, oracle: "theorem", over: WorkersCase.different) {
      test, checks in
      let factors = test.matrices.map(\.matrix)
      func trace(_ averaging: WorkerAveraging) throws -> Double {
        try averaging.inverse(
          of: factors, shift: test.damping, blockSize: test.size, name: "factor"
        ).trace
      }
      checks.bounded(
        try trace(.inverses) / trace(.factors) - 1, atLeast: 1e-9, "relative excess of the trace")
    }
  }

  @Test("Averaged factors are those of the whole batch, whatever the number of workers")
  func averagedFactorsAreTheBatchs() throws {
    for run in ShortRun.all {
      var options = run.options
      options.source.averaging = .factors
      let whole = try run.networks(options, steps: 1)[0].parameterVector.flattened
      for workers in [2, 4, 8] {
        options.workers = workers
        options.batchSize = run.batch / workers
        let shared = try run.networks(options, steps: 1)[0].parameterVector.flattened
        expectRatio(
          Ratio(
            Matrix(column: shared), against: Matrix(column: whole), size: whole.count,
            scale: 1e3 * LAPACK.norm1(Matrix(column: whole))), "\(workers), \(run)")
        options.source.averaging = .inverses
        let inverses = try run.networks(options, steps: 1)[0].parameterVector.flattened
        // A hundred times what the equality above allows.
        expectDifferent(whole, inverses, relative: 1e-8, "\(workers), \(run)")
        options.source.averaging = .factors
      }
    }
  }

  @Test("On a layer, averaged inverses are never below the whole batch's, and step further")
  func layersStepFurther() throws {
    let run = ShortRun.perceptron
    let samples = GradientSamples(
      run.source.network, run.data(ofStep: 0), likelihood: run.source.likelihood, kind: .empirical)
    var options = run.options
    options.batchSize = 2
    let workers = try SimulatedWorkers(samples, count: 4)
    #expect(workers.parts.map(\.exampleCount) == [2, 2, 2, 2])
    for index in samples.blocks.indices {
      options.source.averaging = .inverses
      let inverses = try workers.inverse(
        ofBlock: index, isConvolution: false, lambda: 0.2, options)
      options.source.averaging = .factors
      let factors = try workers.inverse(
        ofBlock: index, isConvolution: false, lambda: 0.2, options)
      for (larger, smaller) in [(inverses.a, factors.a), (inverses.g, factors.g)] {
        let least = try LAPACK.dsyevd((larger.dense - smaller.dense).symmetrized).values[0]
        expectAtMost(-least, 0, slack: 1e-13 * LAPACK.norm1(larger.dense), "layer \(index)")
        #expect(larger.trace > smaller.trace * (1 + 1e-9) || smaller.size == 2)
      }
    }
  }
}
