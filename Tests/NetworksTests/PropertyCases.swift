import DenseAlgebra
import Networks
import TestSupport

/// ‖M‖₁ as the scale of round-off, but at least 1e-290: products of the probabilities of saturated
/// outputs lose digits to underflow below that.
func floored(_ m: Matrix) -> Double { max(LAPACK.norm1(m), 1e-290) }

extension Cases<NetworkCase> {
  /// The same cases with something fixed, the deliberate edges too.
  func with(_ change: @escaping @Sendable (inout NetworkCase) -> Void) -> Cases {
    @Sendable func changed(_ value: NetworkCase) -> NetworkCase {
      var copy = value
      change(&copy)
      return copy
    }
    return Cases(
      edges: edges.map(changed),
      // A change may undo what made a case smaller: it would be tried for ever.
      smaller: { value in
        smaller(value).map(changed).filter { $0.description != value.description }
      },
      draw: { changed(draw(&$0)) })
  }
}

extension NetworkCase {
  /// Perceptrons and bias-free ones, all Fisher kinds.
  static let layered = all.with {
    if $0.architecture != .biasFree { $0.architecture = .perceptron }
  }

  /// Labels or coins instead of Gaussian targets.
  static let discrete = exact.with {
    if case .gaussian = $0.likelihood { $0.likelihood = .bernoulli }
  }

  static let gaussian = all.with { $0.likelihood = .gaussian(variance: 0.7) }

  /// Networks whose ReLUs, if they have any, are all clearly on or off.
  var isOffTheKinks: Bool {
    guard activation == .relu else { return true }
    let problem = problem
    return problem.reluInputs(problem.network).allSatisfy { $0.magnitude > 1e-4 }
  }
}

extension RandomNetwork {
  /// The inputs of every ReLU of a network with this one's nodes, on this one's data.
  func reluInputs(_ network: Network) -> [Double] {
    let tape = network.forward(data.inputs)
    return network.nodes.flatMap { node -> [Double] in
      node.operation == .activation(.relu) ? tape.values[node.inputs[0]].storage : []
    }
  }

  /// The largest output: logits are known to ε of it, and probabilities to as much relatively.
  var largestOutput: Double { network.forward(data.inputs).output.maximumMagnitude }

  /// A step h so small that along ±2hδ no value of the network changes by more than `limit` and no
  /// ReLU changes sides; with the change there is, and the size of the values.
  func step(
    along direction: ParameterVector, within limit: Double
  ) -> (step: Double, change: Double, magnitude: Double) {
    let values = network.forward(data.inputs).values
    let sides = reluInputs(network).map { $0 > 0 }
    let magnitude = values.map(\.maximumMagnitude).reduce(1, max)
    var step = 0x1p-6
    while true {
      let ends = [2 * step, -2 * step].map { network.adding(direction, scale: $0) }
      let change =
        ends.flatMap { end in
          zip(end.forward(data.inputs).values, values).map { ($0 - $1).maximumMagnitude }
        }.max() ?? 0
      let staysOnItsSide = ends.allSatisfy { reluInputs($0).map { $0 > 0 } == sides }
      if change <= limit && staysOnItsSide { return (step, change, magnitude) }
      precondition(step > 0x1p-60, "\(self): no step keeps the network smooth")
      step /= 2
    }
  }
}

extension Checks {
  /// A quantity whose error at step h is c·hᵖ + …: the error at 2h minus 2ᵖ times that at h has lost
  /// its leading term, so it is small beside the error at 2h. A wrong limit stays in it, multiplied by
  /// 2ᵖ − 1, down to the floor: what rounding and the next term may be.
  mutating func order(
    _ p: Int, wide: Double, narrow: Double, limit: Double, floor: Double, _ name: String = ""
  ) {
    order(
      p, wide: Vector([wide]), narrow: Vector([narrow]), limit: Vector([limit]), floor: floor, name)
  }

  /// The same for vectors, in the Euclidean norm.
  mutating func order(
    _ p: Int, wide: Vector, narrow: Vector, limit: Vector, floor: Double, _ name: String = ""
  ) {
    let error = wide - limit
    let remainder = (error - Double(1 << p) * (narrow - limit)).norm
    bounded(
      remainder == 0 ? 0 : remainder / (0.1 * error.norm + floor), atMost: 1,
      "\(name) order \(p), ‖e(2h) − \(1 << p)e(h)‖ over 0.1‖e(2h)‖ + floor")
  }

  /// Mx = 0 to round-off: Mx sums n products per entry.
  mutating func annihilates(_ m: Matrix, _ x: Vector, _ name: String) {
    holds(x.norm > 0, "\(name): a direction")
    equal(
      LAPACK.dgemm(m, x), .zero(m.rowCount), scale: floored(m) * LAPACK.norm1(Matrix(column: x)),
      name)
  }

  /// Two Fisher matrices equal to round-off; `sensitivity` is what a relative change of the outputs by
  /// ε changes in the probabilities, the size of the logits.
  mutating func sameFisher(
    _ actual: Matrix, _ expected: Matrix, sensitivity: Double = 1, _ name: String = ""
  ) {
    equal(actual, expected, scale: sensitivity * floored(expected), name)
  }
}
