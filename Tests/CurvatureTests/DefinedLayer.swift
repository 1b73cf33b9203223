import Curvature
import DenseAlgebra
import Networks
import TestSupport

/// One layer's curvature as the specification defines it: loops over examples, uses and positions,
/// dense matrices and BLAS. It shares nothing with `Sources/Curvature`.
struct DefinedLayer: Sendable {
  let block: GradientSamples.Block
  let exampleCount: Int
  /// Column c·N + n is cvec(u₍n,c₎), u = Σ over uses and positions of g āᵀ.
  let gradients: Matrix
  /// F_ℓ = (1/N) Σ u uᵀ.
  let fisher: Matrix

  var inputSize: Int { block.columnCount }
  var outputSize: Int { block.rowCount }
  var size: Int { block.rowCount * block.columnCount }
  /// R, the number of positions of one example over all uses.
  var positions: Int { block.uses.reduce(0) { $0 + $1.positions } }

  init(_ samples: GradientSamples, block index: Int) {
    let block = samples.blocks[index]
    let (n, dA, dG) = (samples.exampleCount, block.columnCount, block.rowCount)
    var u = Matrix(rowCount: dA * dG, columnCount: n * samples.columnCount)
    for c in 0..<samples.columnCount {
      for use in block.uses {
        for column in 0..<n * use.positions {
          let example = column / use.positions
          for j in 0..<dA {
            for i in 0..<dG {
              u[j * dG + i, c * n + example] += use.gradients[c][i, column] * use.inputs[j, column]
            }
          }
        }
      }
    }
    self.block = block
    self.exampleCount = n
    self.gradients = u
    self.fisher = (1 / Double(n)) * LAPACK.dsyrk(u)
  }

  /// KFAC's A and G (spec 4.9), the positions of all uses counted together.
  func factors(_ sharing: WeightSharing = .expand) -> (a: Matrix, g: Matrix) {
    let (n, r) = (Double(exampleCount), Double(positions))
    let columnCount = block.uses[0].gradients.count
    var a = Matrix(rowCount: inputSize, columnCount: inputSize)
    var g = Matrix(rowCount: outputSize, columnCount: outputSize)
    switch sharing {
    case .expand:
      for use in block.uses {
        a.add(1 / n, times: LAPACK.dsyrk(use.inputs))
        for gradient in use.gradients { g.add(1 / (n * r), times: LAPACK.dsyrk(gradient)) }
      }
    case .reduce:
      a.add(1 / (n * r * r), times: LAPACK.dsyrk(summed { $0.inputs }))
      for c in 0..<columnCount { g.add(1 / n, times: LAPACK.dsyrk(summed { $0.gradients[c] })) }
    }
    return (a, g)
  }

  /// Whether π² ∝ tr A/tr G of rule `pi` is a finite number: outputs of ±500 can make G so small that
  /// the quotient overflows, and with it the shift of A.
  var hasFiniteBalance: Bool {
    let (a, g) = factors()
    return g.trace == 0 || (a.trace / g.trace).isFinite
  }

  /// The sum over uses and positions of each example's columns.
  func summed(_ matrix: (GradientSamples.Use) -> Matrix) -> Matrix {
    var sum = Matrix(rowCount: matrix(block.uses[0]).rowCount, columnCount: exampleCount)
    for use in block.uses {
      let columns = matrix(use)
      for column in 0..<columns.columnCount {
        for i in 0..<columns.rowCount { sum[i, column / use.positions] += columns[i, column] }
      }
    }
    return sum
  }

  /// Γₙ = Σ_c g gᵀ and āāᵀ of one example of a layer without sharing.
  func outerProducts(ofExample n: Int) -> (a: Matrix, g: Matrix) {
    let use = block.uses[0]
    let ā = use.inputs.column(n)
    let a = Matrix(rowCount: inputSize, columnCount: inputSize) { ā[$0] * ā[$1] }
    var g = Matrix(rowCount: outputSize, columnCount: outputSize)
    for gradient in use.gradients {
      let v = gradient.column(n)
      g.add(1, times: Matrix(rowCount: outputSize, columnCount: outputSize) { v[$0] * v[$1] })
    }
    return (a, g)
  }
}

/// A_ℓm = (1/N) X_ℓ X_mᵀ and G_ℓm = (1/N) Σ_c Y_ℓ Y_mᵀ of two layers without sharing (spec 4.1).
func crossFactors(_ first: DefinedLayer, _ second: DefinedLayer) -> (a: Matrix, g: Matrix) {
  let n = Double(first.exampleCount)
  let (x, y) = (first.block.uses[0], second.block.uses[0])
  var g = Matrix(rowCount: first.outputSize, columnCount: second.outputSize)
  for (left, right) in zip(x.gradients, y.gradients) {
    g.add(1 / n, times: LAPACK.dgemm(left, right, transposeB: true))
  }
  return ((1 / n) * LAPACK.dgemm(x.inputs, y.inputs, transposeB: true), g)
}

/// The Kronecker product entry by entry: (A ⊗ G)[j·p + i, j′·p + i′] = A[j, j′] G[i, i′] (spec 1.2).
func kronecker(_ a: Matrix, _ g: Matrix) -> Matrix {
  let (p, q) = (g.rowCount, g.columnCount)
  return Matrix(rowCount: a.rowCount * p, columnCount: a.columnCount * q) {
    a[$0 / p, $1 / q] * g[$0 % p, $1 % q]
  }
}

/// The damped Kronecker product of the specification's table 4.6; rule `none` is A ⊗ G itself.
func damped(_ a: Matrix, _ g: Matrix, _ rule: DampingRule, _ λ: Double) -> Matrix {
  let π = ((a.trace / Double(a.rowCount)) / (g.trace / Double(g.rowCount))).squareRoot()
  switch rule {
  case .none: return kronecker(a, g)
  case .sqrt:
    return kronecker(a.addingToDiagonal(λ.squareRoot()), g.addingToDiagonal(λ.squareRoot()))
  case .factor: return kronecker(a.addingToDiagonal(λ), g.addingToDiagonal(λ))
  case .pi:
    let ratio = a.trace > 0 && g.trace > 0 ? π : 1
    return kronecker(
      a.addingToDiagonal(ratio * λ.squareRoot()), g.addingToDiagonal(λ.squareRoot() / ratio))
  case .exact: return kronecker(a, g).addingToDiagonal(λ)
  }
}

/// Zero outside the square blocks of the given sizes along the diagonal, `parts` inside.
func blockDiagonal(_ parts: [Matrix]) -> Matrix {
  let size = parts.reduce(0) { $0 + $1.rowCount }
  var result = Matrix(rowCount: size, columnCount: size)
  var offset = 0
  for part in parts {
    result.setBlock(row: offset, column: offset, to: part)
    offset += part.rowCount
  }
  return result
}

/// The entries outside the diagonal blocks of size d set to zero, entry by entry.
func pinching(_ m: Matrix, _ d: Int) -> Matrix {
  Matrix(rowCount: m.rowCount, columnCount: m.columnCount) { $0 / d == $1 / d ? m[$0, $1] : 0 }
}

func frobenius(_ m: Matrix) -> Double { LAPACK.dlange(m, .frobenius) }

/// λmax/λmin of a symmetric positive definite matrix by `dsyevd`, which knows λmin to ε λmax only: at
/// most 1/ε.
func condition(_ m: Matrix) throws -> Double {
  let values = try LAPACK.dsyevd(m).values.elements
  let largest = values[values.count - 1]
  return largest / max(values[0], .ulpOfOne * largest)
}

/// ‖x − y‖₁/(n κ ‖y‖₁ ε): the error of a solution, which may grow with κ (spec 10's budget).
func solutionRatio(_ x: Vector, _ y: Vector, condition κ: Double) -> Ratio {
  let expected = Matrix(column: y)
  return Ratio(
    Matrix(column: x), against: expected, size: y.count, scale: κ * LAPACK.norm1(expected))
}
