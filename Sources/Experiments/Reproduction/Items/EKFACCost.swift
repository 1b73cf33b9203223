import Curvature
import DataFiles
import DenseAlgebra
import Networks
import Optimization

extension ReproductionItem {
  /// EKFAC's eigendecompositions against KFAC's Cholesky factors, in operations and in time.
  static let ekfacCost = ReproductionItem(
    "ekfac-cost", "EKFAC against KFAC: eigendecomposition and Cholesky factorization, by size"
  ) { context in
    let sizes = [16, 32, 64, 128, 256] + (context.isQuick ? [] : [512, 1024])
    var measured: [DecompositionTimes] = []
    for (index, size) in sizes.enumerated() {
      context.progress("decompositions", index, sizes.count)
      measured.append(try DecompositionTimes(size: size))
    }
    context.progress("decompositions", sizes.count, sizes.count)
    let steps = try EKFACCost.steps(context)
    let cost = EKFACCost(times: measured, steps: steps)
    return ReproductionResult(
      setting:
        "Random positive definite matrices of \(sizes[0]) to \(sizes[sizes.count - 1]) rows; whole "
        + "steps on 784-20-20-20-10, ReLU, \(context.data.small.dataset.name), batch 256, in place of "
        + "ResNet-18 on CIFAR-10. Routines of this suite, one thread.",
      claims: cost.claims, tables: [cost.decompositionTable, cost.stepTable],
      figures: [("decompositions", cost.figure)],
      remarks: [
        "Both methods form the same A and G. EKFAC also rotates the gradient into the basis and back, and "
          + "follows the second moments of the rotated gradients.",
        "Another library's routines have other constants; divide-and-conquer eigensolvers are faster than "
          + "the implicit QL used here, and none is known with n³/3 operations.",
      ])
  }
}

/// Times of decomposing one matrix.
public struct DecompositionTimes: Equatable, Sendable {
  public let size: Int
  /// Eigenvalues and eigenvectors.
  public let eigen: ProcessorTime
  /// The Cholesky factor alone.
  public let cholesky: ProcessorTime
  /// The Cholesky factor and the explicit inverse.
  public let inverse: ProcessorTime

  public init(size: Int, eigen: ProcessorTime, cholesky: ProcessorTime, inverse: ProcessorTime) {
    self.size = size
    self.eigen = eigen
    self.cholesky = cholesky
    self.inverse = inverse
  }

  /// Measures on Z Zᵀ/m + 0.1 I of a normal n × m matrix Z, m = n + 8.
  init(size: Int) throws {
    var random = SplitMix64(seed: UInt64(size))
    let z = Matrix(
      rowCount: size, columnCount: size + 8,
      storage: (0..<size * (size + 8)).map { _ in random.normal() })
    let matrix = ((1 / Double(size + 8)) * z.timesTransposed(z)).symmetrized.addingToDiagonal(0.1)
    let samples = size > 300 ? 3 : 7
    self.size = size
    eigen = try ProcessorTime(samples: samples) {
      let values = try SymmetricEigendecomposition(matrix).values
      precondition(values[0] > 0)
    }
    cholesky = try ProcessorTime(samples: samples) {
      let lower = try CholeskyFactorization(matrix).lower
      precondition(lower[0, 0] > 0)
    }
    inverse = try ProcessorTime(samples: samples) {
      let inverse = try CholeskyFactorization(matrix).inverse
      precondition(inverse[0, 0] > 0)
    }
  }
}

/// The claims, tables and figure of the comparison.
public struct EKFACCost {
  /// One optimizer's mean step.
  struct Step {
    let method: String
    let operations: Double
    let seconds: Double
  }

  let times: [DecompositionTimes]
  let steps: [Step]

  /// KFAC and EKFAC with the intervals of the paper's KFAC: factors and inverses every 20 steps.
  static func steps(_ context: ReproductionContext) throws -> [Step] {
    let data = context.data.small.dataset
    let count = context.isQuick ? 20 : 60
    return try [OptimizerMethod.kfac, .ekfac].map { method in
      let network = try Network.multilayerPerceptron(
        widths: [784, 20, 20, 20, 10], activation: .relu, initialization: .he, seed: 1)
      let settings = OptimizerSettings(method)
      let perEpoch = data.count / 256
      var operations = 0.0
      let time = try ProcessorTime(samples: 1, secondsPerSample: 0) {
        var loop = TrainingLoop(
          network: network,
          optimizer: try settings.optimizer(
            method, RunLength(stepsPerEpoch: perEpoch, steps: count, batch: 256)),
          data: data, likelihood: .categorical, batch: 256, seed: 1)
        for _ in 0..<count { try loop.advance() }
        operations = loop.optimizer.operations
      }
      return Step(
        method: method.rawValue, operations: operations / Double(count),
        seconds: time.median / Double(count))
    }
  }

  var claims: [Claim] {
    let ratios = times.map { $0.eigen.median / $0.inverse.median }
    let holding = ratios.count { $0 > 1 }
    let list = zip(times, ratios).map { "\($0.size): \(NumberText.short($1))" }
      .joined(separator: ", ")
    let factor = times.map { $0.eigen.median / $0.cholesky.median }
    let (kfac, ekfac) = (steps[0], steps[1])
    let time = ekfac.seconds / kfac.seconds
    let operations = ekfac.operations / kfac.operations
    let stop = PrintedTimes.seconds(PrintedTimes.cifar, "THOR_stop", 0)
    let printedKFAC = PrintedTimes.seconds(PrintedTimes.cifar, "KFAC", 0)
    return [
      Claim(
        "its inversion is based on eigendecomposition, while THOR and KFAC are based on Cholesky "
          + "factorization which is faster than eigendecomposition.",
        place: "Results on CIFAR-10",
        finding:
          "time of the eigendecomposition over that of Cholesky factor and inverse, by size: "
          + "\(list). Over the Cholesky factor alone: \(NumberText.short(factor.min() ?? 0)) to "
          + "\(NumberText.short(factor.max() ?? 0)). By operations: 9 and 27.",
        verdict: Claim.Verdict(holdingIn: holding, of: ratios.count),
        reason:
          "the eigendecomposition takes longer at \(holding) of \(ratios.count) sizes, by medians of "
          + "processor time."),
      Claim(
        "its inversion is based on eigendecomposition which makes EKfAC slower than KFAC per step.",
        place: "Related Work",
        finding: "with factors, inverses and bases every 20 steps an EKFAC step takes "
          + "\(NumberText.fixed(time, decimals: 2)) times the time and "
          + "\(NumberText.fixed(operations, decimals: 2)) times the operations of a KFAC step.",
        verdict: EKFACCost.verdict(time: time, operations: operations),
        reason:
          "reproduced where both the time and the operations of a step are larger, in form only "
          + "where one of them is. The layers here are small except for the 785 pixels."),
      Claim(
        "THOR_stop is 3809s faster than EKFac with 93% test accuracy.",
        place: "Results on CIFAR-10, with Table 2",
        finding: "nothing; from the printed numbers, EKFAC took "
          + "\(NumberText.fixed(stop + 3809, decimals: 0)) s, "
          + "\(NumberText.fixed((stop + 3809) / printedKFAC, decimals: 1)) times KFAC's "
          + "\(NumberText.fixed(printedKFAC, decimals: 0)) s.",
        verdict: .outOfScope,
        reason:
          "it needs CIFAR-10, ResNet-18 and a V100, and the paper does not give EKFAC's settings."),
    ]
  }

  /// Reproduced where both the time and the operations are more, in form only where one of them is.
  public static func verdict(time: Double, operations: Double) -> Claim.Verdict {
    Claim.Verdict(holdingIn: (time > 1 ? 1 : 0) + (operations > 1 ? 1 : 0), of: 2)
  }

  var decompositionTable: ResultTable {
    var table = ResultTable(
      "decompositions",
      "Processor time of decomposing one positive definite matrix, in microseconds.",
      isTiming: true,
      [
        ("size", "rows of the matrix"), ("eigen", "eigenvalues and eigenvectors, median"),
        ("eigenLower", "lower quartile"), ("eigenUpper", "upper quartile"),
        ("cholesky", "Cholesky factor, median"),
        ("choleskyInverse", "Cholesky factor and inverse, median"),
        ("eigenOperations", "about 9n³"), ("choleskyOperations", "n³/3"),
        ("choleskyInverseOperations", "n³"), ("ratio", "eigen / choleskyInverse"),
      ])
    for time in times {
      let cube = Double(time.size) * Double(time.size) * Double(time.size)
      table.append([
        .integer(time.size), .number(1e6 * time.eigen.median), .number(1e6 * time.eigen.lower),
        .number(1e6 * time.eigen.upper), .number(1e6 * time.cholesky.median),
        .number(1e6 * time.inverse.median),
        .number(OperationCount.eigendecomposition(time.size)), .number(cube / 3), .number(cube),
        .number(time.eigen.median / time.inverse.median),
      ])
    }
    return table
  }

  var stepTable: ResultTable {
    var table = ResultTable(
      "steps", "Mean cost of one step of training.", isTiming: true,
      [
        ("method", "optimizer, factors and inverses every 20 steps"),
        ("operations", "operations of a step by formula, gradient included"),
        ("milliseconds", "processor time of a step"),
      ])
    for step in steps {
      table.append([
        .text(step.method), .number(step.operations), .number(1e3 * step.seconds),
      ])
    }
    return table
  }

  var figure: Canvas {
    func series(_ name: String, _ time: (DecompositionTimes) -> ProcessorTime) -> LineSeries {
      LineSeries(
        name: name, x: times.map { Double($0.size) }, y: times.map { 1e3 * time($0).median },
        least: times.map { 1e3 * time($0).lower }, greatest: times.map { 1e3 * time($0).upper })
    }
    return LineChartGrid(
      title: "What EKFAC and KFAC decompose",
      subtitle: "one positive definite matrix, routines of this suite, one thread",
      panels: [
        .init(
          title: "(a) time", x: ChartAxis("rows n", .logarithmic),
          y: ChartAxis("processor time, ms", .logarithmic),
          series: [
            series("eigendecomposition (EKFAC)") { $0.eigen },
            series("Cholesky factor and inverse") { $0.inverse },
            series("Cholesky factor") { $0.cholesky },
          ]),
        .init(
          title: "(b) the eigendecomposition over the others", x: ChartAxis("rows n", .logarithmic),
          y: ChartAxis("ratio of times", .logarithmic),
          series: [
            LineSeries(
              name: "Cholesky factor and inverse", x: times.map { Double($0.size) },
              y: times.map { $0.eigen.median / $0.inverse.median }),
            LineSeries(
              name: "Cholesky factor", x: times.map { Double($0.size) },
              y: times.map { $0.eigen.median / $0.cholesky.median }),
          ], references: [ReferenceLine(9, name: "9, by operations (factor and inverse)")]),
      ],
      caption: "Lines: medians; bands: quartiles of repeated measurements."
    ).canvas
  }
}
