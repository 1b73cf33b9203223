import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Foundation
import Networks
import Testing

@Suite("Figure 4 and its specification curve")
struct SpecificationCurveTests {
  /// Layers 2 to 4 of 6-5-5-5-3 after 10 and 50 iterations.
  static let options: ComparisonOptions = {
    var options = ComparisonOptions()
    options.widths = [6, 5, 5, 5, 3]
    options.activation = .tanh
    options.split = 2
    options.batch = 40
    options.iterations = [10, 50]
    options.lastIteration = 50
    options.curveStep = 10
    options.seeds = [4, 9]
    options.lambdas = [0.3]
    options.defaultLambda = 0.3
    options.structures = [.exact, .blockDiagonal, .kfac, .ekfac, .kfacSplit]
    return options
  }()

  private func row(_ at10: Double, _ at50: Double, _ norm: SplitError.Norm = .frobenius)
    -> FigureFour.Row
  {
    FigureFour.Row(.last, .out, norm, at10: [at10], at50: [at50])
  }

  @Test func theVerdictsOnFigureFourFollowTheWindows() {
    #expect(FigureFour.fiveVerdict([row(0.05, 1)], kfac: 1, split: 1) == .reproduced)
    #expect(FigureFour.fiveVerdict([row(0.6, 1)], kfac: 0.04, split: 0.06) == .reproduced)
    #expect(FigureFour.fiveVerdict([row(0.6, 1)], kfac: 0.04, split: 0.08) == .notFound)
    let other = [row(0.6, 0.6), row(0.05, 0.01, .largest)]
    #expect(FigureFour.fiveVerdict(other, kfac: 1, split: 1) == .inFormOnly)
    #expect(FigureFour.oneVerdict([row(0.05, 0.01)]) == .reproduced)
    #expect(FigureFour.oneVerdict([row(0.009, 0.01)]) == .notFound, "it must fall")
    #expect(FigureFour.oneVerdict(other) == .inFormOnly)
    #expect(FigureFour.oneVerdict([row(0.6, 0.3)]) == .inFormOnly, "halved")
    #expect(FigureFour.oneVerdict([row(0.6, 0.31)]) == .notFound)
    #expect(FigureFour.shareVerdict(at10: 0.3, at50: 0.31) == .reproduced)
    #expect(FigureFour.shareVerdict(at10: 0.3, at50: 0.3) == .notFound)
  }

  @Test func theFactorsGiveTheErrorsThatCompareMeasuresOnDenseMatrices() throws {
    let data = try ReproductionSample.data.get().small.dataset
    let options = SpecificationCurveTests.options
    let result = try FigureFour.result(options, data: data) { _, _, _ in }
    let comparison = try Comparison(options, dataset: data, likelihood: .categorical) { _, _, _ in }
    let summary = ComparisonSummary(comparison)
    let norms = result.tables[0]
    func cell(_ norm: SplitError.Norm, _ column: String) throws -> Double {
      let row = try #require(
        norms.rows.first {
          $0[0] == .text(FigureFour.Layers.last.rawValue) && $0[1] == .text("out")
            && $0[2] == .text(norm.rawValue)
        })
      let index = try #require(norms.columns.firstIndex { $0.name == column })
      guard case .number(let value) = row[index] else { return .nan }
      return value
    }
    for (norm, metric) in [
      (SplitError.Norm.frobenius, ErrorMetric.relativeFrobenius), (.largest, .maximumAbsolute),
    ] {
      for iteration in [10, 50] {
        let dense = try #require(
          summary.statistic(metric, .kfac, iteration: iteration, structure: .kfacSplit))
        let value = try cell(norm, "mean_\(iteration)")
        #expect(abs(value - dense.mean) <= 1e-12 * dense.mean, "\(norm) after \(iteration)")
      }
    }
    // Three readings of the layers, each with 3 · 5 + 1 norms; all networks here are small.
    #expect(norms.rows.count == 3 * 16)
    #expect(result.tables.map(\.name) == ["norms", "exact-errors"])
    #expect(result.figures.map(\.name) == ["figure4", "figure4-errors"])
    #expect(result.claims.count == 3)
  }

  private func reading(start: Int, norm: Int, at10: Double, at50: Double)
    -> SpecificationReading
  {
    SpecificationReading(
      levels: [0, UInt8(start), 0, 0, 0, 0, 0, UInt8(norm), 0], at10: at10, at50: at50)
  }

  /// log e = s·start + t·norm in a balanced crossing of 3 × 2 levels: variances 2s²/3 and t²/4.
  @Test func additiveEffectsExplainTheirShareOfTheVariance() {
    let readings = (0..<3).flatMap { start in
      (0..<2).map { norm in
        reading(
          start: start, norm: norm, at10: exp(0.3 * Double(start) + 0.5 * Double(norm)), at50: 1)
      }
    }
    let (s, t) = (0.3 * 0.3 * 2 / 3, 0.5 * 0.5 / 4)
    func share(_ choice: SpecificationChoices.Choice) -> Double {
      SpecificationAnalysis.explained(readings, by: choice, .at10)
    }
    #expect(abs(share(.start) - s / (s + t)) <= 1e-13)
    #expect(abs(share(.norm) - t / (s + t)) <= 1e-13)
    #expect(share(.activation) <= 1e-13, "one level explains nothing")
    #expect(SpecificationAnalysis.explained(readings, by: .start, .at50) == 0, "nothing varies")
    let ratio = SpecificationAnalysis.explained(readings, by: .start, .ratio)
    #expect(abs(ratio - share(.start)) <= 1e-13, "log 1/e is −log e")
    #expect(SpecificationAnalysis.explained([], by: .start, .at10) == 0)
    let zero = readings + [reading(start: 2, norm: 0, at10: 0, at50: 1)]
    #expect(SpecificationAnalysis.explained(zero, by: .start, .at10) == share(.start))
  }

  @Test func sharesCountTheWindows() {
    let shares = SpecificationAnalysis.Shares([
      reading(start: 0, norm: 0, at10: 0.05, at50: 0.01),
      reading(start: 0, norm: 0, at10: 0.03, at50: 0.03),
      reading(start: 0, norm: 0, at10: 0.071, at50: 0.005),
      reading(start: 0, norm: 0, at10: 0.5, at50: 0.3),
    ])
    #expect(shares.count == 4)
    #expect(shares.five == 0.5 && shares.one == 0.5 && shares.both == 0.25 && shares.halved == 0.5)
  }

  @Test func everyCombinationIsReadOnceAndAsFromItsOwnTraining() throws {
    let data = try ReproductionSample.data.get().small.dataset
    var choices = SpecificationChoices(seeds: [4])
    choices.networks = [[6, 5, 5, 5, 3], [6, 5, 5, 5, 5, 3]]
    choices.starts = [.he, .normal(standardDeviation: 0.1)]
    choices.activations = [.tanh]
    choices.trainings = [choices.trainings[0], choices.trainings[4]]
    choices.batch = 40
    choices.split = 2
    let result = try SpecificationCurve.result(choices, data: data) { _, _, _ in }
    // Four runs of each network; labels and bias make four factors of it. Layers 2–4 have 16 errors,
    // layers 1–3 the 13 that are not spectral.
    let all = try #require(result.tables[0].rows.first)
    #expect(all[2] == .integer(4 * 4 * (16 + 13) + 4 * 4 * 16))
    let readings = result.tables[2]
    #expect(readings.rows.count == (2 + 1) * 4 * 4 * 3)
    for (training, name) in [
      (ComparisonOptions.Training.sgd, "sgd 0.1"), (.kfac, "kfac 0.1, λ 0.3"),
    ] {
      for (layers, range) in [(FigureFour.Layers.last, 2...4), (.first, 1...3)] {
        var options = SpecificationCurveTests.options
        options.training = training
        let run = try TrainingRun(
          seed: 4, data: data, likelihood: .categorical, options: options, iterations: [10, 50])
        let error = try FigureFour.splitError(
          run.states[1].network, data.subset(run.states[1].batch), layers: range, split: 2,
          lambda: 0.3, fisher: .empirical)
        for damping in SplitError.Damping.allCases {
          let row = try #require(
            readings.rows.first {
              Array($0.prefix(7))
                == [layers.rawValue, "he", "tanh", name, "empirical", "in", damping.rawValue]
                .map { .text($0) }
            })
          let column = try #require(
            readings.columns.firstIndex { $0.name == "relative Frobenius 50" })
          let expected = try #require(error.value(.frobenius, damping))
          guard case .number(let value) = row[column] else {
            Issue.record("\(row[column]) is no number")
            continue
          }
          // Written with four digits.
          #expect(abs(value - expected) <= 5.1e-4 * expected, "\(layers), \(name), \(damping)")
        }
      }
    }
    #expect(result.figures.map(\.name) == ["specification-curve", "variance-explained"])
    #expect(result.claims.allSatisfy { $0.verdict == .measured })
  }
}
