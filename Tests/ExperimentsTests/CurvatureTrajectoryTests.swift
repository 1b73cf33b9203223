import Curvature
import DenseAlgebra
import Experiments
import Networks
import Optimization
import TestSupport
import Testing

@Suite("Figures 1 and 2: norms and traces while KFAC trains")
struct CurvatureTrajectoryTests {
  static let settings: CurvatureTrajectory.Settings = {
    var settings = CurvatureTrajectory.Settings()
    settings.widths = [6, 5, 4, 3]
    settings.activation = .tanh
    settings.batch = 20
    settings.interval = 2
    settings.steps = 30
    return settings
  }()

  static let run = Result {
    try CurvatureTrajectory(
      settings, data: ComparisonSample.data.get(), likelihood: .categorical, seed: 3)
  }

  let run: CurvatureTrajectory
  init() throws { run = try CurvatureTrajectoryTests.run.get() }

  /// The start of the run, made again from its seed.
  private func start() throws -> (network: Network, batch: Dataset) {
    let data = try ComparisonSample.data.get()
    let network = try Network.multilayerPerceptron(
      widths: [6, 5, 4, 3], activation: .tanh, initialization: .he, seed: 3)
    var batches = BatchSequence(count: data.count, batch: 20, seed: 3 ^ 0xBA7C_4E5)
    return (network, data.subset(batches.next()))
  }

  @Test(arguments: [FisherKind.exact, .empirical, .monteCarlo(samples: 2, seed: 5)])
  func theNormOfAnExactBlockIsThatOfItsDenseMatrix(kind: FisherKind) throws {
    let (network, batch) = try start()
    let samples = GradientSamples(network, batch, likelihood: .categorical, kind: kind)
    for (index, block) in ExactFisher.blocks(of: samples).enumerated() {
      let dense = LAPACK.dlange(try block.dense(within: .standard), .frobenius)
      let value = LayerSamples(samples, block: index).exactBlockNorm
      #expect(abs(value - dense) <= 1e-13 * dense, "layer \(index + 1), \(kind)")
    }
  }

  @Test func theFirstRecordIsOfTheDenseMatricesOfTheFirstBatch() throws {
    let (network, batch) = try start()
    for kind in [FisherKind.exact, .empirical] {
      let samples = GradientSamples(network, batch, likelihood: .categorical, kind: kind)
      for (index, block) in ExactFisher.blocks(of: samples).enumerated() {
        let dense = try block.dense(within: .standard)
        let record = run.records(ofLayer: index + 1)[0]
        let traces = kind == .exact ? record.exact : record.empirical
        #expect(abs(traces.block - dense.trace) <= 1e-13 * dense.trace)
        let block = samples.blocks[index]
        var g = 0.0
        for column in block.uses[0].gradients { g += column.dot(column) / 20 }
        let a = block.uses[0].inputs.dot(block.uses[0].inputs) / 20
        #expect(abs(traces.g - g) <= 1e-13 * g && abs(traces.a - a) <= 1e-13 * a)
        if kind == .exact {
          let kfac = try KroneckerBlock.kfac(LayerSamples(samples, block: index))
            .dense(within: .standard)
          #expect(abs(record.kroneckerNorm - LAPACK.dlange(kfac, .frobenius)) <= 1e-12)
        }
      }
    }
  }

  @Test func theRunningAverageTakesTheFirstBatchWholeAndTheSecondByHalf() throws {
    let records = run.records(ofLayer: 2)
    #expect(records[0].average == records[0].exact)
    #expect(records[0].averageNorm == records[0].kroneckerNorm)
    let half = (records[0].exact.block + records[1].exact.block) / 2
    #expect(abs(records[1].average.block - half) <= 1e-14 * half)
    let a = (records[0].exact.a + records[1].exact.a) / 2
    #expect(abs(records[1].average.a - a) <= 1e-14 * a)
  }

  @Test func everyLayerIsRecordedAtEveryInterval() {
    #expect(run.divergedAt == nil)
    #expect(run.records.count == 16 * 3)
    #expect(run.records(ofLayer: 3).map(\.step) == Array(stride(from: 0, through: 30, by: 2)))
  }

  @Test func aRunThatLeavesTheNumbersEndsEarlyAndSaysSo() throws {
    var settings = CurvatureTrajectoryTests.settings
    settings.learningRate = 1e300
    let wild = try CurvatureTrajectory(
      settings, data: ComparisonSample.data.get(), likelihood: .categorical, seed: 3)
    let step = try #require(wild.divergedAt)
    #expect(wild.records.allSatisfy { $0.step <= step })
  }

  @Test func aCourseIsRapidThenStableOrNot() {
    // Doubling five times, then steady.
    let rapid = NormCourse([1, 2, 4, 8, 16, 32] + Array(repeating: 32, count: 14))
    #expect(rapid.first == 1 && rapid.early == 1 && rapid.late == 0 && rapid.drift == 0)
    #expect(rapid.isAsStated && rapid.isAsStatedAtOnce)
    // The mean of records 3 to 7, (8 + 16 + 3 · 32)/5 = 24, lies just a quarter below 32.
    #expect(rapid.settledAt == 3)
    // One jump, then noise of ten per cent: only the first interval is rapid.
    let jump = NormCourse([1, 3] + (0..<18).map { $0.isMultiple(of: 2) ? 3.3 : 3 })
    #expect(!jump.isRapidFirst && jump.isRapidAtOnce && jump.isStableLater)
    // Steady growth: late changes as large as early ones, and no level.
    let growth = NormCourse((0..<20).map(exponential))
    #expect(!growth.isRapidFirst && !growth.isRapidAtOnce && !growth.isStableLater)
    // Rapid first, but 40 % more in the last quarter than in the third.
    let late = NormCourse(
      [1, 2, 4, 8, 16, 32] + Array(repeating: 32, count: 9) + [45, 45, 45, 45, 45])
    #expect(late.isRapidFirst && !late.isStableLater && !late.isAsStated)
  }

  private func exponential(_ k: Int) -> Double { (0..<k).reduce(1.0) { value, _ in 1.2 * value } }

  @Test func theVerdictOnFigureOneFollowsTheCourses() {
    let good = NormCourse([1, 2, 4, 8, 16, 32] + Array(repeating: 32, count: 14))
    let jump = NormCourse([1, 3] + (0..<18).map { $0.isMultiple(of: 2) ? 3.3 : 3 })
    let flat = NormCourse((0..<20).map { $0.isMultiple(of: 2) ? 3.3 : 3 })
    func rows(_ courses: [NormCourse], _ statistic: FigureOne.Statistic = .exactBlock)
      -> [FigureOne.Row]
    {
      courses.enumerated().map {
        FigureOne.Row(layer: $0 + 1, statistic: statistic, courses: [$1, $1, flat])
      }
    }
    #expect(FigureOne.verdict(rows([good, good, good])) == .reproduced)
    #expect(FigureOne.verdict(rows([good, good, flat])) == .inFormOnly)
    #expect(FigureOne.verdict(rows([good, jump, jump])) == .inFormOnly)
    #expect(FigureOne.verdict(rows([flat, jump, jump])) == .notFound)
    // KFAC's averages change fast at first by construction: they do not count.
    #expect(FigureOne.verdict(rows([good, good], .average) + rows([flat, flat])) == .notFound)
    #expect(FigureOne.verdict([]) == .notFound)
    #expect(FigureOne.settlingVerdict([100, 200]) == .reproduced)
    #expect(FigureOne.settlingVerdict([110, 200]) == .notFound)
    #expect(FigureOne.settlingVerdict([0, 0]) == .notFound)
  }

  @Test func figureOneHasItsTablesAndItsFigure() throws {
    var settings = CurvatureTrajectoryTests.settings
    settings.steps = 16
    let result = try FigureOne.result(ReproductionSample.context(), settings)
    #expect(result.tables.map(\.name) == ["norms", "changes"])
    #expect(result.tables[0].rows.count == 2 * 9 * 3, "two seeds, nine records, three layers")
    #expect(result.tables[1].rows.count == 3 * 3, "three statistics, three layers")
    #expect(result.figures.map(\.name) == ["figure-1"])
    #expect(result.claims.count == 2)
  }
}
