import Curvature
import DataFiles
import DenseAlgebra
import Experiments

/// The tables of chapter 08.
extension CGFACMeasurement {
  /// What the operators keep of M, layer by layer, seed 1, exact Fisher.
  func readingTable() -> ResultTable {
    var table = ResultTable(
      "readings", "The two operators on the gradient of the batch, five seeds.",
      [
        ("seed", "of start and batches"), ("layer", "2 to 4"),
        ("entries", "share of the entries of M that belong to one example"),
        ("kept", "their share of the squared norm of M"),
        ("difference", "‖(A ⊗ G − F_ℓ) v‖/‖F_ℓ v‖ for the gradient v"),
        ("check1", "‖cg-kfac − cvec(G V A)‖ relative; 0 is round-off"),
        ("check2", "‖cg-exact-block − F_ℓ v‖ relative; 0 is round-off"),
      ])
    for (seed, layers) in zip(CGFACMeasurement.seeds, problems) {
      for (layer, problem) in layers.enumerated() {
        let v = problem.right
        let kfac = ImplicitKroneckerOperator(problem.samples, lambda: 0).apply(v)
        let exact = ExactBlockOperator(problem.samples, lambda: 0).apply(v)
        let formed = problem.factors.g * problem.gradient * problem.factors.a
        var (kept, all) = (0.0, 0.0)
        let inputs = problem.gradient * problem.samples.inputs
        for gradients in problem.samples.gradients {
          let m = gradients.transposedTimes(inputs)
          all += m.dot(m)
          kept += m.diagonal.reduce(0) { $0 + $1 * $1 }
        }
        func error(_ x: Vector, _ reference: Vector) -> CSV.Cell {
          let error = (x - reference).norm / reference.norm
          return .number(error < KFACMeasurement.roundOff ? 0 : error)
        }
        table.append([
          .integer(Int(seed)), .integer(layer + 2),
          .number(1 / Double(problem.samples.exampleCount)), .number(kept / all),
          error(kfac, exact), error(kfac, Vector(formed.storage)),
          error(exact, problem.exact * v),
        ])
      }
    }
    return table
  }

  /// ‖r‖/‖V‖ step by step for both operators and all λ.
  func residualTable() -> ResultTable {
    let solver = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-14),
      maximumIterations: CGFACMeasurement.historyLength)
    var columns = [("iteration", "step of conjugate gradients")]
    var histories: [[Double]] = []
    for layerOperator in Operator.allCases {
      for lambda in CGFACMeasurement.lambdas {
        columns.append(
          (
            CGFACMeasurement.column(layerOperator, lambda),
            "‖r‖/‖V‖ of \(layerOperator.rawValue) at λ = \(NumberText.short(lambda)), layer 3, seed 1"
          ))
        let norms = solver.solve(followed.matrix(layerOperator, lambda), followed.right)
          .residualNorms
        histories.append(norms.map { $0 / norms[0] })
      }
    }
    var table = ResultTable("residuals", "Residuals against steps, from zero.", columns)
    for step in 0...CGFACMeasurement.historyLength {
      table.append(
        [.integer(step)]
          + histories.map { history in
            // Below this the last digits are those of the machine.
            step < history.count && history[step] > 1e-7 ? .number(history[step]) : .empty
          })
    }
    return table
  }

  static func column(_ layerOperator: Operator, _ lambda: Double) -> String {
    layerOperator.rawValue + " " + NumberFormat.significant(1).text(lambda)
  }

  /// Steps to the tolerance, and the rule of the author's code, over seeds and layers.
  func stepTable() -> ResultTable {
    var table = ResultTable(
      "steps", "Steps to ‖r‖ ≤ 0.01‖V‖ from zero: layers 2 to 4, five seeds, iteration 10.",
      [
        ("operator", "the system"), ("fisher", "which Fisher"), ("lambda", "λ"),
        ("median", "median steps of 15 solves"), ("least", "fewest"), ("most", "most"),
        ("within", "share of solves that take at most 20 steps"),
        ("authorSteps", "median steps of the author's rule"),
        ("authorCosine", "median cosine of its result with the exact solution"),
      ])
    for layerOperator in Operator.allCases {
      for fisher in ["exact", "empirical"] {
        for lambda in CGFACMeasurement.lambdas {
          let found = solves.filter {
            $0.layerOperator == layerOperator && $0.fisher == fisher && $0.lambda == lambda
          }
          let steps = found.map { Double($0.steps) }
          let within = found.count { $0.steps <= CGFACMeasurement.claimedSteps }
          table.append([
            .text(layerOperator.rawValue), .text(fisher), .number(lambda),
            .number(Quantiles.median(steps)), .number(steps.min() ?? 0),
            .number(steps.max() ?? 0), .number(Double(within) / Double(found.count)),
            .number(Quantiles.median(found.map { Double($0.authorSteps) })),
            .number(Quantiles.median(found.map(\.authorCosine))),
          ])
        }
      }
    }
    return table
  }

  /// What a solve is worth that was stopped after so many steps.
  func earlyTable() throws -> ResultTable {
    var table = ResultTable(
      "early", "Solves of layer 3 stopped early, seed 1.",
      [
        ("operator", "the system"), ("lambda", "λ"), ("steps", "steps made"),
        ("residual", "‖r‖/‖V‖"), ("error", "‖x − x*‖/‖x*‖, x* the exact solution"),
        ("cosine", "of the angle between x and x*"),
      ])
    for layerOperator in Operator.allCases {
      for lambda in [1e-1, 1e-3] {
        let exact = try followed.solution(layerOperator, lambda)
        for count in lambda > 0.01 ? [1, 2, 5, 10] : [1, 2, 5, 10, 20, 50] {
          let found = ConjugateGradient(
            stoppingRule: .rightHandSide(tolerance: 1e-10), maximumIterations: count
          ).solve(followed.matrix(layerOperator, lambda), followed.right)
          if found.iterations < count { continue }
          table.append([
            .text(layerOperator.rawValue), .number(lambda), .integer(count),
            .number((found.residualNorms.last ?? 0) / found.residualNorms[0]),
            .number((found.value - exact).norm / exact.norm),
            .number(found.value.dot(exact) / (found.value.norm * exact.norm)),
          ])
        }
      }
    }
    return table
  }

  /// Steps from zero and from the last solution, over one training run.
  func warmTable() -> ResultTable {
    var table = ResultTable(
      "warm",
      "Warm against cold starts along a training run of 12 steps, two seeds, layers 2 to 4.",
      [
        ("course", "which run"), ("rule", "the stopping rule"), ("operator", "the system"),
        ("lambda", "λ"), ("cold", "median steps from zero"),
        ("warm", "median steps from the last step's solution"),
        ("ratio", "all warm steps over all cold steps"),
        ("start", "median ‖r₀‖/‖V‖ of the warm start; 1 is that of zero"),
        ("within", "share of warm solves that take at most 20 steps"),
      ])
    for course in WarmStartStudy.Course.allCases {
      for rule in ["‖V‖", "first residual"] {
        for layerOperator in Operator.allCases {
          for lambda in warm.options.lambdas {
            let isOwn = rule == "‖V‖"
            let cold = warm.iterations(
              course, layerOperator, lambda: lambda, isOwn ? .cold : .coldAuthor)
            let policy: WarmStartStudy.Policy = isOwn ? .warm : .warmAuthor
            let hot = warm.iterations(course, layerOperator, lambda: lambda, policy)
            let starts = warm.startResiduals(course, layerOperator, lambda: lambda, policy)
            let within = hot.count { $0 <= CGFACMeasurement.claimedSteps }
            table.append([
              .text(CGFACMeasurement.name(of: course)), .text(rule), .text(layerOperator.rawValue),
              .number(lambda),
              .number(Quantiles.median(cold.map(Double.init))),
              .number(Quantiles.median(hot.map(Double.init))),
              .number(Double(hot.reduce(0, +)) / Double(cold.reduce(0, +))),
              .number(Quantiles.median(starts)),
              .number(Double(within) / Double(hot.count)),
            ])
          }
        }
      }
    }
    return table
  }

  /// How much the gradient changes from one step to the next.
  func changeTable() -> ResultTable {
    var table = ResultTable(
      "changes", "Change of the gradient of layers 2 to 4 from step to step.",
      [("course", "which run"), ("change", "median of ‖V_k − V_{k−1}‖/‖V_k‖")])
    for course in WarmStartStudy.Course.allCases {
      let changes = warm.gradientChanges.filter { $0.course == course }.map(\.change)
      table.append([
        .text(CGFACMeasurement.name(of: course)), .number(Quantiles.median(changes)),
      ])
    }
    return table
  }
}
