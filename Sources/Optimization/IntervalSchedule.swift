import RealModule

/// How many steps pass between two refreshes; the THOR paper lets this number grow.
///
/// The paper shows its intervals only as plots (Figures 6b and 8d); MindSpore's is constant.
/// Reference: the specification, section 7.3.
public enum IntervalSchedule: Equatable, Sendable {
  case constant(Int)
  /// (first step, interval), in ascending order of the steps, the first of them 0.
  case list([Entry])
  /// min(most, ⌈initial · rate^⌊e⌋⌉) in epoch e.
  case growing(initial: Int, rate: Double, most: Int)

  public struct Entry: Equatable, Sendable {
    public let fromStep: Int
    public let interval: Int

    public init(fromStep: Int, interval: Int) {
      self.fromStep = fromStep
      self.interval = interval
    }
  }

  /// The interval T in force at a step.
  public func interval(atStep step: Int, epoch: Double) -> Int {
    switch self {
    case .constant(let interval): return interval
    case .list(let entries):
      return entries.last { $0.fromStep <= step }?.interval ?? entries[0].interval
    case .growing(let initial, let rate, let most):
      let grown = (Double(initial) * Double.pow(rate, epoch.rounded(.down))).rounded(.up)
      return grown >= Double(most) ? most : Int(grown)
    }
  }

  /// Whether a refresh is due: at step 0, and whenever T steps have passed since the last one.
  ///
  /// For a constant T this is k ≡ 0 mod T.
  public func isDue(atStep step: Int, last: Int?, epoch: Double) -> Bool {
    guard let last else { return true }
    return step - last >= interval(atStep: step, epoch: epoch)
  }

  /// All the intervals that occur, up to the last one of a growing schedule.
  private var intervals: [Int] {
    switch self {
    case .constant(let interval): [interval]
    case .list(let entries): entries.map(\.interval)
    case .growing(let initial, _, let most): [initial, most]
    }
  }

  /// Throws one sentence where the schedule cannot be followed.
  public func check(_ name: String) throws(OptimizationError) {
    if let bad = intervals.first(where: { $0 < 1 }) {
      throw OptimizationError(
        "\(name) is \(bad); an interval of at least 1 step was expected: give 1 or more.")
    }
    switch self {
    case .constant: break
    case .list(let entries):
      guard entries.first?.fromStep == 0,
        zip(entries, entries.dropFirst()).allSatisfy({ $0.fromStep < $1.fromStep })
      else {
        throw OptimizationError(
          "\(name) lists the first steps \(entries.map(\.fromStep)); ascending steps that begin with 0 "
            + "were expected: sort the list and begin it with 0.")
      }
    case .growing(let initial, let rate, let most):
      guard rate >= 1, rate.isFinite, most >= initial else {
        throw OptimizationError(
          "\(name) grows from \(initial) by the factor \(rate) up to \(most); a factor of at least 1 "
            + "and a last interval of at least the first were expected.")
      }
    }
  }

  /// Throws where a trace test would not meet factors of its own step.
  ///
  /// With T_FIM > T_INV it may meet those of the last test: an unchanged factor has Δ = 0, and with
  /// ω₂ > 0 that stops a layer that did change. With T_FIM < T_INV the spans compared are unequal.
  public static func check(factors: IntervalSchedule, inverses: IntervalSchedule)
    throws(OptimizationError)
  {
    try factors.check("T_FIM")
    try inverses.check("T_INV")
    let ofFactors = factors.intervals
    let isFixed = Set(ofFactors).count == 1
    let isAligned =
      factors == inverses || (isFixed && ofFactors[0] == 1)
      || (isFixed && inverses.intervals.allSatisfy { $0 % ofFactors[0] == 0 } && inverses.isListed)
    guard isAligned else {
      throw OptimizationError(
        "T_FIM is \(factors) and T_INV is \(inverses); T_FIM must divide T_INV, or a trace test would "
          + "compare factors of unequal age, or a factor with itself, find Δ = 0, and stop the layer "
          + "falsely: make T_INV a multiple of T_FIM, or use one schedule for both.")
    }
  }

  /// Whether all intervals are written down, so that divisibility can be read off.
  private var isListed: Bool {
    if case .growing = self { return false }
    return true
  }
}

extension IntervalSchedule: CustomStringConvertible {
  public var description: String {
    switch self {
    case .constant(let interval): "\(interval)"
    case .list(let entries):
      entries.map { "\($0.interval) from step \($0.fromStep)" }.joined(separator: ", ")
    case .growing(let initial, let rate, let most):
      "\(initial) growing by \(rate) an epoch up to \(most)"
    }
  }
}
