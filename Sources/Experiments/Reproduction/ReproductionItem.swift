/// One figure, table or question: how it is computed and what comes of it.
public struct ReproductionItem: Sendable {
  /// The name on the command line, such as figure-4.
  public let id: String
  /// What it shows, in one sentence.
  public let title: String
  /// Whether the paper has it, or it goes beyond.
  public let isOfPaper: Bool
  public let run: @Sendable (ReproductionContext) throws -> ReproductionResult

  public init(
    _ id: String, _ title: String, isOfPaper: Bool = true,
    run: @escaping @Sendable (ReproductionContext) throws -> ReproductionResult
  ) {
    self.id = id
    self.title = title
    self.isOfPaper = isOfPaper
    self.run = run
  }
}

/// What an item may use.
public struct ReproductionContext: Sendable {
  /// Smaller sizes and fewer seeds, for a look within minutes.
  public let isQuick: Bool
  /// The seeds of repeated runs.
  public let seeds: [UInt64]
  /// Named data, read once for all items.
  public let data: ReproductionData
  /// Factors of the user's own network for the choice of the split, by name.
  public let factors: [(name: String, path: String)]
  public let progress: @Sendable (String, Int, Int) -> Void

  public init(
    isQuick: Bool, seeds: [UInt64], data: ReproductionData,
    factors: [(name: String, path: String)] = [],
    progress: @escaping @Sendable (String, Int, Int) -> Void
  ) {
    self.isQuick = isQuick
    self.seeds = seeds
    self.data = data
    self.factors = factors
    self.progress = progress
  }
}

/// The data sets of a reproduction.
public struct ReproductionData: Sendable {
  /// What matrices are measured on: the shipped Fashion-MNIST, unless the user names another.
  public let small: LoadedDataset
  /// What is trained on, with its test part.
  public let training: TrainingData

  public init(small: LoadedDataset, training: TrainingData) {
    self.small = small
    self.training = training
  }
}

/// What an item gives.
public struct ReproductionResult: Sendable {
  /// The first line of CLAIM.md: network, data, and what stands in for what.
  public let setting: String
  public let claims: [Claim]
  public let tables: [ResultTable]
  /// File stem and drawing.
  public let figures: [(name: String, canvas: Canvas)]
  /// Further sentences below the claims: what the numbers do and do not say.
  public let remarks: [String]

  public init(
    setting: String, claims: [Claim], tables: [ResultTable],
    figures: [(name: String, canvas: Canvas)] = [], remarks: [String] = []
  ) {
    self.setting = setting
    self.claims = claims
    self.tables = tables
    self.figures = figures
    self.remarks = remarks
  }
}
