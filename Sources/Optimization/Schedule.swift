import RealModule

/// A learning rate or a damping as a function of the epoch, which may be fractional.
///
/// Past the end of a polynomial decay the value stays 0: unclamped, (1 − e/e_end)⁶ grows again.
/// Reference: THOR paper, Eqs. 13 to 16; the specification, section 7.7.
public enum Schedule: Equatable, Sendable {
  case constant(Double)
  /// Eq. 13: initial · factor^⌊e/every⌋.
  case steps(initial: Double, factor: Double, every: Double)
  /// Eq. 14: target · (1 − e/end)^power.
  case polynomial(target: Double, end: Double, power: Double)
  /// Eq. 15: a straight line from `start` to `target` up to epoch `warmUp`, then
  /// target · (1 − (e − warmUp)/end)^power: `end` is the length of the decay, as the paper prints it.
  case warmUp(start: Double, target: Double, warmUp: Double, end: Double, power: Double)
  /// Eq. 16: initial · rate^(e/10).
  case exponential(initial: Double, rate: Double)

  /// The value at an epoch e ≥ 0.
  public func value(atEpoch e: Double) -> Double {
    switch self {
    case .constant(let value): value
    case .steps(let initial, let factor, let every):
      initial * power(factor, (e / every).rounded(.down))
    case .polynomial(let target, let end, let power): decay(target, e, end, power)
    case .warmUp(let start, let target, let warmUp, let end, let power):
      e <= warmUp && warmUp > 0
        ? start + (target - start) / warmUp * e : decay(target, e - warmUp, end, power)
    case .exponential(let initial, let rate): initial * power(rate, e / 10)
    }
  }

  private func decay(_ target: Double, _ e: Double, _ end: Double, _ power: Double) -> Double {
    target * self.power(max(0, 1 - e / end), power)
  }

  /// baseᵉ with 0⁰ = 1, which RealModule leaves undefined.
  private func power(_ base: Double, _ exponent: Double) -> Double {
    exponent == 0 ? 1 : Double.pow(base, exponent)
  }

  /// The schedule that goes through the same values in `factor` times as many epochs.
  public func stretched(by factor: Double) -> Schedule {
    precondition(factor > 0, "a schedule stretched by \(factor); a positive factor is expected")
    return switch self {
    case .constant: self
    case .steps(let initial, let f, let every):
      .steps(initial: initial, factor: f, every: factor * every)
    case .polynomial(let target, let end, let power):
      .polynomial(target: target, end: factor * end, power: power)
    case .warmUp(let start, let target, let warmUp, let end, let power):
      .warmUp(
        start: start, target: target, warmUp: factor * warmUp, end: factor * end, power: power)
    case .exponential(let initial, let rate):
      // rate^(e/10) at e = factor·e′ is (rate^(1/factor))^(e/10).
      .exponential(initial: initial, rate: Double.pow(rate, 1 / factor))
    }
  }

  /// Throws one sentence where a field is not usable; `name` says whose schedule it is.
  public func check(_ name: String) throws(OptimizationError) {
    let fields: [(String, Double, Bool)] =
      switch self {
      case .constant(let value): [("value", value, value >= 0)]
      case .steps(let initial, let factor, let every):
        [
          ("initial", initial, initial >= 0), ("factor", factor, factor >= 0),
          ("every", every, every > 0),
        ]
      case .polynomial(let target, let end, let power):
        [("target", target, target >= 0), ("end", end, end > 0), ("power", power, power >= 0)]
      case .warmUp(let start, let target, let warmUp, let end, let power):
        [
          ("start", start, start >= 0), ("target", target, target >= 0),
          ("warmUp", warmUp, warmUp >= 0), ("end", end, end > 0), ("power", power, power >= 0),
        ]
      case .exponential(let initial, let rate):
        [("initial", initial, initial >= 0), ("rate", rate, rate >= 0)]
      }
    for (field, value, isGood) in fields where !(isGood && value.isFinite) {
      throw OptimizationError(
        "the schedule of \(name) has \(field) \(value); a finite number was expected, positive for "
          + "lengths and at least 0 for the rest: change \(field).")
    }
  }
}

extension Schedule {
  /// The hyper-parameters of the THOR paper, by the name of their place in it.
  public enum Preset: String, CaseIterable, Sendable {
    /// Eq. 13: ResNet-18 on CIFAR-10.
    case cifar10 = "cifar-10"
    /// Table 3, batch 256, THOR.
    case imageNet256 = "imagenet-256"
    /// Table 3, batch 256, THOR_stop.
    case imageNet256Stop = "imagenet-256-stop"
    /// Table 3, batch 256, THOR_NT.
    case imageNet256NT = "imagenet-256-nt"
    /// Table 3, batch 4096.
    case imageNet4096 = "imagenet-4096"
    /// Table 3, batch 8192.
    case imageNet8192 = "imagenet-8192"

    public var learningRate: Schedule {
      switch self {
      case .cifar10: .steps(initial: 0.1, factor: 0.1, every: 30)
      case .imageNet256: .polynomial(target: 0.045, end: 70, power: 6)
      case .imageNet256Stop: .polynomial(target: 0.050, end: 70, power: 6)
      case .imageNet256NT: .polynomial(target: 0.045, end: 72, power: 6)
      case .imageNet4096: .warmUp(start: 0.005, target: 0.45, warmUp: 5, end: 55, power: 6)
      case .imageNet8192: .warmUp(start: 0.01, target: 0.8, warmUp: 5, end: 48, power: 6)
      }
    }

    public var damping: Schedule {
      switch self {
      case .cifar10: .steps(initial: 0.3, factor: 0.1, every: 30)
      case .imageNet256, .imageNet256Stop, .imageNet256NT:
        .exponential(initial: 0.03, rate: 0.87)
      case .imageNet4096: .exponential(initial: 0.3, rate: 0.2)
      case .imageNet8192: .exponential(initial: 0.6, rate: 0.3)
      }
    }
  }
}
