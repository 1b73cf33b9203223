import DenseAlgebra
import Foundation
import Networks
import TestSupport

/// The outputs z of one example and its likelihood.
struct OutputCase: Sendable, CustomStringConvertible {
  var likelihood: Likelihood
  var output: Vector

  var description: String { "\(likelihood), outputs \(output.elements)" }

  /// S, whose column c is entry c of `hessianRoots`.
  var root: Matrix {
    let roots = likelihood.hessianRoots(Matrix(column: output))
    return Matrix(rowCount: roots.count, columnCount: roots.count) { i, c in roots[c][i, 0] }
  }

  /// diag(p) − ppᵀ, I/σ² or diag(q − q²), each in the textbook's arithmetic.
  var textbookHessian: Matrix {
    let z = output.elements
    switch likelihood {
    case .categorical:
      let largest = z.max() ?? 0
      let sum = z.reduce(0) { $0 + exp($1 - largest) }
      let p = z.map { exp($0 - largest) / sum }
      return Matrix(rowCount: z.count, columnCount: z.count) {
        ($0 == $1 ? p[$0] : 0) - p[$0] * p[$1]
      }
    case .gaussian(let variance): return (1 / variance) * Matrix.identity(z.count)
    case .bernoulli:
      return Matrix.diagonal(z.map { z in 1 / (1 + exp(-z)) }.map { $0 - $0 * $0 })
    }
  }

  /// What the textbook's arithmetic rounds against: 1 for probabilities, 1/σ² for the Gaussian.
  var scale: Double {
    if case .gaussian(let variance) = likelihood { 1 / variance } else { 1 }
  }

  /// One to six outputs of sizes from 0.1 to 500, equal ones and zeros among the edges.
  static let all: Cases<OutputCase> = {
    let outputs: [[Double]] = [
      [0], [500], [-500], [0, 0, 0], [500, -500], [500, 500], [-500, -500, 500], [30, 0, 0.25],
      [1e-300, 0], [37, 0, -37, 500],
    ]
    let likelihoods: [Likelihood] = [
      .categorical, .bernoulli, .gaussian(variance: 0.7), .gaussian(variance: 1e-12),
    ]
    return Cases(
      edges: likelihoods.flatMap { likelihood in
        outputs.map { OutputCase(likelihood: likelihood, output: Vector($0)) }
      },
      smaller: { value in
        value.output.elements.indices.dropFirst().map {
          OutputCase(
            likelihood: value.likelihood, output: Vector(Array(value.output.elements.prefix($0))))
        }
      },
      draw: { random in
        let scale = [0.1, 1, 3, 30, 500][random.below(5)]
        return OutputCase(
          likelihood: likelihoods[random.below(likelihoods.count)],
          output: Vector((0..<1 + random.below(6)).map { _ in scale * random.normal() }))
      })
  }()
}
