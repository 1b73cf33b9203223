import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport

/// One layer's curvature by loops over its definition, dense: what the optimizers are compared with.
///
/// Only the samples come from Sources; factors, products, damping and solves are written anew.
struct ExplicitLayer {
  /// A = (1/N) Σ ā āᵀ.
  let a: Matrix
  /// G = (1/NR) Σ g gᵀ over the R positions of all uses.
  let g: Matrix
  /// Column c·N + n is cvec(u₍n,c₎)/√N.
  let gradients: Matrix

  init(_ samples: GradientSamples, block index: Int) {
    let block = samples.blocks[index]
    let (n, dA, dG) = (samples.exampleCount, block.columnCount, block.rowCount)
    let positions = block.uses.reduce(0) { $0 + $1.positions }
    var a = Matrix(rowCount: dA, columnCount: dA)
    var g = Matrix(rowCount: dG, columnCount: dG)
    var u = Matrix(rowCount: dA * dG, columnCount: n * samples.columnCount)
    let root = Double(n).squareRoot()
    for use in block.uses {
      a.add(1 / Double(n), times: LAPACK.dsyrk(use.inputs))
      for (c, gradient) in use.gradients.enumerated() {
        g.add(1 / Double(n * positions), times: LAPACK.dsyrk(gradient))
        for column in 0..<n * use.positions {
          for j in 0..<dA {
            for i in 0..<dG {
              u[j * dG + i, c * n + column / use.positions] +=
                gradient[i, column] * use.inputs[j, column] / root
            }
          }
        }
      }
    }
    self.a = a
    self.g = g
    self.gradients = u
  }

  /// The layers of all samples.
  static func all(_ samples: GradientSamples) -> [ExplicitLayer] {
    samples.blocks.indices.map { ExplicitLayer(samples, block: $0) }
  }

  /// The exact block (1/N) Σ cvec(u) cvec(u)ᵀ.
  var fisher: Matrix { LAPACK.dsyrk(gradients) }

  /// The whole network's Fisher matrix, coupled across layers.
  static func fisher(_ layers: [ExplicitLayer]) -> Matrix {
    let rows = layers.reduce(0) { $0 + $1.gradients.rowCount }
    var u = Matrix(rowCount: rows, columnCount: layers[0].gradients.columnCount)
    var offset = 0
    for layer in layers {
      u.setBlock(row: offset, column: 0, to: layer.gradients)
      offset += layer.gradients.rowCount
    }
    return LAPACK.dsyrk(u)
  }

  /// The damped Kronecker product of the specification's table 4.6, split by Eq. 10 first.
  func damped(_ rule: DampingRule, _ λ: Double, split: Int? = nil) -> Matrix {
    let a = pinching(self.a, split)
    let g = pinching(self.g, split)
    let root = λ.squareRoot()
    switch rule {
    case .none: return kronecker(a, g)
    case .sqrt: return kronecker(a.addingToDiagonal(root), g.addingToDiagonal(root))
    case .factor: return kronecker(a.addingToDiagonal(λ), g.addingToDiagonal(λ))
    case .pi:
      let π = ((a.trace / Double(a.rowCount)) / (g.trace / Double(g.rowCount))).squareRoot()
      return kronecker(a.addingToDiagonal(π * root), g.addingToDiagonal(root / π))
    case .exact: return kronecker(a, g).addingToDiagonal(λ)
    }
  }
}

/// (A ⊗ G)[j·p + i, j′·p + i′] = A[j, j′] G[i, i′], entry by entry.
func kronecker(_ a: Matrix, _ g: Matrix) -> Matrix {
  let (p, q) = (g.rowCount, g.columnCount)
  return Matrix(rowCount: a.rowCount * p, columnCount: a.columnCount * q) {
    a[$0 / p, $1 / q] * g[$0 % p, $1 % q]
  }
}

/// Zero outside the diagonal blocks of size `split`; the matrix itself for nil.
func pinching(_ m: Matrix, _ split: Int?) -> Matrix {
  guard let split else { return m }
  return Matrix(rowCount: m.rowCount, columnCount: m.columnCount) {
    $0 / split == $1 / split ? m[$0, $1] : 0
  }
}

/// λmax/λmin of a symmetric positive definite matrix by `dsyevd`, at most 1/ε.
func condition(_ m: Matrix) throws -> Double {
  let values = try LAPACK.dsyevd(m).values.elements
  let largest = values[values.count - 1]
  return largest / max(values[0], .ulpOfOne * largest)
}

/// ‖M‖_F by `dlange`.
func frobenius(_ m: Matrix) -> Double { LAPACK.dlange(m, .frobenius) }

/// A matrix as one column, cvec(M).
func cvec(_ m: Matrix) -> Vector { Vector(m.storage) }

extension Checks {
  /// U solves M cvec(U) = cvec(V), by `dposv`, with the forward error that κ(M) allows.
  mutating func solves(
    _ step: Matrix, _ matrix: Matrix, _ gradient: Matrix, _ name: String = ""
  ) throws {
    let expected = try LAPACK.dposv(matrix, cvec(gradient))
    let scale = try condition(matrix) * LAPACK.norm1(Matrix(column: expected))
    equal(cvec(step), expected, scale: max(scale, .leastNormalMagnitude), name)
  }
}

/// A network, its data and a batch: where a preconditioner is asked for a direction.
struct TrainingState {
  var network: Network
  var batch: Dataset
  let likelihood: Likelihood

  init(_ network: Network, _ batch: Dataset, _ likelihood: Likelihood) {
    self.network = network
    self.batch = batch
    self.likelihood = likelihood
  }

  init(_ test: NetworkCase) {
    let problem = test.problem
    self.init(problem.network, problem.data, problem.likelihood)
  }

  var loss: Double { LossGradient(network, batch, likelihood).loss }
  var gradient: ParameterVector { LossGradient(network, batch, likelihood).gradient }

  func point(step: Int = 0, epoch: Double? = nil) -> TrainingPoint {
    TrainingPoint(
      network: network, batch: batch, likelihood: likelihood, step: step,
      epoch: epoch ?? Double(step))
  }

  /// The explicit layers of the batch, with the labels that a step at this place would draw.
  func layers(_ kind: FisherKind = .exact, step: Int = 0) -> [ExplicitLayer] {
    ExplicitLayer.all(
      point(step: step).samples(kind, blocks: Array(network.parameters.indices)))
  }
}

extension NetworkCase {
  /// Small networks of every node kind without the edges that over- or underflow.
  static let ordinary = NetworkCase.all.filter { test in
    switch test.edge {
    case .extremeOutputs, .largeInputs, .smallInputs: return false
    case .none, .zeroInputs, .deadUnits, .repeatedExamples: break
    }
    return test.problem.network.layout.blocks.allSatisfy { $0.count <= 40 }
  }

  /// A number that depends on the seed: one of a list.
  func choice<Value>(_ values: [Value]) -> Value { values[Int(seed % UInt64(values.count))] }
}
