import Curvature
import DataFiles
import Networks

extension ComparisonSummary {
  /// The columns of `summary.csv` and what each holds; errors are means over the seeds.
  public static let columns: [(name: String, meaning: String)] = [
    ("iteration", "training steps before the measurement"),
    ("layer", "the layer, counted from 1, or network: the compared layers together"),
    ("structure", "the approximation"),
    ("split", "the block size of kfac-split"),
    ("damping_rule", "how λ enters the approximation"),
    ("lambda", "the damping strength, on the approximation and on the reference"),
    ("solver", "direct, or the conjugate-gradient operator"),
    ("relative_frobenius_block", "‖F̂ − F‖/‖F‖ against the exact layer blocks, undamped"),
    ("relative_frobenius_full", "the same against the full Fisher"),
    ("relative_frobenius_kfac", "the same against KFAC's A ⊗ G"),
    ("maximum_absolute_kfac", "the largest entry of |F̂ − A ⊗ G|, undamped"),
    ("relative_inverse_block", "‖F̂⁻¹ − F⁻¹‖/‖F⁻¹‖ against the exact block, both damped"),
    ("f_cosine", "F-cosine of the step with the exact one (network: full; layer: its block)"),
    ("eta", "F-cosine²: the share of the best model decrease that the step keeps"),
    ("length_ratio", "the step's length over the exact step's"),
    ("seeds", "the number of seeds"),
    ("relative_frobenius_block_min", "the least over the seeds"),
    ("relative_frobenius_block_max", "the largest over the seeds"),
    ("relative_frobenius_kfac_min", "the least over the seeds"),
    ("relative_frobenius_kfac_max", "the largest over the seeds"),
    ("eta_min", "the least over the seeds"),
    ("eta_max", "the largest over the seeds"),
  ]

  /// `summary.csv`.
  public func csv(seeds: Int) -> [UInt8] {
    func cell(_ value: Double?) -> CSV.Cell { value.map { .number($0) } ?? .empty }
    return CSV.encode(
      header: ComparisonSummary.columns.map(\.name),
      rows: rows.map { row in
        let block = row.statistic(.relativeFrobenius, .blocks)
        let kfac = row.statistic(.relativeFrobenius, .kfac)
        let eta = row.statistic(.efficiency, row.stepReference)
        return [
          .integer(row.iteration), .text(row.place.description), .text(row.structure.rawValue),
          row.split.map { .integer($0) } ?? .empty, .text(row.rule.rawValue), .number(row.lambda),
          .text(row.solver), cell(block?.mean),
          cell(row.statistic(.relativeFrobenius, .full)?.mean), cell(kfac?.mean),
          cell(row.statistic(.maximumAbsolute, .kfac)?.mean),
          cell(row.statistic(.relativeInverseFrobenius, .blocks)?.mean),
          cell(row.statistic(.fisherCosine, row.stepReference)?.mean), cell(eta?.mean),
          cell(row.statistic(.lengthRatio, row.stepReference)?.mean), .integer(seeds),
          cell(block?.minimum), cell(block?.maximum), cell(kfac?.minimum), cell(kfac?.maximum),
          cell(eta?.minimum), cell(eta?.maximum),
        ]
      })
  }
}

extension Comparison {
  /// The columns of `comparison.csv` and what each holds.
  public static let columns: [(name: String, meaning: String)] = [
    ("run", "the seed's number in the list, counted from 1"),
    ("dataset", "the data set's name"),
    ("network", "layer sizes, inputs first"),
    ("activation", "the activation between layers"),
    ("init", "the rule of the random start"),
    ("optimizer", "what trained the network between iterations"),
    ("learning_rate", "its learning rate"),
    ("seed", "the seed of start and batches"),
    ("iteration", "training steps before the measurement"),
    ("loss", "mean loss of the batch at that point"),
    ("fisher", "which Fisher the approximation was built from; references follow --fisher"),
    ("batch", "examples in the batch"),
    ("layer", "the layer, counted from 1, or network: the compared layers together"),
    ("parameters", "the number of parameters of that place"),
    ("structure", "the approximation"),
    ("split", "the block size of kfac-split"),
    ("damping_rule", "how λ enters the approximation; empty for undamped matrices"),
    ("lambda", "the damping strength on both sides; empty for undamped matrices"),
    ("solver", "direct or a conjugate-gradient operator; empty for matrix metrics"),
    ("cg_steps", "conjugate-gradient steps (network: the sum over layers)"),
    ("reference", "what the approximation is compared with"),
    ("metric", "what is measured; natgrad list gives the formula"),
    ("value", "the number, in the fewest decimals that read back as the same double"),
  ]

  /// `comparison.csv`: one row for each number, tidy and long.
  public func csv() -> [UInt8] {
    var rows: [[CSV.Cell]] = []
    for point in points {
      let run = (options.seeds.firstIndex(of: point.seed) ?? 0) + 1
      let head: [CSV.Cell] = [
        .integer(run), .text(dataset.name), .text(labels.network), .text(labels.activation),
        .text(labels.initialization), .text(labels.optimizer),
        labels.learningRate.map { .number($0) } ?? .empty, .text(String(point.seed)),
        .integer(point.iteration), .number(point.loss),
      ]
      for m in point.measurements {
        rows.append(
          head + [
            .text(m.fisher), .integer(options.batch), .text(m.place.description),
            .integer(m.parameters), .text(m.structure.rawValue),
            m.split.map { .integer($0) } ?? .empty, m.rule.map { .text($0.rawValue) } ?? .empty,
            m.lambda.map { .number($0) } ?? .empty, m.solver.map { .text($0) } ?? .empty,
            m.iterations.map { .integer($0) } ?? .empty, .text(m.reference.rawValue),
            .text(m.metric.rawValue), .number(m.value),
          ])
      }
    }
    return CSV.encode(header: Comparison.columns.map(\.name), rows: rows)
  }
}

extension ComparisonOptions.Training {
  /// The name in tables.
  public var label: String {
    switch self {
    case .kfac: "kfac (factor)"
    case .sgd: "sgd"
    }
  }
}
