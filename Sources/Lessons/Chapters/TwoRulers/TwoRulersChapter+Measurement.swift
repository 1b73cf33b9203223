import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Foundation
import Networks

/// What chapter 01 measures: balls of two rulers, paths, invariance, and steps of a real network.
enum TwoRulersMeasurement {
  static let ballSize = 0.05
  static let circleRadius = 0.3
  static let normals: [(mean: Double, deviation: Double)] = [(-0.6, 0.4), (0.9, 1), (2.9, 2)]
  static let softmaxes: [Vector] = [Vector([0, 0]), Vector([2, -1]), Vector([2.2, 1.6])]
  static let stretch = 0.1
  static let fit = NormalFit(dataMean: 1.2, dataVariance: 0.64)
  static let place = (mean: 0.3, deviation: 1.5)
  static let layerStep = 0.05

  /// The KL divergence of three-class softmax distributions with logits (z₁, z₂, 0).
  static func divergence(_ p: Vector, _ q: Vector) -> Double {
    Likelihood.categorical.divergence(
      from: Matrix(rows: [[p[0]], [p[1]], [0]]), to: Matrix(rows: [[q[0]], [q[1]], [0]]))[0]
  }

  /// diag(p) − ppᵀ without its last row and column.
  static func fisher(_ logits: Vector) -> Matrix {
    Likelihood.categorical.hessian(Vector([logits[0], logits[1], 0]))
      .block(rows: 0..<2, columns: 0..<2)
  }

  /// Points at which a function of the direction-wise distance reaches the ball's size.
  static func contour(_ center: Vector, _ divergence: (Vector) -> Double) -> [Vector] {
    (0...240).map { index in
      let angle = Double(index) / 240 * 2 * .pi
      let direction = Vector([cos(angle), sin(angle)])
      var (low, high) = (0.0, 1e-3)
      while divergence(center + high * direction) < ballSize && high < 20 { high *= 1.5 }
      for _ in 0..<60 {
        let middle = (low + high) / 2
        if divergence(center + middle * direction) < ballSize {
          low = middle
        } else {
          high = middle
        }
      }
      return center + low * direction
    }
  }

  /// The same step in μ and in σ at different σ.
  static func rulerTable() -> ResultTable {
    var table = ResultTable(
      "rulers", "KL divergence of a step of one Euclidean length at different σ.",
      [
        ("deviation", "σ before the step"), ("length", "Euclidean length of the step"),
        ("mean", "KL in nats of the step in μ"), ("spread", "KL in nats of the step in σ"),
        ("quadratic", "half of the squared Fisher length of the step in σ"),
      ])
    for σ in [0.25, 0.5, 1, 2] {
      let here = (mean: 0.0, deviation: σ)
      table.append([
        .number(σ), .number(stretch),
        .number(NormalFit.divergence(here, (mean: stretch, deviation: σ))),
        .number(NormalFit.divergence(here, (mean: 0, deviation: σ + stretch))),
        .number(stretch * stretch / (σ * σ)),
      ])
    }
    return table
  }

  /// Relative error of half of the squared Fisher length against KL.
  static func quadraticTable() -> ResultTable {
    var table = ResultTable(
      "quadratic", "Half of the squared Fisher length against KL, for shrinking steps.",
      [
        ("length", "Euclidean length of the step"),
        ("normal", "relative error, normal distribution at (0, 1), direction (1, 1)"),
        ("softmax", "relative error, softmax at logits (2, -1, 0), direction (1, 1)"),
      ])
    for exponent in 0...6 {
      let length = pow(10, -Double(exponent) / 2)
      let δ = length / 2.0.squareRoot()
      let normal = NormalFit.divergence((0, 1), (δ, 1 + δ))
      let half = 0.5 * (δ * δ + 2 * δ * δ)
      let step = Vector([δ, δ])
      let soft = divergence(softmaxes[1], softmaxes[1] + step)
      let softHalf = 0.5 * step.dot(fisher(softmaxes[1]) * step)
      table.append([
        .number(length), .number(abs(half - normal) / normal), .number(abs(softHalf - soft) / soft),
      ])
    }
    return table
  }

  static func paths() throws -> [(method: NormalFit.Method, points: [Vector])] {
    try NormalFit.Method.allCases.map { ($0, try BentValley.path($0, points: 61)) }
  }

  static func pathTable(_ paths: [(method: NormalFit.Method, points: [Vector])]) -> ResultTable {
    var table = ResultTable(
      "paths", "Paths of very small steps on the bent valley.",
      [
        ("method", "gradient, Newton or natural gradient"), ("a", "first parameter"),
        ("b", "second parameter"), ("mean1", "first mean, a"), ("mean2", "second mean, 4(b − a²)"),
        ("loss", "the loss in nats, without its constant"),
      ])
    for (method, points) in paths {
      for θ in points {
        let m = BentValley.mean(θ)
        table.append(
          [.text(method.rawValue)]
            + [θ[0], θ[1], m[0], m[1], BentValley.loss(θ)].map { CSV.Cell.number($0) })
      }
    }
    return table
  }

  static func bendTable(_ paths: [(method: NormalFit.Method, points: [Vector])]) throws
    -> ResultTable
  {
    var table = ResultTable(
      "bends", "How far the paths bend, how long they are, and how many finite steps it takes.",
      [
        ("method", "gradient, Newton or natural gradient"),
        ("parameters", "largest distance from the straight line, over its length, in (a, b)"),
        ("means", "the same in the plane of means; 0 is below 1e-9"),
        ("length", "length of the path in the plane of means, over that of the straight line"),
        ("steps", "finite steps, halved until the loss falls, until it is below 1e-6"),
      ])
    for (method, points) in paths {
      let means = points.map(BentValley.mean)
      let length = zip(means, means.dropFirst()).reduce(0) { $0 + ($1.1 - $1.0).norm }
      let bend = BentValley.bend(means)
      table.append([
        .text(method.rawValue), .number(BentValley.bend(points)), .number(bend < 1e-9 ? 0 : bend),
        .number(length / (means[means.count - 1] - means[0]).norm),
        .integer(try BentValley.stepCount(method, below: 1e-6)),
      ])
    }
    return table
  }

  /// How far a method's direction in other coordinates is from its direction in (μ, σ).
  static func invarianceTable() throws -> ResultTable {
    var table = ResultTable(
      "invariance", "Directions in other coordinates, mapped to (μ, σ), against those in (μ, σ).",
      [
        ("coordinates", "how the distribution is written"),
        ("gradient", "relative difference of the gradient"), ("newton", "of Newton's step"),
        ("natural", "of the natural gradient; 0 is below 1e-12"),
        ("largest", "the largest difference of the natural gradient over 100 random places"),
      ])
    for coordinates in NormalFit.Coordinates.allCases.dropFirst() {
      func difference(_ method: NormalFit.Method, _ μ: Double, _ σ: Double) throws -> Double {
        let here = try fit.direction(method, .deviation, mean: μ, deviation: σ)
        let there = try fit.direction(method, coordinates, mean: μ, deviation: σ)
        let jacobian = NormalFit.jacobian(coordinates, mean: μ, deviation: σ)
        let mapped = try LUFactorization(jacobian).solve(there)
        let error = (mapped - here).norm / here.norm
        return error < 1e-12 ? 0 : error
      }
      var generator = SplitMix64(seed: 11)
      var largest = 0.0
      for _ in 0..<100 {
        let (μ, σ) = (2 * generator.normal(), 0.5 + 2 * generator.uniform())
        largest = max(largest, try difference(.natural, μ, σ))
      }
      table.append(
        [.text(coordinates.rawValue)]
          + (try NormalFit.Method.allCases.map {
            .number(try difference($0, place.mean, place.deviation))
          }) + [.number(largest)])
    }
    return table
  }

  /// The Fisher distance between the ends of one step made in (μ, σ) and in (μ, log σ), over the
  /// step's own length.
  static func stepTable() throws -> ResultTable {
    var table = ResultTable(
      "steps", "One step in (μ, σ) against the same step in (μ, log σ).",
      [("rate", "learning rate")]
        + NormalFit.Method.allCases.map {
          ($0.rawValue, "Fisher distance of the two ends over the step's Fisher length")
        })
    let (μ, σ) = place
    for exponent in 0...8 {
      let rate = pow(10, -Double(exponent) / 2)
      let differences = try NormalFit.Method.allCases.map { method -> CSV.Cell in
        func end(_ coordinates: NormalFit.Coordinates) throws -> Vector {
          let step = rate * (try fit.direction(method, coordinates, mean: μ, deviation: σ))
          let end = NormalFit.moved(coordinates, mean: μ, deviation: σ, by: step)
          return Vector([end.mean, end.deviation])
        }
        func length(_ x: Vector) -> Double { (x[0] * x[0] + 2 * x[1] * x[1]).squareRoot() / σ }
        let first = try end(.deviation)
        return .number(
          length(try end(.logarithm) - first) / length(first - Vector([μ, σ])))
      }
      table.append([.number(rate)] + differences)
    }
    return table
  }

  /// A step of one Euclidean length down the gradient, in each layer of a network in training.
  static func layerTable(_ context: ChapterContext) throws -> ResultTable {
    var options = ComparisonOptions()
    options.layers = 1...4
    let data = context.fashionMNIST.dataset
    let run = try TrainingRun(
      seed: 1, data: data, likelihood: .categorical, options: options, iterations: [10])
    let (network, batch) = (run.states[0].network, data.subset(run.states[0].batch))
    let gradient = LossGradient(network, batch, .categorical).gradient
    let samples = GradientSamples(network, batch, likelihood: .categorical, kind: .exact)
    let fisher = ExactFisher(samples)
    let before = network.forward(batch.inputs).output
    var table = ResultTable(
      "layers", "A step of Euclidean length 0.05 down the gradient, in one layer at a time.",
      [
        ("layer", "which layer moves"), ("parameters", "its number of parameters"),
        ("inputs", "mean squared length of its inputs with the bias"),
        ("divergence", "mean KL in nats from the old to the new predictions"),
        ("quadratic", "half of the squared Fisher length"),
      ])
    for layer in gradient.blocks.indices {
      var step = ParameterVector.zero(network.layout)
      step.blocks[layer] = gradient.blocks[layer]
      step = (-layerStep / step.norm) * step
      let after = network.adding(step, scale: 1).forward(batch.inputs).output
      let values = Likelihood.categorical.divergence(from: before, to: after)
      table.append([
        .integer(layer + 1), .integer(step.blocks[layer].storage.count),
        .number(KFACFactors(LayerSamples(samples, block: layer)).a.trace),
        .number(values.reduce(0, +) / Double(values.count)),
        .number(0.5 * step.dot(fisher.apply(step))),
      ])
    }
    return table
  }
}
