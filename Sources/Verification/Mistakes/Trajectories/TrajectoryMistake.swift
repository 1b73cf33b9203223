import Curvature

/// A mistake that needs an optimizer's memory: a recipe for training with one wrong stage.
public struct TrajectoryMistake: CataloguedMistake {
  public let number: Int
  public let form: String
  public let name: String
  public let wrong: String
  public let right: String
  public let mark: String
  public let caughtBy: [Mistake.Catch]
  /// What a setting must have for the mistake to make a difference.
  public let needs: [Need]
  public let home: TrajectorySetting
  /// The one deviation.
  public let change: @Sendable (inout TrajectoryRecipe) -> Void

  public init(
    _ number: Int, form: String = "", _ name: String, wrong: String, right: String, mark: String,
    caughtBy: [Mistake.Catch], needs: [Need] = [], home: TrajectorySetting = .averaged,
    change: @escaping @Sendable (inout TrajectoryRecipe) -> Void
  ) {
    self.number = number
    self.form = form
    self.name = name
    self.wrong = wrong
    self.right = right
    self.mark = mark
    self.caughtBy = caughtBy
    self.needs = needs
    self.home = home
    self.change = change
  }

  /// The recipe with this mistake in it.
  public var recipe: TrajectoryRecipe {
    var recipe = TrajectoryRecipe()
    change(&recipe)
    return recipe
  }

  public func dump(_ setting: TrajectorySetting) throws(CurvatureError) -> CurvatureDump {
    try recipe.dump(setting)
  }

  public static func rightDump(_ setting: TrajectorySetting) throws(CurvatureError) -> CurvatureDump
  {
    try TrajectoryRecipe().dump(setting)
  }

  /// What a setting must have for a mistake to make a difference.
  public enum Need: Sendable {
    /// KFAC, whose inverses are of accepted factors.
    case inverses
    case eigenbasis
    /// Factors averaged over batches.
    case averaging
    case traceRule
    case decayAfter
    case decayBefore
    case clipping

    /// Why the mistake says nothing about a setting; nil where it does.
    func isMissing(in setting: TrajectorySetting) -> String? {
      switch self {
      case .inverses: setting.usesEigenbasis ? "needs inverses of factors" : nil
      case .eigenbasis: setting.usesEigenbasis ? nil : "needs an eigenbasis"
      case .averaging: setting.decay > 0 ? nil : "needs averaged factors"
      case .traceRule: setting.thresholds == nil ? "needs a trace rule" : nil
      case .decayAfter:
        setting.weightDecay > 0 && !setting.preconditionsDecay
          ? nil : "needs weight decay that is not preconditioned"
      case .decayBefore:
        setting.weightDecay > 0 && setting.preconditionsDecay
          ? nil : "needs weight decay that is preconditioned"
      case .clipping: setting.clippingNorm < .infinity ? nil : "needs clipping"
      }
    }
  }

  public func whyNotApplicable(to setting: TrajectorySetting) -> String? {
    for need in needs {
      if let reason = need.isMissing(in: setting) { return reason }
    }
    return nil
  }
}
