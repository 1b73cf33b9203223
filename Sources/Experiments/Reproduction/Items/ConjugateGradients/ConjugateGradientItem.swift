import Curvature
import Networks

extension ReproductionItem {
  /// CG-FAC: what its note claims, on the small network.
  static let conjugateGradients = ReproductionItem(
    "cg-fac", "CG-FAC: steps, warm starts, break-even and memory against what its note says",
    isOfPaper: false
  ) { context in
    let data = context.data.small.dataset
    var options = ConjugateGradientStudy.Options()
    var warmOptions = WarmStartStudy.Options()
    if context.isQuick {
      options.iterations = [10]
      options.lambdas = [1, 1e-2, 1e-4]
      options.largeLimit = 60
      warmOptions.steps = 12
    }
    let study = try ConjugateGradientStudy(
      options, data: data, seeds: context.seeds, progress: context.progress)
    let warm = try WarmStartStudy(
      warmOptions, data: data, seeds: Array(context.seeds.prefix(3)), progress: context.progress)
    let times = try BreakEvenTimes(data, isQuick: context.isQuick, progress: context.progress)
    let claims = ConjugateGradientClaims(study: study, warm: warm, times: times)
    let figures = ConjugateGradientFigures(study: study, warm: warm, times: times)
    return ReproductionResult(
      setting:
        "784-20-20-20-10, tanh, on \(data.name), batch \(options.batch), trained by KFAC (λ = 0.3 "
        + "on each factor, rate 0.1; warm starts also at rate 0.01); the note has no experiment, and names neither network nor data. "
        + "Times of products are those of layers of 784-20-20-20-10 and 784-512-256-10 at their start.",
      claims: claims.all,
      tables: [
        ConjugateGradientTables.iterations(study), ConjugateGradientTables.warmStarts(warm),
        ConjugateGradientTables.operations(), ConjugateGradientTables.products(times),
        ConjugateGradientTables.steps(times),
      ],
      figures: figures.all,
      remarks: [
        "The formulas of the note's text were lost in the copy used here; its complexities are restored "
          + "from the sentences around them (specification, section 6.2). They hold for statistics of a "
          + "single vector (N = 1).",
        "The author's published code (DeepFormer, February 2021, as read, not run) forms A and G and "
          + "averages them, stops at a tenth of the first residual or after ten steps, and has its warm "
          + "start switched off.",
        "Reading 1 is A ⊗ G + λI, reading 2 the exact layer block + λI; both without forming a matrix. "
          + "In the counts of steps reading 1 is applied with formed factors and small blocks of reading "
          + "2 as a matrix, which is the same operator in less time.",
      ])
  }
}
