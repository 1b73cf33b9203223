import Curvature
import DenseAlgebra
import Networks

extension CurvatureAnalysis {
  /// The step metrics of every structure, rule and solver at one λ, and the damped-matrix metrics of layers.
  ///
  /// Both sides carry the same λ: the reference as F + λI, the approximation under its rule. The
  /// matrix-free solvers and the reference `full-data` are measured at the default λ, with
  /// `everything` at all.
  public func dampedMeasurements(lambda: Double) throws(CurvatureError) -> [Measurement] {
    var rows: [Measurement] = []
    let targets = try dampedReferences(lambda)
    for structure in structures {
      let kind = structure.kind
      for rule in options.rules(for: kind) {
        // The references F + λI are structures too: they are not factorised twice.
        let known = rule == .exact ? targets.damped[kind] : nil
        let damped = if let known { known } else { try structure.damped(rule, lambda) }
        var context = context(kind)
        context.rule = rule
        context.lambda = lambda
        context.solver = "direct"
        rows += stepMeasurements(damped.solve(gradient), context, targets) { _ in context }
        if options.dense, rule != .none, let parts = (damped as? DampedLayerwiseStructure)?.blocks {
          context.solver = nil
          rows += try layerMatrixMeasurements(parts, context, targets, lambda)
        }
      }
    }
    guard options.everything || lambda == options.defaultLambda else { return rows }
    let kinds = structures.map(\.kind)
    for layerOperator in MatrixFreeSolver.Operator.allCases
    where kinds.contains(layerOperator.structure) {
      for preconditioner in options.everything
        ? MatrixFreeSolver.Preconditioner.allCases : [.none]
      {
        let solver = MatrixFreeSolver(layerOperator, preconditioner: preconditioner)
        let result = try solver.solve(layers, gradient, lambda: lambda)
        var context = context(layerOperator.structure)
        context.rule = .exact
        context.lambda = lambda
        context.solver =
          layerOperator.rawValue
          + (preconditioner == .none ? "" : "+\(preconditioner.rawValue)")
        context.iterations = result.iterations.reduce(0) { $0 + $1.iterations }
        rows += stepMeasurements(result.step, context, targets) { index in
          var narrow = context
          narrow.iterations = result.iterations[index].iterations
          return narrow
        }
      }
    }
    return rows
  }

  /// The damped references at one λ, for the network and, where they are layerwise, for each layer.
  private struct Targets {
    var network: [(reference: Reference, target: DampedReference)] = []
    var layers: [(reference: Reference, targets: [DampedReference])] = []
    var denseBlocks: [DenseDampedReference] = []
    /// The damped references that are structures of the comparison as well.
    var damped: [StructureKind: any DampedStructure] = [:]
  }

  private func dampedReferences(_ lambda: Double) throws(CurvatureError) -> Targets {
    var targets = Targets()
    for (reference, structure) in references {
      let isWanted = options.everything || !reference.isLayerwise
      guard isWanted || reference == .blocks else { continue }
      let isDefault = options.everything || lambda == options.defaultLambda
      guard reference != .fullData || isDefault else { continue }
      let damped = try structure.damped(.exact, lambda)
      if let kind = reference.structure { targets.damped[kind] = damped }
      if isWanted {
        targets.network.append((reference, DampedReference(damped, gradient: gradient)))
      }
      guard let parts = (damped as? DampedLayerwiseStructure)?.blocks else { continue }
      targets.layers.append(
        (
          reference,
          zip(parts, gradient.blocks).map {
            DampedReference($0, gradient: ParameterVector(blocks: [$1]))
          }
        ))
      if reference == .blocks && options.dense && isDefault {
        for part in parts {
          targets.denseBlocks.append(try DenseDampedReference(part, within: options.limit))
        }
      }
    }
    return targets
  }

  /// The rows of one step: whole, with what it does to the loss, and layer by layer.
  private func stepMeasurements(
    _ step: ParameterVector, _ context: MeasurementContext, _ targets: Targets,
    layerContext: (Int) -> MeasurementContext
  ) -> [Measurement] {
    var rows: [Measurement] = []
    for (reference, target) in targets.network where context.structure != reference.structure {
      rows += context.measurements(target.metrics(ofStep: step), against: reference)
    }
    if let full = targets.network.first(where: { $0.reference == .full })?.target {
      rows += context.measurements(outcomes(of: step, full), against: .full)
    }
    // A structure that couples layers has no layer step of its own.
    guard context.structure != .exact, context.structure != .blockTridiagonal else { return rows }
    for (reference, layerTargets) in targets.layers {
      for (index, target) in layerTargets.enumerated() {
        let narrow = narrowed(layerContext(index), toLayer: index)
        guard context.solver != "direct" || context.structure != reference.structure else {
          continue
        }
        let values = target.metrics(ofStep: ParameterVector(blocks: [step.blocks[index]]))
        rows += narrow.measurements(values, against: reference)
      }
    }
    return rows
  }

  /// The loss decrease and the KL divergence at α = 1 and at the best α.
  private func outcomes(of step: ParameterVector, _ full: DampedReference) -> [MetricValue] {
    guard
      let best = full.metrics(ofStep: step).first(where: { $0.metric == .bestStepLength })?.value
    else { return [] }
    func outcome(_ length: Double) -> StepOutcome {
      StepOutcome(
        network, batch, likelihood, outputs: outputs, loss: loss.loss, step: step,
        blocks: options.blocks, length: length)
    }
    let one = outcome(1)
    let atBest = outcome(best)
    // A step far too long can overflow the loss; what is not a number is not a measurement.
    return [
      MetricValue(.decreaseAtOne, one.decrease), MetricValue(.divergenceAtOne, one.divergence),
      MetricValue(.decreaseAtBest, atBest.decrease),
      MetricValue(.divergenceAtBest, atBest.divergence),
    ].filter { $0.value.isFinite }
  }

  /// Inverse errors and divergences of each layer under the preferred rules at the default λ; with
  /// `everything` under each rule and λ.
  private func layerMatrixMeasurements(
    _ parts: [any DampedStructure], _ context: MeasurementContext, _ targets: Targets,
    _ lambda: Double
  ) throws(CurvatureError) -> [Measurement] {
    let isPreferred =
      context.rule == ComparisonOptions.preferredRule(of: context.structure)
      || (context.structure == .kfac && context.rule == .factor)
    guard context.structure != .blockDiagonal,
      options.everything || (isPreferred && lambda == options.defaultLambda)
    else { return [] }
    var rows: [Measurement] = []
    for (index, part) in parts.enumerated() {
      let target = targets.denseBlocks[index]
      let inverse = try part.denseInverse(within: options.limit)
      let eigenvalues = try target.generalizedEigenvalues(
        with: try part.dense(within: options.limit))
      let values =
        [target.relativeInverseError(of: inverse), target.inverseResidual(of: inverse)]
        + DenseDampedReference.metrics(ofGeneralizedEigenvalues: eigenvalues)
      rows += narrowed(context, toLayer: index).measurements(values, against: .blocks)
    }
    return rows
  }
}
