import Curvature
import Foundation

/// What the note on CG-FAC says, with what the three studies found.
public struct ConjugateGradientClaims {
  let study: ConjugateGradientStudy
  let warm: WarmStartStudy
  let times: BreakEvenTimes

  static let note = "CG-FAC note, arXiv 2101.00218"

  var all: [Claim] {
    [
      internalSteps, gradientDifference, atMostN, operations, memory, dependence, warmStart,
      authorRule, breakEven,
    ]
  }

  // MARK: Statements of the note

  /// The share of solves within 20 steps that counts as "only needs 10-20".
  static let wantedShare = 0.95

  private var internalSteps: Claim {
    var holding = 0
    var all = 0
    var parts: [String] = []
    for course in WarmStartStudy.Course.allCases where course.isFresh {
      for layerOperator in MatrixFreeSolver.Operator.allCases {
        for lambda in warm.options.lambdas {
          let steps = warm.iterations(course, layerOperator, lambda: lambda, .warm)
          let share = ConjugateGradientClaims.share(of: steps, within: 20)
          all += 1
          if share >= ConjugateGradientClaims.wantedShare { holding += 1 }
          parts.append(
            "\(course.rawValue), \(layerOperator.rawValue), λ = \(NumberText.short(lambda)): median "
              + "\(NumberText.short(ConjugateGradientClaims.median(steps.map(Double.init)))), "
              + "\(NumberText.fixed(100 * share, decimals: 0)) % within 20")
        }
      }
    }
    return Claim(
      "We could use the nature gradient of previous batch as the initial guess of CG method. Then only "
        + "needs 10-20 internal steps.",
      place: "\(ConjugateGradientClaims.note), section 3",
      finding: "steps to ‖r‖ ≤ 0.01‖V‖ with that guess: "
        + parts.joined(separator: "; ") + ".",
      verdict: Claim.Verdict(holdingIn: holding, of: all),
      reason:
        "at least 95 % of the solves take at most 20 steps in \(holding) of \(all) settings: the "
        + "number of steps is a statement about λ and the operator.")
  }

  private var gradientDifference: Claim {
    func change(_ course: WarmStartStudy.Course) -> Double {
      ConjugateGradientClaims.median(
        warm.gradientChanges.filter { $0.course == course }.map(\.change))
    }
    let changes = WarmStartStudy.Course.allCases.map { course in
      "\(NumberText.short(change(course))) with \(course.rawValue)"
    }.joined(separator: "; ")
    return Claim(
      "in the training process from batch to batch, the difference between gradients is small",
      place: "\(ConjugateGradientClaims.note), section 3",
      finding: "the median of ‖V_k − V_{k−1}‖/‖V_k‖ is \(changes).",
      verdict: ConjugateGradientClaims.smallness(min(change(.fresh), change(.slow))),
      reason:
        "small was read as at most 0.1, and in form only as at most 0.5, for the smaller of the two "
        + "with fresh batches.")
  }

  /// How small a relative difference is: at most a tenth, at most a half, or not.
  public static func smallness(_ relative: Double) -> Claim.Verdict {
    relative <= 0.1 ? .reproduced : relative <= 0.5 ? .inFormOnly : .notFound
  }

  private var atMostN: Claim {
    let tolerance = study.options.tolerances.count - 1
    let small = study.solves.filter { $0.parameters <= study.options.limit }
    let holding = small.count { ($0.steps[tolerance] ?? .max) <= $0.parameters }
    let most = small.compactMap { $0.steps[tolerance] }.max() ?? 0
    return Claim(
      "The CG needs at most n steps to converge",
      place: "\(ConjugateGradientClaims.note), section 3",
      finding:
        "\(holding) of \(small.count) solves in layers of 210 and 420 parameters reach ‖r‖ ≤ "
        + "\(NumberText.short(study.options.tolerances[tolerance]))‖V‖ within n steps; the most were \(most).",
      verdict: Claim.Verdict(holdingIn: holding, of: max(small.count, 1)),
      reason:
        "a theorem of exact arithmetic; round-off can add steps. The layer of 15,700 parameters "
        + "was not followed so far.")
  }

  private var operations: Claim {
    let chosen = ConjugateGradientTables.costs
    func isMuchLess(_ cost: ConjugateGradientCost) -> Bool {
      ConjugateGradientClaims.isMuchLess(
        cost.iteration(steps: 20, product: cost.implicitProduct), than: cost.directEigen)
    }
    func count(_ batch: Int) -> (Int, Int) {
      let costs = chosen.filter { $0.cost.examples == batch }
      return (costs.count { isMuchLess($0.cost) }, costs.count)
    }
    let (single, batch) = (count(1), count(128))
    let measured = times.steps.map {
      "\($0.layer): \(NumberText.short(1e3 * $0.implicit)) ms against "
        + "\(NumberText.short(1e3 * $0.eigen)) ms (Cholesky \(NumberText.short(1e3 * $0.cholesky)) ms)"
    }.joined(separator: "; ")
    return Claim(
      "CG-FAC needs […] operations, which is much less than […] operations in the direct methods.",
      place: "\(ConjugateGradientClaims.note), section 3; formulas restored",
      finding: "by formula, 20 steps take at most half the operations of the direct method in "
        + "\(single.0) of \(single.1) layers at N = 1 and in \(batch.0) of \(batch.1) at N = 128 (K = 1 "
        + "and 10). Times at N = 128, K = 1, 20 steps without factors against eigendecompositions: "
        + "\(measured).",
      verdict: Claim.Verdict(holdingIn: batch.0, of: batch.1),
      reason:
        "\"much less\" was read as at most half, at a usual batch of 128, against a direct method "
        + "that makes its factors at every step; KFAC makes them every 20 steps or so, which is cheaper "
        + "still (table `operations`). The note's count is for one vector, N = 1.")
  }

  /// At most half.
  public static func isMuchLess(_ value: Double, than other: Double) -> Bool { value <= other / 2 }

  private var memory: Claim {
    func count(_ batch: Int) -> (Int, Int) {
      let costs = ConjugateGradientTables.costs.filter { $0.cost.examples == batch }.map(\.cost)
      return (costs.count { $0.implicitMemory < $0.directMemory }, costs.count)
    }
    let (single, batch) = (count(1), count(128))
    return Claim(
      "the memory complexity is CG-FAC is only […], which is also less than the […] of direct method",
      place: "\(ConjugateGradientClaims.note), section 3; formulas restored",
      finding:
        "N(d_A + K d_G) + N²K numbers against d_A² + d_G²: fewer in \(single.0) of \(single.1) "
        + "layers at N = 1 and in \(batch.0) of \(batch.1) at N = 128 (K = 1 and 10).",
      verdict: Claim.Verdict(holdingIn: batch.0, of: batch.1),
      reason:
        "judged at N = 128; the vectors of the batch have to be kept, and the matrix Yᵀ V X of "
        + "reading 1 has N²K numbers.")
  }

  // MARK: Questions

  private var dependence: Claim {
    let index = study.options.tolerances.firstIndex(of: 1e-2) ?? 0
    var parts: [String] = []
    for layerOperator in MatrixFreeSolver.Operator.allCases {
      for fisher in ["exact", "empirical"] {
        let found = study.solves.filter {
          $0.layerOperator == layerOperator && $0.fisher == fisher && $0.steps[index] != nil
        }
        let slope = ConjugateGradientClaims.slope(
          found.map { log($0.condition.squareRoot()) },
          found.map { log(Double(max(1, $0.steps[index] ?? 1))) })
        parts.append(
          "\(layerOperator.rawValue), \(fisher): \(NumberText.fixed(slope, decimals: 2))")
      }
    }
    let within = study.solves.filter { solve in
      guard let steps = solve.steps[index] else { return false }
      return steps
        <= ConjugateGradientStudy.chebyshevSteps(condition: solve.condition, tolerance: 1e-2)
    }.count
    let reached = study.solves.count { $0.steps[index] != nil }
    return Claim(
      "How do the steps grow with λ, the tolerance and √κ?",
      place: "question beyond the note; specification, section 6.4",
      finding: "steps to ‖r‖ ≤ 0.01‖V‖ grow like √κ to the power of "
        + parts.joined(separator: "; ")
        + " (least squares over all solves). \(within) of \(reached) "
        + "solves that reached it kept Chebyshev's bound; \(study.solves.count - reached) met the limit "
        + "of \(study.options.largeLimit) (first layer) or \(study.options.limit) steps first.",
      verdict: .measured,
      reason:
        "the bound grows like √κ; fewer steps than that are the work of the few distinct large "
        + "eigenvalues and, for the empirical Fisher, of a rank of at most N.")
  }

  private var warmStart: Claim {
    var parts: [String] = []
    for course in WarmStartStudy.Course.allCases {
      for (warmPolicy, coldPolicy) in [
        (WarmStartStudy.Policy.warm, WarmStartStudy.Policy.cold), (.warmAuthor, .coldAuthor),
      ] {
        var ratios: [Double] = []
        var starts: [Double] = []
        for layerOperator in MatrixFreeSolver.Operator.allCases {
          for lambda in warm.options.lambdas {
            let from = warm.iterations(course, layerOperator, lambda: lambda, coldPolicy)
            let to = warm.iterations(course, layerOperator, lambda: lambda, warmPolicy)
            ratios.append(Double(to.reduce(0, +)) / Double(max(1, from.reduce(0, +))))
            starts += warm.startResiduals(
              course, layerOperator, lambda: lambda, warmPolicy)
          }
        }
        parts.append(
          "\(course.rawValue), \(warmPolicy.rawValue): "
            + "\(NumberText.fixed(ratios.min() ?? 0, decimals: 2))–"
            + "\(NumberText.fixed(ratios.max() ?? 0, decimals: 2)) of the steps from zero, first "
            + "residual \(NumberText.short(ConjugateGradientClaims.median(starts)))‖V‖ in the median"
        )
      }
    }
    return Claim(
      "Does the previous step's solution save steps?",
      place: "question beyond the note; specification, section 6.3",
      finding: parts.joined(separator: "; ") + ".",
      verdict: .measured,
      reason:
        "over both operators and all λ. A first residual above ‖V‖ means that the guess is worse "
        + "than none; and a target relative to the first residual takes the gain of a good one away."
    )
  }

  private var authorRule: Claim {
    let parts = study.options.lambdas.map { lambda in
      let found = study.solves.filter { $0.lambda == lambda && $0.authorCosine != nil }
      func median(_ value: (ConjugateGradientStudy.Solve) -> Double) -> String {
        NumberText.short(ConjugateGradientClaims.median(found.map(value)))
      }
      return "λ = \(NumberText.short(lambda)): \(median { Double($0.authorSteps) }) steps, cosine "
        + "\(median { $0.authorCosine ?? 0 }), against \(median { Double($0.ownSteps) }) steps, cosine "
        + "\(median { $0.ownCosine ?? 0 })"
    }
    return Claim(
      "How good is a solve that stops after ten steps or at a tenth of the first residual?",
      place: "the rule of the author's code, as read; specification, section 6.2",
      finding: "medians over operators, Fisher kinds and layers, against the default rule here "
        + "(‖r‖ ≤ 0.01‖V‖): " + parts.joined(separator: "; ") + ".",
      verdict: .measured,
      reason: "the cosine is that of the angle to the exactly solved step.")
  }

  private var breakEven: Claim {
    var parts: [String] = []
    for layer in times.steps.map(\.layer) {
      for columns in [1, 10] {
        guard
          let cost = times.products.first(where: {
            $0.layer == layer && $0.cost.columns == columns
          })?.cost
        else { continue }
        let predicted = ConjugateGradientCost.breakEvenBatch(
          inputSize: cost.inputSize, outputSize: cost.outputSize, columns: columns,
          inputsFirstOnly: true)
        let measured = times.breakEven(layer, columns: columns)
        parts.append(
          "\(layer), K = \(columns): N = \(NumberText.short(predicted)) by operations, "
            + (measured.map { NumberText.short($0) } ?? "outside the batches tried") + " by time")
      }
    }
    return Claim(
      "From which batch on is a product without factors slower than one with formed factors?",
      place: "question beyond the note; specification, section 6.2",
      finding: parts.joined(separator: "; ") + ".",
      verdict: .measured,
      reason:
        "reading 1 with V X first, as it is implemented here; forming the factors is not counted. "
        + "For K = 1 the formula is 2N(1 + N/d_A) = d_A + d_G in this order.")
  }

  // MARK: Statistics

  /// The share of solves of at most so many steps; 0 of none.
  public static func share(of steps: [Int], within limit: Int) -> Double {
    steps.isEmpty ? 0 : Double(steps.count { $0 <= limit }) / Double(steps.count)
  }

  static func median(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : ProcessorTime.quantile(0.5, of: values.sorted())
  }

  /// The least-squares slope of y over x.
  public static func slope(_ x: [Double], _ y: [Double]) -> Double {
    let n = Double(x.count)
    let (meanX, meanY) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
    let covariance = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
    let variance = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
    return covariance / variance
  }
}
