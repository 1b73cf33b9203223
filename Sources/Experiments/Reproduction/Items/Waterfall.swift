import Curvature
import DataFiles
import DenseAlgebra
import Foundation
import Networks

/// What each approximation between the population's natural gradient and THOR's step costs.
public enum Waterfall {
  static let item = ReproductionItem(
    "waterfall",
    "what each link from the population's Fisher to the step taken adds to the step's error",
    isOfPaper: false, run: run)

  /// One measured chain of one state.
  struct Measured: Sendable {
    let iteration: Int
    let seed: UInt64
    let points: [WaterfallChain.Point]
    let gradients: [WaterfallChain.GradientError]
  }

  private static func run(_ context: ReproductionContext) throws -> ReproductionResult {
    let data = context.data.training
    let iterations = context.isQuick ? [0, 10] : [0, 10, 50, 200]
    let lambdas = context.isQuick ? [1e-2, 1e-1] : [1e-4, 1e-3, 1e-2, 1e-1, 0.3, 1]
    let examples = data.training
    let population = examples.subset(
      Array(0..<min(context.isQuick ? 1024 : 4096, examples.count)))
    let runs = try Parallel.map(context.seeds.count, "waterfall, training", context.progress) {
      let needed = Set(iterations + iterations.map { $0 - age(at: $0) })
      return try StepStudy.states(data, seed: context.seeds[$0], iterations: needed.sorted())
    }
    let jobs = runs.indices.flatMap { run in iterations.map { (run, $0) } }
    let measured = try Parallel.map(jobs.count, "waterfall", context.progress) { job in
      let (run, iteration) = jobs[job]
      func state(_ iteration: Int) -> TailState {
        guard let found = runs[run].first(where: { $0.iteration == iteration }) else {
          preconditionFailure("no state at iteration \(iteration)")
        }
        return found
      }
      let now = state(iteration)
      var setting = WaterfallChain.Setting(
        network: now.network, batch: now.batch, population: now.examples(population),
        lambdas: lambdas)
      setting.labelSeed = now.seed &* 1000 &+ UInt64(iteration)
      if age(at: iteration) > 0 {
        let older = state(iteration - age(at: iteration))
        setting.older = WaterfallChain.factors(
          older.network, older.batch, StepStudy.likelihood,
          seed: now.seed &* 1000 &+ UInt64(older.iteration))
      }
      let result = try WaterfallChain.measure(setting)
      return Measured(
        iteration: iteration, seed: now.seed, points: result.points, gradients: result.gradients)
    }
    return ReproductionResult(
      setting: StepStudy.setting(context)
        + " The population is the exact Fisher of \(population.count) examples; the gradient is the "
        + "batch's throughout, so that only the curvature changes. Stale factors are 20 steps old "
        + "(10 at iteration 10; none at 0). Split 10; conjugate gradients stop at 10 steps or a "
        + "residual of 1 %.",
      claims: claims(measured, iterations, lambdas),
      tables: [table(measured, iterations, lambdas), gradientTable(measured, iterations, lambdas)],
      figures: [
        ("waterfall", figure(measured, iterations, lambdas, data, isEfficiency: false)),
        ("waterfall-eta", figure(measured, iterations, lambdas, data, isEfficiency: true)),
      ],
      remarks: [
        "The links are added in one order, and another order would give other increments: errors of "
          + "steps are vectors. `change` does not look at the sum: it is how far the link moves the step.",
        "η forgives a wrong length, the F-norm error does not: the factor rule at a small λ gives steps "
          + "that are far too long, which a learning rate would mend.",
      ])
  }

  /// How old the chain's stale factors are.
  static func age(at iteration: Int) -> Int { min(20, iteration) }

  /// The values of one place of the chain over the seeds.
  private static func values(
    _ measured: [Measured], _ iteration: Int, _ λ: Double, _ link: WaterfallChain.Link,
    _ rule: DampingRule, _ value: (WaterfallChain.Point) -> Double
  ) -> SampleSummary? {
    SampleSummary(
      measured.filter { $0.iteration == iteration }.flatMap(\.points)
        .filter { $0.lambda == λ && $0.link == link && $0.rule == rule }.map(value))
  }

  /// The links with their rules: up to the split F + λI, then two branches.
  private static var places: [(link: WaterfallChain.Link, rule: DampingRule)] {
    WaterfallChain.Link.allCases.prefix(5).map { ($0, .exact) }
      + [DampingRule.factor, .pi].flatMap { rule in
        WaterfallChain.Link.allCases.dropFirst(5).map { ($0, rule) }
      }
  }

  private static func table(_ measured: [Measured], _ iterations: [Int], _ lambdas: [Double])
    -> ResultTable
  {
    var table = ResultTable(
      "waterfall", "the step's error after each link of the chain, over the seeds",
      [
        ("iteration", "the training step before which the step is compared"),
        ("lambda", "λ of the reference F + λI and of every link"),
        ("link", "the last link of the chain; all those before it are in"),
        ("rule", "exact up to the split; then factor (Eq. 6 of the paper) or pi, two branches"),
        ("error", "mean of ‖û − u‖_Fλ / ‖u‖_Fλ against the population's Fisher"),
        ("error_least", "least over the seeds"), ("error_greatest", "greatest over the seeds"),
        ("increment", "mean of the error minus that of the chain without this link"),
        ("change", "mean of ‖û − û'‖_Fλ / ‖u‖_Fλ, û' the step without this link"),
        ("eta", "mean of η, the share of the population model's best decrease kept"),
        ("eta_least", "least over the seeds"), ("eta_greatest", "greatest over the seeds"),
      ])
    for iteration in iterations {
      for λ in lambdas {
        for (link, rule) in places {
          guard let error = values(measured, iteration, λ, link, rule, \.error),
            let increment = values(measured, iteration, λ, link, rule, \.increment),
            let change = values(measured, iteration, λ, link, rule, \.change),
            let eta = values(measured, iteration, λ, link, rule, \.efficiency)
          else { continue }
          table.append([
            .integer(iteration), .number(λ), .text(link.rawValue), .text(rule.rawValue),
            .number(error.mean), .number(error.least), .number(error.greatest),
            .number(increment.mean), .number(change.mean), .number(eta.mean), .number(eta.least),
            .number(eta.greatest),
          ])
        }
      }
    }
    return table
  }

  private static func gradientTable(
    _ measured: [Measured], _ iterations: [Int], _ lambdas: [Double]
  ) -> ResultTable {
    var table = ResultTable(
      "waterfall-gradient",
      "the same measure for the gradient: the batch's in place of the population's, exact curvature",
      [
        ("iteration", "the training step"), ("lambda", "λ of F + λI"),
        ("error", "mean of ‖F_λ⁻¹(g − ∇h)‖_Fλ / ‖F_λ⁻¹∇h‖_Fλ, g the batch's gradient"),
        ("eta", "mean of η of F_λ⁻¹g against F_λ⁻¹∇h"),
      ])
    for iteration in iterations {
      for λ in lambdas {
        let found = measured.filter { $0.iteration == iteration }.flatMap(\.gradients)
          .filter { $0.lambda == λ }
        guard let error = SampleSummary(found.map(\.error)),
          let eta = SampleSummary(found.map(\.efficiency))
        else { continue }
        table.append([.integer(iteration), .number(λ), .number(error.mean), .number(eta.mean)])
      }
    }
    return table
  }

  private static func claims(_ measured: [Measured], _ iterations: [Int], _ lambdas: [Double])
    -> [Claim]
  {
    let λ = lambdas.contains(1e-2) ? 1e-2 : lambdas[0]
    let branches = [DampingRule.factor, .pi]
    func chain(_ rule: DampingRule) -> [(link: WaterfallChain.Link, rule: DampingRule)] {
      places.filter { $0.rule == .exact || $0.rule == rule }
    }
    func sentence(_ rule: DampingRule) -> String {
      iterations.compactMap { iteration in
        let links = chain(rule).compactMap { place in
          values(measured, iteration, λ, place.link, place.rule, \.change)
            .map { (place.link, $0.mean) }
        }.sorted { $0.1 > $1.1 }
        guard links.count >= 2 else { return nil }
        return
          "iteration \(iteration): \(links[0].0.name) (\(NumberFormat.short(links[0].1))), then "
          + "\(links[1].0.name) (\(NumberFormat.short(links[1].1)))"
      }.joined(separator: "; ")
    }
    func kept(_ rule: DampingRule) -> String {
      iterations.map { iteration in
        "iteration \(iteration): "
          + chain(rule).compactMap { place in
            values(measured, iteration, λ, place.link, place.rule, \.efficiency)
              .map { "\(place.link.name) \(NumberFormat.percent($0.mean))" }
          }.joined(separator: ", ")
      }.joined(separator: "; ")
    }
    let noise = iterations.compactMap { iteration -> (Int, Double, Double)? in
      let found = measured.filter { $0.iteration == iteration }
      guard
        let gradient = SampleSummary(
          found.flatMap(\.gradients).filter { $0.lambda == λ }.map(\.error)),
        let split = values(measured, iteration, λ, .split, .exact, \.error)
      else { return nil }
      return (iteration, gradient.mean, split.mean)
    }
    let larger = noise.count { $0.1 > $0.2 }
    return [
      Claim(
        "Which link of the chain moves the step most?", place: "beyond the paper",
        finding: "At λ = \(NumberFormat.short(λ)), by how far a link moves the step in the F-norm: "
          + branches.map { "with the rule \($0.rawValue), \(sentence($0))" }.joined(separator: ". ")
          + ".", verdict: .measured,
        reason: "the sizes are those of this network; the table has every λ and the sums"),
      Claim(
        "What share of the population model's best decrease is left after each link?",
        place: "beyond the paper",
        finding: "η at λ = \(NumberFormat.short(λ)): "
          + branches.map { "rule \($0.rawValue), \(kept($0))" }.joined(separator: ". ") + ".",
        verdict: .measured,
        reason:
          "η compares directions, each at its best length, so it does not charge the rule for "
          + "the length that a learning rate would mend"),
      Claim(
        "Is the curvature's error larger than the gradient's own sampling error?",
        place: "beyond the paper",
        finding:
          "Relative F-norm error at λ = \(NumberFormat.short(λ)), the batch's gradient with the "
          + "exact curvature against all curvature links up to the split: "
          + noise.map {
            "\(NumberFormat.short($0.1)) against \(NumberFormat.short($0.2)) at iteration \($0.0)"
          }.joined(separator: ", ")
          + ". The gradient's is the larger at \(larger) of \(noise.count) iterations.",
        verdict: .measured,
        reason:
          "both are lengths in the same norm, relative to the exact step of their own gradient"),
    ]
  }

  private static func figure(
    _ measured: [Measured], _ iterations: [Int], _ lambdas: [Double], _ data: TrainingData,
    isEfficiency: Bool
  ) -> Canvas {
    let shown = places.filter { $0.rule != .pi }
    let panels = iterations.map { iteration in
      LineChartGrid.Panel(
        title: "iteration \(iteration)", x: ChartAxis("damping λ", .logarithmic),
        y: isEfficiency
          ? ChartAxis("η", limits: 0...1)
          : ChartAxis("relative error of the step, F-norm", .logarithmic, limits: 0.01...100),
        series: shown.map { link, rule in
          let points = lambdas.compactMap { λ in
            values(
              measured, iteration, λ, link, rule,
              { isEfficiency ? $0.efficiency : $0.error }
            ).map { (λ, $0.mean) }
          }
          // An empty series keeps its place in the legend.
          return LineSeries(
            name: "+ \(link.name)" + (link == .damping ? " (factor)" : ""), x: points.map(\.0),
            y: points.map(\.1))
        })
    }
    return LineChartGrid(
      title: isEfficiency
        ? "What share of the population model's decrease is left after each link"
        : "How wrong the step is after each link of the chain",
      subtitle: StepStudy.subtitle(data, "reference: F + λI of the population"),
      panels: panels, columnCount: 2,
      caption:
        "Each series has all links of those before it in the legend. Means over the seeds. The "
        + "branch with the damping rule pi is in the table. No stale factors at iteration 0."
    ).canvas
  }
}
