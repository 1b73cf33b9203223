import Curvature
import DataFiles
import DenseAlgebra
import Networks

extension Quantities {
  /// The preconditioned gradient of every structure, rule and λ; rule `none` once, without λ.
  mutating func addSteps(_ state: QuantityState) throws {
    for kind in state.options.structures {
      let structure = try state.structure(kind)
      let name = state.options.name(of: kind)
      for rule in kind.rules {
        if rule == .none {
          let damped = try structure.damped(rule, 0)
          try add(damped.solve(state.gradient), state) { "\($0).step.\(name).none" }
          try add(
            "rank.\(name)",
            NumericArray(shape: [], elements: [Double(damped.rank)], kind: .integer))
          continue
        }
        for lambda in state.options.lambdas {
          let step = try structure.damped(rule, lambda).solve(state.gradient)
          try add(step, state) { "\($0).step.\(name).\(rule.rawValue).\(lambda)" }
        }
      }
    }
  }

  /// The steps of conjugate gradients on the matrix-free operators, and what each iteration did.
  mutating func addMatrixFreeSteps(_ state: QuantityState) throws {
    for layerOperator in state.options.operators {
      let solver = MatrixFreeSolver(layerOperator, iteration: state.options.iteration)
      let name = layerOperator.rawValue
      for lambda in state.options.lambdas {
        let (step, iterations) = try solver.solve(state.layers, state.gradient, lambda: lambda)
        try add(step, state) { "\($0).step.\(name).exact.\(lambda)" }
        for (number, solution) in zip(state.numbers, iterations) {
          try add(
            "layer\(number).iterations.\(name).\(lambda)",
            NumericArray(shape: [], elements: [Double(solution.iterations)], kind: .integer))
          try add(
            "layer\(number).residuals.\(name).\(lambda)",
            NumericArray(Vector(solution.residualNorms)))
        }
      }
    }
  }

  private mutating func add(
    _ step: ParameterVector, _ state: QuantityState, name: (String) -> String
  ) throws(DataFileError) {
    for (number, block) in zip(state.numbers, step.blocks) {
      try add(name("layer\(number)"), NumericArray(block))
    }
  }
}
