import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Foundation
import Networks
import Optimization

/// Chapter 07's layer of two inputs and one output, and the operation counts.
enum EKFACToy {
  /// The correlation of g² with the product of the two inputs.
  static let correlation = 0.6

  /// Four examples with A = I and G = 1, so that every rotation diagonalises A.
  static let samples: LayerSamples = {
    let inputs = Matrix(rowCount: 2, columnCount: 4, storage: [1, 1, 1, -1, -1, 1, -1, -1])
    let gradients = (0..<4).map { n -> Double in
      let sign = inputs[0, n] * inputs[1, n]
      return (1 + correlation * sign).squareRoot()
    }
    let use = GradientSamples.Use(
      inputs: inputs, gradients: [Matrix(rowCount: 1, columnCount: 4, storage: gradients)],
      positions: 1)
    let block = GradientSamples.Block(
      name: "toy", rowCount: 1, columnCount: 2, hasBias: false, uses: [use])
    return LayerSamples(
      GradientSamples(exampleCount: 4, columnCount: 1, blocks: [block], chain: [[0]]), block: 0)
  }()

  static func ekfac(degrees: Double) -> EigenbasisBlock {
    let angle = degrees * .pi / 180
    let basis = Matrix(rows: [[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    return EigenbasisBlock(
      kind: .ekfac, layout: samples.layout, inputBasis: basis, outputBasis: .identity(1),
      secondMoments: samples.secondMoments(inputBasis: basis, outputBasis: .identity(1)))
  }

  static func table() throws -> ResultTable {
    var table = ResultTable(
      "gauge", "EKFAC of the toy layer in each of its eigenbases.",
      [
        ("degrees", "angle between the basis and the axes, in degrees"),
        ("ekfac", "‖F_EK − F‖ / ‖F‖"), ("kfac", "‖A ⊗ G − F‖ / ‖F‖"),
      ])
    let exact = try EKFACMeasurement.exactBlock(samples)
    let kfac = try KroneckerBlock.kfac(samples).dense(within: .standard).relativeError(to: exact)
    for step in 0...36 {
      let degrees = 2.5 * Double(step)
      let error = try ekfac(degrees: degrees).dense(within: .standard).relativeError(to: exact)
      // cos 90° is 6e-17 in doubles; what is left of it is no measurement.
      table.append([.number(degrees), .number(error < 1e-14 ? 0 : error), .number(kfac)])
    }
    return table
  }

  /// A layer's sizes by name.
  static let shapes: [(name: String, inputs: Int, outputs: Int)] = [
    ("21 → 20 (layers 2 and 3 here)", 21, 20), ("785 → 20 (layer 1 here)", 785, 20),
    ("513 → 512", 513, 512), ("4608 → 512 (a 3 × 3 convolution)", 4608, 512),
  ]
  /// Examples of a batch, and back-propagated vectors of each, in the counts.
  static let (countedBatch, countedVectors) = (128, 1)
  static let intervals = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

  static func costs() -> ResultTable {
    var table = ResultTable(
      "costs", "Operations of a layer's curvature by formula, a refresh every so many steps.",
      [
        ("shape", "layer: inputs with the bias, outputs"),
        ("interval", "steps between refreshes of factors, inverses, bases and moments"),
        ("factors", "operations of A and G, both methods, per refresh"),
        ("cholesky", "Cholesky factors of A and G, per refresh"),
        ("eigen", "eigendecompositions of A and G, per refresh"),
        ("moments", "rotated samples and second moments, per refresh"),
        ("solve", "KFAC's triangular solves, per step"),
        ("rotations", "EKFAC's rotations into the basis and back, per step"),
        ("kfac", "KFAC, mean per step"), ("ekfac", "EKFAC, mean per step"),
        ("ratio", "ekfac / kfac"),
      ])
    let (n, k) = (Double(countedBatch), Double(countedVectors))
    for (name, inputs, outputs) in shapes {
      let (a, g) = (Double(inputs), Double(outputs))
      let factors = n * (a * a + k * g * g)
      let cholesky = (a * a * a + g * g * g) / 3
      let eigen =
        OperationCount.eigendecomposition(inputs) + OperationCount.eigendecomposition(outputs)
      let moments = 2 * n * (a * a + k * g * g) + 2 * n * a * g
      let solve = 2 * a * g * (a + g)
      let rotations = 2 * OperationCount.rotation(outputs, inputs)
      for interval in intervals {
        let kfac = solve + (factors + cholesky) / Double(interval)
        let ekfac = rotations + (factors + eigen + moments) / Double(interval)
        table.append([
          .text(name), .integer(interval), .number(factors), .number(cholesky), .number(eigen),
          .number(moments), .number(solve), .number(rotations), .number(kfac), .number(ekfac),
          .number(ekfac / kfac),
        ])
      }
    }
    return table
  }
}
