import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks
import Optimization

/// The training runs of chapter 11: the three variants of THOR, and what stale factors cost.
struct TraceRuleRuns: Sendable {
  /// One variant's decisions and operations.
  struct Course: Sendable {
    let name: String
    let decisions: [RefreshDecision]
    /// Floating-point operations on curvature: statistics, factorizations and solves.
    let operations: Double
  }

  /// A variant with its thresholds.
  struct Variant: Sendable {
    let name: String
    let rule: TraceRule
  }

  static let variants = [
    Variant(name: "THOR (0.01, 0)", rule: .thor),
    Variant(name: "THOR_stop (0.01, 0.001)", rule: .thorStop),
    Variant(name: "THOR_NT (0, 0)", rule: .thorNT),
  ]
  static let lambda = 0.3
  static let learningRate = 0.01
  static let seeds: [UInt64] = [1, 2, 3]
  /// Of the runs whose decisions are compared with fresh steps.
  static let staleSeeds: [UInt64] = [1, 2, 3, 4, 5, 6]
  static let training = StaleDecisions.Training()
  static let layerCount = 4

  /// The first seed's runs of every variant, with split 10 and without a split.
  let split, whole: [Course]
  /// THOR_stop of every seed.
  let stale: [StaleDecisions.Run]

  init(_ context: ChapterContext) throws {
    let data = context.fashionMNIST.dataset
    let variants = TraceRuleRuns.variants
    let courses = try Parallel.map(2 * variants.count, "chapter 11, variants", context.progress) {
      try TraceRuleRuns.course(
        variants[$0 % variants.count], data,
        split: $0 < variants.count ? TraceRuleRuns.training.split : nil)
    }
    split = Array(courses.prefix(variants.count))
    whole = Array(courses.suffix(variants.count))
    let choice = StaleDecisions.Choice(
      "thor-stop", stopBelow: TraceRule.thorStop.stopBelow, reading: .product,
      lambda: TraceRuleRuns.lambda, learningRate: TraceRuleRuns.learningRate)
    let seeds = TraceRuleRuns.staleSeeds
    stale = try Parallel.map(seeds.count, "chapter 11, stale steps", context.progress) {
      try StaleDecisions.run(
        choice, try TraceRuleRuns.start(seeds[$0]), data, training: TraceRuleRuns.training,
        seed: seeds[$0])
    }
  }

  private static func start(_ seed: UInt64) throws -> Network {
    try Network.multilayerPerceptron(
      widths: [784, 20, 20, 20, 10], activation: .relu, initialization: .he, seed: seed)
  }

  private static func course(_ variant: Variant, _ data: Dataset, split: Int?) throws -> Course {
    var options = KroneckerPreconditioner.Options()
    options.lambda = .constant(lambda)
    options.split = split
    options.factorInterval = .constant(training.interval)
    options.inverseInterval = .constant(training.interval)
    options.traceRule = variant.rule
    var optimizer = PreconditionedDescent(
      try KroneckerPreconditioner(options, name: variant.name),
      DescentRule(learningRate: .constant(learningRate), momentum: training.momentum))
    var network = try start(seeds[0])
    var batches = BatchSequence(
      count: data.count, batch: training.batch, seed: seeds[0] ^ 0xBA7C_4E5)
    var decisions: [RefreshDecision] = []
    for _ in 0..<training.steps {
      network = try optimizer.step(network, data.subset(batches.next()), .categorical)
      decisions += optimizer.takeDecisions()
    }
    return Course(
      name: variant.name, decisions: decisions, operations: optimizer.preconditioner.operations)
  }

  /// The decisions of one layer of a course by test; nil after a stop.
  static func strip(_ course: Course, layer: Int, _ names: [String]) -> [TraceRule.Outcome?] {
    stride(from: 0, to: training.steps, by: training.interval).map { step in
      course.decisions.first { $0.step == step && $0.layer == names[layer] }?.outcome
    }
  }

  /// The layers' names in order.
  var layerNames: [String] {
    let first = split[0].decisions.filter { $0.step == 0 }
    return first.map(\.layer)
  }

  /// Every test of the first seed.
  var decisionTable: ResultTable {
    var table = ResultTable(
      "decisions", "Every test of the first seed's runs, split 10.",
      [
        ("variant", "name and (ω₁, ω₂)"), ("step", "training step"),
        ("layer", "counted from 1"), ("delta", "Δ of Eq. 8, reading a; empty at the first test"),
        ("outcome", "update, keep or stop"),
      ])
    for course in split {
      for decision in course.decisions {
        let layer = layerNames.firstIndex(of: decision.layer).map { $0 + 1 } ?? 0
        table.append([
          .text(course.name), .integer(decision.step), .integer(layer),
          decision.change.isNaN ? .empty : .number(decision.change),
          .text(decision.outcome.rawValue),
        ])
      }
    }
    return table
  }

  /// Decisions and operations of the variants.
  var savingTable: ResultTable {
    var table = ResultTable(
      "savings", "What each variant decided and what it computed: first seed, 400 steps.",
      [
        ("variant", "name and (ω₁, ω₂)"), ("update", "tests that updated"),
        ("keep", "tests that kept"), ("stop", "layers that stopped"),
        ("skipped", "share of the possible updates that were not made"),
        ("split_operations", "curvature operations over those of THOR_NT, split 10"),
        ("whole_operations", "the same without a split"),
      ])
    let possible = Double(
      TraceRuleRuns.layerCount * TraceRuleRuns.training.steps / TraceRuleRuns.training.interval)
    for (index, course) in split.enumerated() {
      func count(_ outcome: TraceRule.Outcome) -> Int {
        course.decisions.count { $0.outcome == outcome }
      }
      table.append([
        .text(course.name), .integer(count(.update)), .integer(count(.keep)),
        .integer(count(.stop)), .number(1 - Double(count(.update)) / possible),
        .number(course.operations / (split.last?.operations ?? .nan)),
        .number(whole[index].operations / (whole.last?.operations ?? .nan)),
      ])
    }
    return table
  }

  /// How often a stale step was worse than a bound, by decision.
  var staleTable: ResultTable {
    var table = ResultTable(
      "stale", "Stale steps against fresh ones at each decision: THOR_stop, six seeds.",
      [
        ("occasion", "the decision, or the end of the run"), ("count", "layers at decisions"),
        ("cosine_below", "share with an F-cosine below 0.9"),
        ("loss_above", "share that lose more than 10 % of η; layers 2 to 4"),
        ("wrong", "share with one of the two"), ("wrong_count", "how many"),
        ("other_batch", "share with one of the two for fresh factors of another batch"),
        ("median_cosine", "median F-cosine"),
      ])
    let observations = stale.flatMap(\.observations)
    for occasion in StaleDecisions.Occasion.allCases {
      let these = observations.filter { $0.occasion == occasion }
      guard !these.isEmpty else { continue }
      func share<Value>(_ among: [Value], _ isSo: (Value) -> Bool) -> Double {
        among.isEmpty ? .nan : Double(among.count(where: isSo)) / Double(among.count)
      }
      func isWrong(_ cosine: Double, _ loss: Double?) -> Bool {
        cosine < StaleDecisions.leastCosine || (loss ?? 0) > StaleDecisions.largestLoss
      }
      let losses = these.compactMap(\.loss)
      let large = share(losses) { $0 > StaleDecisions.largestLoss }
      table.append([
        .text(occasion.rawValue), .integer(these.count),
        .number(share(these) { $0.cosine < StaleDecisions.leastCosine }),
        losses.isEmpty ? .empty : .number(large),
        .number(share(these) { isWrong($0.cosine, $0.loss) }),
        .integer(these.count { isWrong($0.cosine, $0.loss) }),
        .number(share(these) { isWrong($0.controlCosine, $0.controlLoss) }),
        .number(Quantiles.median(these.map(\.cosine))),
      ])
    }
    return table
  }
}
