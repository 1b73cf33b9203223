import Curvature
import DenseAlgebra
import Networks
import Testing

/// The named arrays of one parameter block.
struct VectorLayerQuantities {
  let owner: VectorQuantities
  let index: Int
  let exact, empirical: LayerSamples

  init(_ owner: VectorQuantities, _ index: Int) {
    self.owner = owner
    self.index = index
    exact = LayerSamples(owner.exact, block: index)
    empirical = LayerSamples(owner.empirical, block: index)
  }

  var factors: KFACFactors { KFACFactors(exact) }
  var reduced: KFACFactors { KFACFactors(exact, sharing: .reduce) }

  /// The routes to an array whose name goes on after `layerI.`.
  func routes(to name: String, shape: [Int]) throws -> [[Double]]? {
    switch name {
    case "a": return [exact.inputs.storage]
    case "jacobian": return [jacobian]
    case "g": return [empirical.gradients[0].storage]
    case "gradient":
      let ones = Vector(
        repeating: 1 / Double(empirical.exampleCount).squareRoot(), count: empirical.exampleCount)
      return [rows(owner.gradient.blocks[index]), rows(empirical.combine(ones))]
    case "A": return [rows(factors.a), rows(KroneckerBlock.kfac(exact).a.dense)]
    case "G": return [rows(factors.g), rows(KroneckerBlock.kfac(exact).g.dense)]
    case "G.empirical": return [rows(KFACFactors(empirical).g)]
    case "G.reduce.empirical": return [rows(KFACFactors(empirical, sharing: .reduce).g)]
    case "A.reduce": return [rows(reduced.a)]
    case "G.reduce": return [rows(reduced.g)]
    case "A.eigenvalues": return try eigenvalues(factors.a)
    case "G.eigenvalues": return try eigenvalues(factors.g)
    case "block": return try exactBlock(exact, owner.exact)
    case "block.empirical": return try exactBlock(empirical, owner.empirical)
    case "kfac":
      return [
        try dense(KroneckerBlock.kfac(exact)),
        rows(ImplicitKroneckerOperator(exact, lambda: 0).dense()),
      ]
    case "ekfac": return [try dense(EigenbasisBlock.ekfac(exact))]
    case "second-moments": return [rows(try EigenbasisBlock.ekfac(exact).secondMoments)]
    case "nearest-kronecker": return [try dense(KroneckerBlock.nearestKronecker(exact))]
    case "tkfac": return [try dense(KroneckerBlock.tkfac(exact))]
    default:
      return try routes(parts: name.split(separator: ".").map(String.init), shape: shape)
    }
  }

  /// Names with parameters; λ at the end has a decimal point of its own.
  private func routes(parts: [String], shape: [Int]) throws -> [[Double]]? {
    func λ(after count: Int) -> Double? { Double(parts.dropFirst(count).joined(separator: ".")) }
    switch parts[0] {
    case "nearest-kronecker":
      return [
        try factor(parts[1], of: KroneckerBlock.nearestKronecker(exact).dense(within: .standard))
      ]
    case "tkfac":
      return [try factor(parts[1], of: KroneckerBlock.tkfac(exact).dense(within: .standard))]
    case "kl-kronecker":
      guard let λ = λ(after: 2) else { return nil }
      let damped = try KLKroneckerBlock(exact).damped(.exact, λ)
      return [try factor(parts[1], of: damped.dense(within: .standard))]
    case "damping":
      guard let λ = λ(after: 2), let shifts = try shifts(parts[1], λ) else { return nil }
      return [[shifts.a, shifts.g]]
    case "A", "G":
      guard parts.count > 3, let λ = λ(after: 3), let shifts = try shifts(parts[2], λ) else {
        return nil
      }
      let (matrix, shift) =
        parts[0] == "A" ? (factors.a, shifts.a) : (factors.g, shifts.g)
      return try VectorMatrixQuantities.damped(matrix, shift, parts[1])
    case "cg":
      guard let λ = λ(after: 2) else { return nil }
      return try iterates(parts[1], λ, count: shape[0])
    case "step":
      guard parts.count > 3, let rule = DampingRule(rawValue: parts[2]), let λ = λ(after: 3) else {
        return nil
      }
      return try steps(parts[1], rule, λ)
    default:
      guard let split = VectorLayerQuantities.split(parts[0]), parts.count == 1 else { return nil }
      return [try dense(KroneckerBlock.kfacSplit(exact, split: split))]
    }
  }

  /// N × C × T × dG.
  private var jacobian: [Double] {
    let layer = LayerSamples(owner.unit, block: index)
    let width = layer.positions * layer.outputSize
    return (0..<layer.exampleCount).flatMap { n in
      layer.gradients.flatMap { $0.storage[n * width..<(n + 1) * width] }
    }
  }

  private func eigenvalues(_ matrix: Matrix) throws -> [[Double]] {
    [
      try SymmetricEigendecomposition.values(of: matrix).elements,
      try SymmetricEigendecomposition(matrix).values.elements,
    ]
  }

  private func exactBlock(_ layer: LayerSamples, _ samples: GradientSamples) throws -> [[Double]] {
    [
      try dense(ExactFisher.blocks(of: samples)[index]),
      rows(layer.scaledGradients.timesOwnTranspose),
      rows(ExactBlockOperator(layer, lambda: 0).dense()),
    ]
  }

  private func dense(_ structure: some MatrixStructure) throws -> [Double] {
    rows(try structure.dense(within: .standard))
  }

  private func shifts(_ rule: String, _ λ: Double) throws -> (a: Double, g: Double)? {
    DampingRule(rawValue: rule)?.shifts(
      a: KroneckerFactor(factors.a), g: KroneckerFactor(factors.g), lambda: λ)
  }

  /// One factor of a Kronecker product in the files' gauge.
  private func factor(_ name: String, of product: Matrix) throws -> [Double] {
    try VectorMatrixQuantities.factor(
      name, of: product, inputSize: exact.inputSize, outputSize: exact.outputSize)
  }

  /// d of `kfac-split-d`.
  private static func split(_ name: String) -> Int? {
    name.hasPrefix("kfac-split-") ? Int(name.dropFirst("kfac-split-".count)) : nil
  }

  private func steps(_ name: String, _ rule: DampingRule, _ λ: Double) throws -> [[Double]]? {
    let right = owner.gradient
    let here = ParameterVector(blocks: [right.blocks[index]])
    switch name {
    case "exact":
      let fisher = ExactFisher(owner.exact)
      return [
        rows(try fisher.dampedDense(rule, λ).solve(right).blocks[index]),
        rows(try fisher.dampedGram(rule, λ).solve(right).blocks[index]),
      ]
    case "block-diagonal":
      let block = ExactFisher.blocks(of: owner.exact)[index]
      return [
        rows(try block.dampedDense(rule, λ).solve(here).blocks[0]),
        rows(try block.dampedGram(rule, λ).solve(here).blocks[0]),
        rows(
          try StructureKind.blockDiagonal.build(owner.exact).damped(rule, λ).solve(right).blocks[
            index]),
      ]
    default:
      var options = StructureOptions()
      let kind: StructureKind?
      if let split = VectorLayerQuantities.split(name) {
        kind = .kfacSplit
        options.split = split
      } else if name == "kfac-reduce" {
        kind = .kfac
        options.sharing = .reduce
      } else {
        kind = StructureKind(rawValue: name)
      }
      guard let kind else { return nil }
      let step = try kind.build(owner.exact, options).damped(rule, λ).solve(right)
      return [rows(step.blocks[index])]
    }
  }

  /// The iterates 1, 2, … of conjugate gradients without a stopping rule: k × dG × dA.
  private func iterates(_ name: String, _ λ: Double, count: Int) throws -> [[Double]]? {
    let operators: [String: MatrixFreeSolver.Operator] = [
      "kronecker": .kfac, "exact-block": .exactBlock,
    ]
    guard let layerOperator = operators[name] else { return nil }
    let right = ParameterVector(blocks: [owner.gradient.blocks[index]])
    return [
      try (1...count).flatMap { steps in
        let solver = MatrixFreeSolver(
          layerOperator,
          iteration: ConjugateGradient(
            stoppingRule: .rightHandSide(tolerance: 0), maximumIterations: steps))
        return rows(try solver.solve([exact], right, lambda: λ).step.blocks[0])
      }
    ]
  }
}
