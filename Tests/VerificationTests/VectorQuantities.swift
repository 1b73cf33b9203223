import Curvature
import DataFiles
import DenseAlgebra
import Networks
import Testing
import Verification

/// Our numbers for the named arrays of a network, as `Fixtures/README.md` names them.
///
/// Where the library has several ways to a quantity each is a route, and every route is compared.
struct VectorQuantities {
  let network: Network
  let data: Dataset
  let likelihood: Likelihood
  /// The exact Fisher, the empirical one, and the unit cotangent of every output.
  let exact, empirical, unit: GradientSamples
  let losses: LossGradient
  /// The mean gradient; with given probabilities it is not that of `losses`.
  let gradient: ParameterVector
  /// z at which the likelihood's own functions are compared.
  let outputs: Matrix

  init(_ network: Network, _ data: Dataset, _ likelihood: Likelihood, probabilities: Matrix? = nil)
  {
    self.network = network
    self.data = data
    self.likelihood = likelihood
    let tape = network.forward(data.inputs)
    let empirical = GradientSamples(network, data, likelihood: likelihood, kind: .empirical)
    let (count, examples) = (tape.output.rowCount, tape.output.columnCount)
    unit = empirical.replacingColumns(
      (0..<count).map { c in
        Matrix(rowCount: count, columnCount: examples) { i, _ in i == c ? 1 : 0 }
      }, network, tape)
    losses = LossGradient(network, data, likelihood)
    guard let probabilities else {
      self.empirical = empirical
      exact = GradientSamples(network, data, likelihood: likelihood, kind: .exact)
      gradient = losses.gradient
      outputs = tape.output
      return
    }
    let given = GivenProbabilities(probabilities, likelihood)
    exact = empirical.replacingColumns(given.columns, network, tape)
    let output = given.gradient(data.targets)
    self.empirical = empirical.replacingColumns([output], network, tape)
    var sum = ParameterVector.zero(network.layout)
    for (use, g) in zip(tape.uses, network.pullback(output, through: tape)) {
      sum.blocks[use.block].add(1 / Double(examples), times: g.timesTransposed(use.inputs))
    }
    gradient = sum
    outputs = given.outputs
  }

  /// The routes to an array, each in C order; nil for a name that is not known.
  func routes(to name: String, shape: [Int]) throws -> [[Double]]? {
    switch name {
    case "logits": return [network.forward(data.inputs).output.storage]
    case "losses": return [losses.losses, likelihood.losses(outputs, data.targets)]
    case "loss": return [[losses.loss]]
    case "output.gradient": return [likelihood.gradient(outputs, data.targets).storage]
    case "hessian": return [hessians, hessiansByRoots]
    case "hessian.root": return [roots]
    case "fisher": return [rows(try ExactFisher(exact).dense(within: .standard))]
    case "fisher.empirical": return [rows(try ExactFisher(empirical).dense(within: .standard))]
    default: break
    }
    guard let index = network.parameters.firstIndex(where: { name.hasPrefix($0.name + ".") })
    else { return nil }
    let rest = String(name.dropFirst(network.parameters[index].name.count + 1))
    return try VectorLayerQuantities(self, index).routes(to: rest, shape: shape)
  }

  private var hessians: [Double] {
    (0..<outputs.columnCount).flatMap { rows(likelihood.hessian(outputs.column($0))) }
  }

  /// S of every example: entry (i, c) is row i of column c.
  private func root(_ columns: [Matrix], _ n: Int) -> Matrix {
    Matrix(rowCount: outputs.rowCount, columnCount: columns.count) { columns[$1][$0, n] }
  }

  private var roots: [Double] {
    let columns = likelihood.hessianRoots(outputs)
    return (0..<outputs.columnCount).flatMap { rows(root(columns, $0)) }
  }

  private var hessiansByRoots: [Double] {
    let columns = likelihood.hessianRoots(outputs)
    return (0..<outputs.columnCount).flatMap { rows(root(columns, $0).timesOwnTranspose) }
  }
}

/// Probabilities that are dyadic numbers, and the exact columns that stand for them.
///
/// The Hessian in z is Σ_c w_c v_c v_cᵀ with w = p, v = e_c − p (categorical) or w = q(1 − q),
/// v = e_c (Bernoulli). √w is not dyadic; but w is a multiple of 1/64, every natural number is a sum
/// of four squares (Lagrange), so w = Σ (k/8)² with four k, and four columns (k/8) v are exact.
private struct GivenProbabilities {
  let p: Matrix
  let likelihood: Likelihood

  init(_ p: Matrix, _ likelihood: Likelihood) {
    self.p = p
    self.likelihood = likelihood
  }

  var columns: [Matrix] {
    (0..<p.rowCount).flatMap { c in
      (0..<4).map { part in
        Matrix(rowCount: p.rowCount, columnCount: p.columnCount) { i, n in
          let unit = i == c ? 1.0 : 0
          let isCategorical = likelihood == .categorical
          let weight = isCategorical ? p[c, n] : p[c, n] * (1 - p[c, n])
          return Double(Self.fourSquares(Int(64 * weight))[part]) / 8
            * (isCategorical ? unit - p[i, n] : unit)
        }
      }
    }
  }

  /// p − y.
  func gradient(_ targets: Targets) -> Matrix {
    switch targets {
    case .labels(let labels):
      Matrix(rowCount: p.rowCount, columnCount: p.columnCount) {
        p[$0, $1] - (labels[$1] == $0 ? 1 : 0)
      }
    case .values(let values): p - values
    }
  }

  /// Outputs that have these probabilities: log p, or log(q/(1 − q)).
  var outputs: Matrix {
    p.map { likelihood == .categorical ? logarithm($0) : logarithm($0) - logarithm(1 - $0) }
  }

  static func fourSquares(_ number: Int) -> [Int] {
    for a in 0...8 {
      for b in 0...8 {
        for c in 0...8 {
          for d in 0...8 where a * a + b * b + c * c + d * d == number { return [a, b, c, d] }
        }
      }
    }
    preconditionFailure("\(number) is not between 0 and 64")
  }
}

extension GradientSamples {
  /// The same samples with other cotangents, C × N each, pulled back.
  fileprivate func replacingColumns(
    _ columns: [Matrix], _ network: Network, _ tape: Tape
  ) -> GradientSamples {
    let pulled = columns.map { network.pullback($0, through: tape) }
    return GradientSamples(
      exampleCount: exampleCount, columnCount: columns.count,
      blocks: blocks.enumerated().map { index, block in
        let uses = tape.uses.indices.filter { tape.uses[$0].block == index }
        return Block(
          name: block.name, rowCount: block.rowCount, columnCount: block.columnCount,
          hasBias: block.hasBias,
          uses: uses.map { use in
            Use(
              inputs: tape.uses[use].inputs, gradients: pulled.map { $0[use] },
              positions: tape.uses[use].positions)
          })
      }, chain: chain)
  }
}

/// The entries of a matrix row by row, as the files hold them.
func rows(_ matrix: Matrix) -> [Double] { matrix.transposed.storage }
