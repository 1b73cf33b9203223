import Curvature
import DenseAlgebra
import Experiments
import Networks
import Testing

/// The verdicts on Table 2 and Figure 7, on made-up curves: each can go both ways.
@Suite("Verdicts on training curves")
struct TrainingFindingsTests {
  static let methods: [OptimizerMethod] = [
    .momentum, .kfac, .ekfac, .cgKFAC, .thor, .thorStop, .thorNT, .thorTrace, .thorFrequency,
    .thorSplit,
  ]

  /// What one method's two runs reach, at steps 0, 10, 20 and 30.
  struct Course {
    var losses = [2.0, 1, 0.8, 0.7]
    var accuracy = 0.8
    var operations = 100.0
  }

  private func verdicts(_ courses: [OptimizerMethod: Course]) throws -> [Claim] {
    let network = try Network.multilayerPerceptron(
      widths: [2, 2], activation: .tanh, initialization: .he, seed: 1)
    let examples = Dataset(
      name: "made up", inputs: Matrix(rowCount: 2, columnCount: 4), targets: .labels([0, 1, 0, 1]))
    let data = TrainingData(
      training: examples, test: examples, classCount: 2, files: [], testOrigin: "made up")
    var options = TrainingExperiment.Options()
    options.batch = 1
    options.seeds = [1, 2]
    options.levels = [0.5]
    let runs = TrainingFindingsTests.methods.flatMap { method in
      options.seeds.map { seed in
        let course = courses[method] ?? Course()
        return TrainingExperiment.Run(
          name: method.rawValue, seed: seed, network: network,
          points: course.losses.enumerated().map { index, loss in
            TrainingExperiment.Point(
              step: 10 * index, epoch: Double(index), trainingLoss: loss, testLoss: loss,
              testAccuracy: course.accuracy, operations: Double(10 * index) * course.operations,
              seconds: Double(index))
          })
      }
    }
    let entries = TrainingFindingsTests.methods.map {
      TrainingExperiment.Entry($0, OptimizerSettings($0))
    }
    return TrainingFindings(
      TrainingExperiment(entries: entries, options: options, data: data, runs: runs)
    ).claims
  }

  private func verdict(_ part: String, _ courses: [OptimizerMethod: Course]) throws -> Claim.Verdict
  {
    try #require(verdicts(courses).first { $0.statement.contains(part) }).verdict
  }

  @Test("Faster in the first third needs all four methods below momentum at that step")
  func firstThird() throws {
    let part = "converge faster than Momentum"
    let slow = Course(losses: [2, 1.5, 0.8, 0.7])
    #expect(try verdict(part, [.momentum: slow]) == .inFormOnly)
    #expect(try verdict(part, [.momentum: slow, .thorNT: slow]) == .notFound)
    // What comes later does not count.
    #expect(try verdict(part, [.momentum: Course(losses: [2, 1.5, 0, 0])]) == .inFormOnly)
  }

  @Test(
    "Higher accuracy needs every second-order method above momentum; the losses are told beside it")
  func everyMethod() throws {
    let part = "higher test accuracy than Momentum"
    var low = Course()
    low.accuracy = 0.7
    #expect(try verdict(part, [.momentum: low]) == .inFormOnly)
    #expect(try verdict(part, [.momentum: low, .thorSplit: low]) == .notFound)
    let claims = try verdicts([.ekfac: Course(losses: [2, 1, 0.9, 0.9])])
    let claim = try #require(claims.first { $0.statement.contains(part) })
    #expect(claim.reason.contains("the mean training loss of ekfac is above tuned momentum's"))
  }

  @Test("The order of Table 2 needs momentum lowest and THOR_stop not below KFAC")
  func orderOfAccuracies() throws {
    var courses: [OptimizerMethod: Course] = [:]
    let accuracies: [(OptimizerMethod, Double)] = [
      (.momentum, 0.80), (.kfac, 0.81), (.thor, 0.83), (.thorStop, 0.84), (.thorNT, 0.81),
    ]
    for (method, accuracy) in accuracies { courses[method] = Course(accuracy: accuracy) }
    #expect(try verdict("Best Test Acc", courses) == .inFormOnly)
    courses[.thorStop] = Course(accuracy: 0.805)
    #expect(try verdict("Best Test Acc", courses) == .notFound)
  }

  @Test("Operations decide on time per epoch and on the order of the ablations")
  func operations() throws {
    var courses: [OptimizerMethod: Course] = [.kfac: Course(operations: 400)]
    #expect(try verdict("Time Per Epoch", courses) == .inFormOnly)
    #expect(try verdict("Time Per Epoch", [.thor: Course(operations: 400)]) == .notFound)
    courses[.thorTrace] = Course(operations: 100)
    courses[.thorFrequency] = Course(operations: 200)
    courses[.thorSplit] = Course(operations: 300)
    let claims = try verdicts(courses)
    let ablation = try #require(claims.first { $0.statement.hasPrefix("THOR_tr") })
    #expect(ablation.verdict == .inFormOnly)
    // 100·(1 − 100/400) and so on.
    #expect(
      ablation.finding.contains("thor-trace 75.0 %, thor-frequency 50.0 %, thor-split 25.0 %"))
    courses[.thorSplit] = Course(operations: 50)
    #expect(try verdict("THOR_tr which", courses) == .notFound)
    #expect(try verdict("faster than EKFac", [.ekfac: Course(operations: 101)]) == .inFormOnly)
    #expect(try verdict("faster than EKFac", [.ekfac: Course(operations: 99)]) == .notFound)
  }

  @Test("The printed differences follow from the printed table")
  func printedDifferences() throws {
    #expect(try verdict("THOR is 152.67s faster", [:]) == .arithmeticConsistent)
  }
}
