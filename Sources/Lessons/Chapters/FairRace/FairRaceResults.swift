import DataFiles
import Experiments
import Optimization

/// The numbers of chapter 12 as its text prints them.
struct FairRaceResults {
  let measured: FairRaceMeasurement
  let findings: Findings
  let tables: [ResultTable]
  let summary, settings, rules, firsts, ranks, fidelity, printed, budget: ResultTable
  let edges, won, agreeing, oneSeedSwaps, tuningSwaps, crossing, pairs, reversedOwn,
    reversedOther: ReportedNumber
  let exchangesTenth, exchangesTen, failedTenth, failedTen, curvedPairs,
    fidelityPairs: ReportedNumber
  let costRatio, thorRatio, winnerRatio, behindMomentum, levelWinners, updated: ReportedNumber

  init(_ measured: FairRaceMeasurement) {
    self.measured = measured
    var findings = Findings()
    summary = measured.summary
    settings = measured.settings
    rules = measured.rules
    firsts = measured.firsts
    ranks = measured.ranks
    fidelity = measured.fidelityTable
    printed = FairRaceMeasurement.printed
    budget = measured.budget
    tables = [
      summary, measured.curves, measured.runs, settings, measured.tuned.table, budget, rules,
      firsts, measured.dampings, ranks, fidelity, printed,
    ]
    func count(_ name: String, _ value: Int, _ meaning: String) -> ReportedNumber {
      findings.report(name, Double(value), meaning, .fixed(0))
    }
    let chosen = settings
    edges = count(
      "settings on the edge",
      chosen.rows.indices.count { chosen.number("on_edge", row: $0).value == 1 },
      "methods whose chosen rate or second number is the least or the greatest of its grid")
    let seeds = measured.seedFindings
    won = count("seeds won", seeds.wonByKFAC, "seeds with which kfac has the lowest final loss")
    tuningSwaps = count(
      "swaps of the tuning", seeds.tuningSwaps,
      "pairs that the best tuning losses order otherwise than the race's means")
    crossing = count(
      "crossing", measured.crossing,
      "first evaluated step from which kfac's mean loss stays below natural-gradient's")
    pairs = count("pairs", seeds.pairs, "pairs of methods")
    agreeing = count(
      "agreeing pairs", seeds.agreeing, "pairs whose order is the same with all five seeds")
    oneSeedSwaps = count(
      "most swaps of a seed", seeds.mostSwaps,
      "pairs whose order with one seed is not that of the means, for the worst seed")
    fidelityPairs = count(
      "pairs of structures", fidelity.rows.count * (fidelity.rows.count - 1) / 2,
      "pairs of rows of the table fidelity")
    reversedOwn = count(
      "reversed pairs", FairRaceMeasurement.reversed(fidelity, "eta"),
      "pairs in which the method with the larger η ends at the larger loss")
    reversedOther = count(
      "reversed pairs, other examples", FairRaceMeasurement.reversed(fidelity, "eta_other"),
      "the same with η against F of other examples")
    let curved = FairRaceMeasurement.methods.count(where: \.isSecondOrder)
    curvedPairs = count(
      "pairs with curvature", curved * (curved - 1) / 2, "pairs of methods with a damping")
    exchangesTenth = count(
      "exchanges at a tenth", measured.exchanges(0.1), "pairs in another order at λ/10 than at λ")
    exchangesTen = count(
      "exchanges at ten times", measured.exchanges(10), "pairs in another order at 10 λ than at λ")
    func failed(_ multiple: Double) -> Int {
      FairRaceMeasurement.methods.count {
        $0.isSecondOrder && measured.dampedLoss($0, multiple) == nil
      }
    }
    failedTenth = count("failed at a tenth", failed(0.1), "methods of which a run fails at λ/10")
    failedTen = count("failed at ten times", failed(10), "methods of which a run fails at 10 λ")
    let table = summary
    func operations(_ method: OptimizerMethod) -> Double {
      table.number("operations_per_step", where: ["method": method.rawValue]).value
    }
    costRatio = findings.report(
      "cost of the exact step", operations(.naturalGradient) / operations(.momentum),
      "operations of a step of natural-gradient over momentum's")
    thorRatio = findings.report(
      "cost of a KFAC step in THOR steps", operations(.kfac) / operations(.thor),
      "operations of a step of kfac over thor's")
    winnerRatio = findings.report(
      "cost of a KFAC step", operations(.kfac) / operations(.momentum),
      "operations of a step of kfac over momentum's")
    let shared = rules
    behindMomentum = count(
      "behind momentum",
      shared.rows.indices.count { row in
        shared.number("printed", row: row).value
          > shared.number("printed", where: ["method": "momentum"]).value
      }, "methods that end above momentum with the values of Equation 13 for all")
    let decisions = measured.race.runs.filter { $0.name == OptimizerMethod.thor.rawValue }
      .flatMap(\.decisions)
    updated = findings.report(
      "updates of thor",
      Double(decisions.count { $0.outcome == .update }) / Double(max(1, decisions.count)),
      "share of the trace rule's tests that updated a layer, over all seeds", .percent(0))
    let names = firsts.rows.flatMap { [$0[2], $0[4]] }.map { "\($0)" }
    levelWinners = count(
      "winners of the levels", Set(names).count,
      "different methods that are first at a level of accuracy, by steps or by operations")
    self.findings = findings
  }

  func loss(_ method: OptimizerMethod) -> ReportedNumber {
    summary.number("final_training_loss", where: ["method": method.rawValue], .significant(2))
  }

  func efficiency(_ method: OptimizerMethod, _ column: String = "eta") -> ReportedNumber {
    fidelity.number(column, where: ["method": method.rawValue], .significant(2))
  }
}

extension FairRaceMeasurement {
  /// How far single seeds agree.
  struct SeedFindings {
    /// The seeds with which kfac has the lowest loss.
    var wonByKFAC = 0
    var pairs = 0
    var agreeing = 0
    var mostSwaps = 0
    /// Pairs that the tuning's best losses order otherwise than the race's means.
    var tuningSwaps = 0
  }

  var seedFindings: SeedFindings {
    let methods = FairRaceMeasurement.methods
    let runs = methods.map { method in
      race.runs.filter { $0.name == method.rawValue }.map {
        FairRaceMeasurement.finalLoss($0) ?? .infinity
      }
    }
    let seeds = FairRaceMeasurement.seeds.indices
    let means = runs.map { $0.reduce(0, +) / Double($0.count) }
    let tuning = methods.map { losses($0)[0] }
    var result = SeedFindings()
    result.wonByKFAC = seeds.count { seed in
      methods.indices.min { runs[$0][seed] < runs[$1][seed] }.map { methods[$0] } == .kfac
    }
    var swaps = seeds.map { _ in 0 }
    for a in methods.indices {
      for b in methods.indices.dropFirst(a + 1) {
        result.pairs += 1
        let isLower = seeds.map { runs[a][$0] < runs[b][$0] }
        if Set(isLower).count == 1 { result.agreeing += 1 }
        if (tuning[a] - tuning[b]) * (means[a] - means[b]) < 0 { result.tuningSwaps += 1 }
        for seed in seeds where isLower[seed] != (means[a] < means[b]) { swaps[seed] += 1 }
      }
    }
    result.mostSwaps = swaps.max() ?? 0
    return result
  }

  /// The first evaluated step from which kfac's mean loss stays below natural-gradient's.
  var crossing: Int {
    func means(_ method: OptimizerMethod) -> [(step: Int, loss: Double)] {
      let runs = race.runs.filter { $0.name == method.rawValue }
      return (0..<(runs.map(\.points.count).min() ?? 0)).map { index in
        (
          runs[0].points[index].step,
          runs.reduce(0) { $0 + $1.points[index].trainingLoss } / Double(runs.count)
        )
      }
    }
    let pairs = zip(means(.kfac), means(.naturalGradient))
    return pairs.reversed().prefix { $0.0.loss < $0.1.loss }.last?.0.step ?? steps
  }
}

extension FairRaceResults {
  /// What the text says of the outcome in words, and whether these runs show it.
  func claims(_ document: inout ChapterDocument) {
    let methods = FairRaceMeasurement.methods
    let curved = methods.filter(\.isSecondOrder)
    func final(_ method: OptimizerMethod) -> Double { loss(method).value }
    func place(_ method: OptimizerMethod, _ losses: (OptimizerMethod) -> Double) -> Int {
      methods.count { losses($0) < losses(method) } + 1
    }
    let exact = final(.naturalGradient)
    document.claim("kfac has the lowest mean loss", holds: place(.kfac, final) == 1)
    document.claim(
      "every method with a curvature ends below tuned momentum",
      holds: curved.allSatisfy { final($0) < final(.momentum) })
    document.claim(
      "natural-gradient ends behind kfac and cg-kfac and level with ekfac",
      holds: final(.cgKFAC) < exact && abs(final(.ekfac) / exact - 1) < 0.1)
    document.claim(
      "natural-gradient leads at first",
      holds: crossing.value > Double(FairRaceMeasurement.evaluation))
    document.claim(
      "after the start kfac and the three THOR lie below momentum at every evaluation",
      holds: [OptimizerMethod.kfac, .thor, .thorStop, .thorNT].allSatisfy { method in
        zip(course(method), course(.momentum)).dropFirst().allSatisfy { $0 < $1 }
      })
    func tuning(_ method: OptimizerMethod) -> Double { measured.losses(method)[0] }
    document.claim(
      "by tuning natural-gradient is second and thor-nt third, in the race fourth and seventh",
      holds: place(.naturalGradient, tuning) == 2 && place(.thorNT, tuning) == 3
        && place(.naturalGradient, final) == 4 && place(.thorNT, final) == 7)
    nearnessClaims(&document)
    budgetClaims(&document, curved)
    dampingClaims(&document, curved)
  }

  /// The mean training loss of a method at each evaluation.
  private func course(_ method: OptimizerMethod) -> [Double] {
    let curves = measured.curves
    return curves.rows.indices.filter { curves.rows[$0][0] == .text(method.rawValue) }.map {
      curves.number("training_loss", row: $0).value
    }
  }

  private func nearnessClaims(_ document: inout ChapterDocument) {
    let rank = fidelity.number("rank_by_eta", where: ["method": "kfac"]).value
    document.claim("kfac is only fourth by nearness", holds: rank == 4)
    let nearest = efficiency(.naturalGradient, "eta_other").value
    document.claim(
      "against F of other images all methods fall, and natural-gradient stays the nearest",
      holds: fidelity.rows.indices.allSatisfy { row in
        let other = fidelity.number("eta_other", row: row).value
        return other < fidelity.number("eta", row: row).value && other <= nearest
      })
  }

  private func budgetClaims(_ document: inout ChapterDocument, _ curved: [OptimizerMethod]) {
    let gaps = (0...2).map { row in
      budget.number("thor", row: row).value - budget.number("momentum", row: row).value
    }
    document.claim(
      "thor is expected behind momentum with one run and with two, and ahead with three",
      holds: gaps[0] > 0 && gaps[1] > 0 && gaps[2] < 0)
    func rule(_ column: String, _ method: OptimizerMethod) -> Double {
      rules.number(column, where: ["method": method.rawValue]).value
    }
    document.claim(
      "tuned, all second-order methods end below momentum",
      holds: curved.allSatisfy { rule("tuned", $0) < rule("tuned", .momentum) })
    document.claim(
      "the rate of Equation 13 is momentum's best",
      holds: rule("printed", .momentum) == rule("tuned", .momentum))
  }

  private func dampingClaims(_ document: inout ChapterDocument, _ curved: [OptimizerMethod]) {
    let ten = curved.compactMap { method in
      measured.dampedLoss(method, 10).map { (method: method, loss: $0) }
    }
    let order = ten.sorted { $0.loss < $1.loss }.map(\.method)
    document.claim(
      "at ten times the damping no run fails, natural-gradient is first and kfac second",
      holds: order.count == curved.count && Array(order.prefix(2)) == [.naturalGradient, .kfac])
    let tenth = curved.compactMap { method in
      measured.dampedLoss(method, 0.1).map { (method: method, loss: $0) }
    }
    document.claim(
      "at a tenth only kfac and cg-kfac remain, cg-kfac ahead",
      holds: tenth.map(\.method) == [.kfac, .cgKFAC] && tenth[1].loss < tenth[0].loss)
  }
}
