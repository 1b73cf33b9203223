import Curvature
import DenseAlgebra

extension CurvatureRecipe {
  /// The split factors, their damped inverses and the step with them, under a rule that damps factors.
  func addSplit(
    to dump: inout CurvatureDump, _ layer: String, _ setting: CurvatureSetting, _ v: Matrix,
    _ factors: KFACFactors
  ) {
    guard let shifts = shifts(setting, factors) else { return }
    let (a, g) = (splitA(setting, factors.a), splitG(setting, factors.g))
    let name = "split-\(setting.split)"
    dump["\(layer).A.\(name)"] = a
    dump["\(layer).G.\(name)"] = g
    guard let inverseA = try? splitInverse(self, setting, factors.a, a, shifts.a),
      let inverseG = try? splitInverse(self, setting, factors.g, g, shifts.g)
    else { return }
    let damping = "\(setting.rule.rawValue).\(setting.lambda)"
    dump["\(layer).A.\(name).inverse.\(damping)"] = inverseA
    dump["\(layer).G.\(name).inverse.\(damping)"] = inverseG
    dump["\(layer).step.kfac-\(name).\(damping)"] = step(
      v, DampedFactors(a: a, g: g, shifts: shifts, inverseA: inverseA, inverseG: inverseG))
  }
}
