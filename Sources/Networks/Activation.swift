import RealModule

/// A function applied to every entry of a layer's pre-activations.
///
/// Values and derivatives keep full relative accuracy for every argument: they are written with
/// exp(−|s|), which never overflows, instead of with differences such as 1 − tanh². At 0, where
/// `relu` has no derivative, 0 is used.
public enum Activation: String, CaseIterable, Codable, Sendable {
  case identity, tanh, logistic, relu, softplus

  /// φ(s).
  public func value(_ s: Double) -> Double {
    switch self {
    case .identity: return s
    case .tanh: return Double.tanh(s)
    case .logistic: return logisticFunction(s)
    case .relu: return s < 0 ? 0 : s  // written so that NaN stays NaN
    case .softplus: return softplusFunction(s)
    }
  }

  /// φ′(s).
  public func derivative(_ s: Double) -> Double {
    switch self {
    case .identity: return 1
    case .tanh:  // 1 − tanh²s = 4e/(1 + e)², e = exp(−2|s|)
      let e = Double.exp(-2 * s.magnitude)
      return 4 * e / ((1 + e) * (1 + e))
    case .logistic:  // σ(1 − σ) = e/(1 + e)², e = exp(−|s|)
      let e = Double.exp(-s.magnitude)
      return e / ((1 + e) * (1 + e))
    case .relu: return s <= 0 ? 0 : (s > 0 ? 1 : s)
    case .softplus: return logisticFunction(s)
    }
  }
}

/// σ(s) = 1/(1 + exp(−s)), with full relative accuracy for large negative s too.
func logisticFunction(_ s: Double) -> Double {
  let e = Double.exp(-s.magnitude)
  return s < 0 ? e / (1 + e) : 1 / (1 + e)
}

/// log(1 + exp(s)) = max(s, 0) + log1p(exp(−|s|)).
func softplusFunction(_ s: Double) -> Double {
  (s < 0 ? 0 : s) + Double.log(onePlus: Double.exp(-s.magnitude))
}
