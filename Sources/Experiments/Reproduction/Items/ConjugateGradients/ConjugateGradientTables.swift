import Curvature
import DataFiles
import Optimization

/// The tables of the item on CG-FAC.
enum ConjugateGradientTables {
  static func iterations(_ study: ConjugateGradientStudy) -> ResultTable {
    var table = ResultTable(
      "iterations", "Steps of conjugate gradients from zero, one row for each solve.",
      [
        ("seed", "seed of weights and batches"), ("iteration", "step of training"),
        ("fisher", "exact or empirical"), ("layer", "layer of the network"),
        ("operator", "cg-kfac: A ⊗ G (reading 1); cg-exact-block: exact block (reading 2)"),
        ("parameters", "n = d_A d_G"), ("lambda", "λ"), ("condition", "κ of the damped operator"),
        ("rootCondition", "√κ"),
      ]
        + study.options.tolerances.map {
          ("steps\($0)", "steps to ‖r‖ ≤ \($0)‖V‖; empty where the limit came first")
        } + [
          ("chebyshev0.01", "steps after which the bound 2√κρᵏ guarantees ‖r‖ ≤ 0.01‖V‖"),
          ("authorSteps", "steps of the author's rule: ≤ 10, ‖r‖ ≤ 0.1‖r₀‖"),
          ("authorCosine", "its cosine to the exact solution; empty where that was not computed"),
          ("ownSteps", "steps of the default rule here: ‖r‖ ≤ 0.01‖V‖"),
          ("ownCosine", "its cosine to the exact solution; empty where that was not computed"),
        ])
    for solve in study.solves {
      var row: [CSV.Cell] = [
        .integer(Int(solve.seed)), .integer(solve.iteration), .text(solve.fisher),
        .text(solve.layer), .text(solve.layerOperator.rawValue), .integer(solve.parameters),
        .number(solve.lambda), .number(solve.condition), .number(solve.condition.squareRoot()),
      ]
      row += solve.steps.map { step in step.map { .integer($0) } ?? .empty }
      row += [
        .integer(
          ConjugateGradientStudy.chebyshevSteps(condition: solve.condition, tolerance: 1e-2)),
        .integer(solve.authorSteps), solve.authorCosine.map { .number($0) } ?? .empty,
        .integer(solve.ownSteps), solve.ownCosine.map { .number($0) } ?? .empty,
      ]
      table.append(row)
    }
    return table
  }

  static func warmStarts(_ study: WarmStartStudy) -> ResultTable {
    var table = ResultTable(
      "warm-starts", "Steps of each solve along a run, from zero and from the previous solution.",
      [
        ("seed", "seed of weights and batches"),
        ("course", "batches and learning rate of the run"),
        ("operator", "cg-kfac (reading 1) or cg-exact-block (reading 2)"), ("lambda", "λ"),
        ("step", "step of training"),
        (
          "policy",
          "cold and warm stop at ‖r‖ ≤ 0.01‖V‖; the author's rule at ‖r‖ ≤ 0.1‖r₀‖ or 10 steps"
        ),
        ("meanSteps", "mean over the compared layers"), ("mostSteps", "largest over the layers"),
        ("meanStartResidual", "mean of ‖r₀‖/‖V‖ over the layers; 1 from zero"),
      ])
    for row in study.rows {
      table.append([
        .integer(Int(row.seed)), .text(row.course.rawValue),
        .text(row.layerOperator.rawValue), .number(row.lambda), .integer(row.step),
        .text(row.policy.rawValue),
        .number(Double(row.iterations.reduce(0, +)) / Double(row.iterations.count)),
        .integer(row.iterations.max() ?? 0),
        .number(row.startResiduals.reduce(0, +) / Double(row.startResiduals.count)),
      ])
    }
    return table
  }

  /// Layers beyond the small network, for the formulas: the last layer of ResNet-50 with its bias.
  static let shapes = [
    ("785 to 20", 785, 20), ("21 to 20", 21, 20), ("21 to 10", 21, 10), ("257 to 10", 257, 10),
    ("513 to 256", 513, 256), ("785 to 512", 785, 512), ("ResNet-50 fc", 2049, 1000),
  ]

  /// The costs that the tables and the claims are about: every shape, three batches, K = 1 and 10.
  static let costs: [(layer: String, cost: ConjugateGradientCost)] = shapes.flatMap { shape in
    [1, 32, 128].flatMap { batch in
      [1, 10].map { columns in
        (
          shape.0,
          ConjugateGradientCost(
            inputSize: shape.1, outputSize: shape.2, examples: batch, columns: columns)
        )
      }
    }
  }

  static func operations() -> ResultTable {
    var table = ResultTable(
      "operations",
      "Operations of one step of training in one layer, and numbers held, by formula.",
      [
        ("layer", "d_A to d_G"), ("inputSize", "d_A"), ("outputSize", "d_G"), ("batch", "N"),
        ("columns", "K"), ("implicitProduct", "one product of reading 1 without factors"),
        ("exactProduct", "one product of reading 2"),
        ("formedProduct", "one product with formed factors"),
        ("breakEvenBatch", "N at which implicitProduct = formedProduct"),
        ("cg10", "ten steps without factors, reading 1"), ("cg20", "twenty of them"),
        ("directEigen", "factors, eigendecompositions, four products: the note's direct method"),
        ("directCholesky", "factors, Cholesky, two solves (factored damping)"),
        ("directCholesky20", "the same with factors made every 20 steps"),
        ("implicitMemory", "numbers held by reading 1 without factors"),
        ("directMemory", "numbers held by the direct method: d_A² + d_G²"),
      ])
    for (layer, cost) in costs {
      table.append([
        .text(layer), .integer(cost.inputSize), .integer(cost.outputSize),
        .integer(cost.examples), .integer(cost.columns), .number(cost.implicitProduct),
        .number(cost.exactProduct), .number(cost.formedProduct),
        .number(
          ConjugateGradientCost.breakEvenBatch(
            inputSize: cost.inputSize, outputSize: cost.outputSize, columns: cost.columns)),
        .number(cost.iteration(steps: 10, product: cost.implicitProduct)),
        .number(cost.iteration(steps: 20, product: cost.implicitProduct)),
        .number(cost.directEigen), .number(cost.directCholesky),
        .number(cost.directCholesky(every: 20)), .number(cost.implicitMemory),
        .number(cost.directMemory),
      ])
    }
    return table
  }

  static func products(_ times: BreakEvenTimes) -> ResultTable {
    var table = ResultTable(
      "product-times", "Processor time of one product, in microseconds.", isTiming: true,
      [
        ("layer", "d_A to d_G"), ("columns", "K: 1 empirical, 10 exact"), ("batch", "N"),
        ("implicit", "reading 1 without factors, median"), ("implicitLower", "its lower quartile"),
        ("implicitUpper", "its upper quartile"), ("exact", "reading 2, median"),
        ("formed", "reading 1 with formed factors, median"),
        ("operationRatio", "implicit/formed by the formulas, V X first"),
        ("timeRatio", "implicit/formed as measured"),
      ])
    for product in times.products {
      table.append([
        .text(product.layer), .integer(product.cost.columns), .integer(product.cost.examples),
        .number(1e6 * product.implicit.median), .number(1e6 * product.implicit.lower),
        .number(1e6 * product.implicit.upper), .number(1e6 * product.exact.median),
        .number(1e6 * product.formed.median),
        .number(product.cost.inputsFirst / product.cost.formedProduct),
        .number(product.implicit.median / product.formed.median),
      ])
    }
    return table
  }

  static func steps(_ times: BreakEvenTimes) -> ResultTable {
    var table = ResultTable(
      "step-times", "Processor time of one layer's solve at batch 128, K = 1, in milliseconds.",
      isTiming: true,
      [
        ("layer", "d_A to d_G"), ("implicit20", "20 steps of reading 1 without factors"),
        ("formed20", "forming A and G, then 20 steps with them"),
        ("directEigen", "forming A and G, eigendecompositions, solve"),
        ("directCholesky", "forming A and G, Cholesky factors, solve (damping rule pi)"),
      ])
    for step in times.steps {
      table.append([
        .text(step.layer), .number(1e3 * step.implicit), .number(1e3 * step.formed),
        .number(1e3 * step.eigen), .number(1e3 * step.cholesky),
      ])
    }
    return table
  }
}
