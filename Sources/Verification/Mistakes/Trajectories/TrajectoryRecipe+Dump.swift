import Curvature
import DenseAlgebra
import Networks

extension TrajectoryRecipe {
  /// Trains as a setting says, and writes down every step.
  ///
  /// For step k = 0, 1, … and layer i: `step0.layer1.weights` θ before the step, `.gradient` the V that
  /// the step took, `.A` and `.G` the averages after the batch, `.step` U of θ ← θ − αU, and with EKFAC
  /// `.A.basis`, `.G.basis` and `.second-moments`. For the whole run `loss`, steps × 1, and with a trace
  /// rule two matrices, steps × layers: `decisions`, 0 for no test, 1 update, 2 keep, 3 stop, and
  /// `changes`, Δ, or −1 where there was nothing to compare. Throws where an inverse does not exist.
  public func dump(_ setting: TrajectorySetting) throws(CurvatureError) -> CurvatureDump {
    var network = setting.network
    var layers = network.parameters.map { _ in LayerMemory() }
    var dump = CurvatureDump()
    var losses = Matrix(rowCount: setting.stepCount, columnCount: 1)
    var decisions = Matrix(rowCount: setting.stepCount, columnCount: layers.count)
    var changes = Matrix(rowCount: setting.stepCount, columnCount: layers.count)
    for step in 0..<setting.stepCount {
      let batch = setting.batch(step)
      let loss = LossGradient(network, batch, setting.likelihood)
      let samples = GradientSamples(network, batch, likelihood: setting.likelihood, kind: .exact)
      losses[step, 0] = loss.loss
      var direction = loss.gradient
      for index in layers.indices {
        let name = "step\(step).layer\(index + 1)"
        let weights = network.parameters[index].weights
        let layer = LayerSamples(samples, block: index)
        let (outcome, change) = refresh(&layers[index], setting, step, layer)
        (decisions[step, index], changes[step, index]) = (Double(outcome.rawValue), change)
        layers[index].gradients.append(loss.gradient.blocks[index])
        let v = gradient(setting, layers[index].gradients)
        let inverse = try inverse(&layers[index], setting, step, layer)
        direction.blocks[index] = self.step(setting, v, weights) {
          inverse.solve(ParameterVector(blocks: [$0])).blocks[0]
        }
        dump["\(name).weights"] = weights
        dump["\(name).gradient"] = v
        dump["\(name).A"] = layers[index].estimate?.a
        dump["\(name).G"] = layers[index].estimate?.g
        dump["\(name).A.basis"] = layers[index].basis?.a
        dump["\(name).G.basis"] = layers[index].basis?.g
        dump["\(name).second-moments"] = layers[index].secondMoments
        dump["\(name).step"] = direction.blocks[index]
      }
      network = network.adding(direction, scale: -setting.learningRate)
    }
    dump["loss"] = losses
    if setting.thresholds != nil { (dump["decisions"], dump["changes"]) = (decisions, changes) }
    return dump
  }

  /// Algorithm 1, lines 3 to 5: the statistics of the batch, and whether they are accepted.
  private func refresh(
    _ memory: inout LayerMemory, _ setting: TrajectorySetting, _ step: Int, _ samples: LayerSamples
  ) -> (Outcome, change: Double) {
    if refreshesFactors(setting, step), !memory.isStopped {
      average(&memory, setting, KFACFactors(samples))
    }
    let last = memory.accepted.last
    guard let estimate = memory.estimate else {
      preconditionFailure("no factors at step \(step): step 0 must compute them")
    }
    guard step % setting.inverseInterval == 0, !memory.isStopped else {
      memory.accepted.append(last ?? estimate)
      return (.noTest, -1)
    }
    var (outcome, change) = (Outcome.update, -1.0)
    if let thresholds = setting.thresholds, let last, let tested = memory.tested {
      change = setting.change(from: reference(last, tested), to: estimate)
      // A Δ of 0/0 updates.
      outcome =
        change < thresholds.stop ? .stop : change <= thresholds.update ? .keep : .update
    }
    memory.isStopped = outcome == .stop
    memory.tested = estimate
    memory.accepted.append(outcome == .update ? estimate : last ?? estimate)
    return (outcome, change)
  }

  /// m ← ρm + (1 − ρ)A_batch, A = m/(1 − ρᵏ), and the same for G.
  private func average(
    _ memory: inout LayerMemory, _ setting: TrajectorySetting, _ batch: KFACFactors
  ) {
    let ρ = weightKept(setting)
    let sum = memory.sum ?? KFACFactors(a: 0 * batch.a, g: 0 * batch.g)
    let new = sum.averaged(with: batch, keeping: ρ)
    memory.sum = new
    memory.batchCount += 1
    let scale =
      1 / (1 - (0..<correctionPower(memory.batchCount)).reduce(1.0) { power, _ in power * ρ })
    memory.estimate = KFACFactors(a: scale * new.a, g: scale * new.g)
  }

  /// Line 6: what solves with the damped curvature of one layer.
  private func inverse(
    _ memory: inout LayerMemory, _ setting: TrajectorySetting, _ step: Int, _ samples: LayerSamples
  ) throws(CurvatureError) -> any DampedStructure {
    if !setting.usesEigenbasis {
      let chosen = factors(setting, memory.accepted)
      return try KroneckerBlock(
        kind: .kfac, layout: samples.layout, a: KroneckerFactor(chosen.a),
        g: KroneckerFactor(chosen.g)
      ).damped(setting.rule, setting.lambda)
    }
    let accepted = memory.accepted[memory.accepted.count - 1]
    let isNewBasis = step % setting.inverseInterval == 0
    if isNewBasis {
      memory.basis = (
        try KroneckerFactor(accepted.a).eigendecomposition().vectors.withPositiveColumns,
        try KroneckerFactor(accepted.g).eigendecomposition().vectors.withPositiveColumns
      )
    }
    guard let basis = memory.basis else { preconditionFailure("no basis at step \(step)") }
    if isNewBasis || refreshesFactors(setting, step) {
      let batch = samples.secondMoments(inputBasis: basis.a, outputBasis: basis.g)
      memory.secondMoments =
        memory.secondMoments.map { secondMoments(setting, $0, batch, isNewBasis) } ?? batch
    }
    return try EigenbasisBlock(
      kind: .ekfac, layout: samples.layout, inputBasis: basis.a, outputBasis: basis.g,
      secondMoments: memory.secondMoments ?? 0 * samples.inputs
    ).damped(.exact, setting.lambda)
  }

  /// What becomes of a layer at a step.
  private enum Outcome: Int {
    case noTest, update, keep, stop
  }

  /// What a layer remembers.
  private struct LayerMemory {
    /// m of A and G, and how many batches went into it.
    var sum: KFACFactors?
    var batchCount = 0
    /// A and G.
    var estimate: KFACFactors?
    /// The accepted factors of every step so far.
    var accepted: [KFACFactors] = []
    /// The factors of the last test.
    var tested: KFACFactors?
    var isStopped = false
    var gradients: [Matrix] = []
    var basis: (a: Matrix, g: Matrix)?
    var secondMoments: Matrix?
  }
}

extension TrajectorySetting {
  /// Δ of Eq. 8, reading a: |tr F − tr F_ref| / |tr F_ref + λ d_A d_G| with tr F = tr A tr G (7.2).
  func change(from old: KFACFactors, to new: KFACFactors) -> Double {
    let before = old.a.trace * old.g.trace
    let shift = lambda * Double(old.a.rowCount * old.g.rowCount)
    return (new.a.trace * new.g.trace - before).magnitude / (before + shift).magnitude
  }
}
