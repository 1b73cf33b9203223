import Curvature
import DataFiles
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// Every array of every test vector, computed again by the library from the inputs of its case.
///
/// The certified numbers are exact rationals or have 50 to 700 digits before their one rounding;
/// none was made by natgrad.
@Suite("Test vectors")
struct VectorTests {
  @Test(
    "T0: networks over the integers agree in every bit", arguments: VectorIndex.identifiers("T0"))
  func exactArrays(identifier: String) throws { try compareNetwork(identifier) }

  @Test("T1: smooth networks agree within 30 nκε", arguments: VectorIndex.identifiers("T1"))
  func certifiedArrays(identifier: String) throws { try compareNetwork(identifier) }

  @Test(
    "T2: functions of graded matrices agree within 30 nκε, and solutions have small residuals",
    arguments: VectorIndex.identifiers("T2"))
  func gradedArrays(identifier: String) throws {
    let vector = try VectorIndex.read(identifier)
    let quantities: VectorMatrixQuantities
    switch vector.model {
    case .factors(let a, let g, let gradient):
      quantities = VectorMatrixQuantities(given: .factors(a: a, g: g), gradient: gradient)
    case .matrix(let matrix, let gradient):
      quantities = VectorMatrixQuantities(given: .matrix(matrix), gradient: gradient)
    case .network: preconditionFailure("\(identifier) is a network")
    }
    try compare(vector) { name, _ in
      let routes = try quantities.routes(to: name)
      let row = VectorTable.row(of: name)
      // Where κ is 1e12 the error may be large; the residual may not.
      if let matrix = quantities.dampedMatrix(of: name), let routes {
        for route in routes {
          let (dG, dA) = (quantities.gradient.rowCount, quantities.gradient.columnCount)
          let step = Matrix(rowCount: dA, columnCount: dG, storage: route).transposed
          LapackComparison.expect(
            .solve(matrix, Vector(step.storage), Vector(quantities.gradient.storage)),
            algorithm: row.algorithm, rule: row.rule, oracle: "given matrices, residual",
            "\(identifier) \(name)")
        }
      }
      return routes
    }
  }

  @Test(
    "T2: Jacobi finds each eigenvalue by itself within 30 nκ(H)ε, H with diagonal 1",
    arguments: VectorIndex.identifiers("T2"))
  func eachEigenvalue(identifier: String) throws {
    let vector = try VectorIndex.read(identifier)
    guard case .factors(let a, let g, _) = vector.model else { return }
    for (name, matrix) in [("layer1.A.eigenvalues", a), ("layer1.G.eigenvalues", g)]
    where matrix.diagonal.allSatisfy({ $0 > 0 }) {
      let stored = try #require(vector.arrays[name])
      let factor = try CholeskyFactorization(matrix).lower
      let found = try JacobiEigendecomposition(factor: factor).values.elements
      let comparison = VectorComparison(
        found, stored,
        .entries(size: matrix.rowCount, condition: try scaledCondition(matrix)))
      #expect(comparison.ratio <= VectorComparison.limit, "\(identifier) \(name): \(comparison)")
      LapackComparison.record(
        algorithm: "Jacobi, each eigenvalue", oracle: "certified vectors, over κ(H)",
        ratio: comparison.ratio)
    }
  }

  private func compareNetwork(_ identifier: String) throws {
    let vector = try VectorIndex.read(identifier)
    guard case .network(let model) = vector.model else {
      preconditionFailure("\(identifier) is no network")
    }
    let data = Dataset(
      name: identifier, inputs: model.inputs, targets: try #require(model.targets))
    let quantities = VectorQuantities(
      model.network, data, model.likelihood, probabilities: model.probabilities)
    try compare(vector) {
      try quantities.routes(to: $0, shape: $1)
    }
  }

  /// Compares every array that is not an input, by every route.
  private func compare(
    _ vector: VectorCase, _ routes: (String, [Int]) throws -> [[Double]]?
  ) throws {
    var covered: Set<String> = []
    var table = VectorTable()
    for stage in vector.stages {
      for entry in stage.arrays {
        covered.insert(entry.name)
        if stage.name == "inputs" { continue }
        let stored = try #require(vector.arrays[entry.name])
        let quantity = entry.divisor == nil ? entry.name : String(entry.name.dropLast(4))
        let found = try #require(
          try routes(quantity, stored.shape), "\(vector.id): \(quantity) is not known")
        #expect(!found.isEmpty)
        for rule in try vector.rules(stage, entry) {
          for (index, route) in found.enumerated() {
            let comparison = VectorComparison(route, stored, rule)
            #expect(
              comparison.ratio <= VectorComparison.limit,
              "\(vector.id) \(entry.name), route \(index): \(comparison)")
            table.add(entry.name, comparison.ratio)
          }
        }
      }
    }
    #expect(covered == Set(vector.arrays.keys))
    table.record()
  }
}

extension VectorCase {
  /// How an array of this case is compared.
  fileprivate func rules(_ stage: Stage, _ entry: Entry) throws -> [VectorComparison.Rule] {
    if let divisor = entry.divisor { return [.sum(divisor: divisor)] }
    let isOfOutputs = stage.name == "loss-hessian"
    guard entry.limit != nil else {
      // The likelihood takes no probabilities; it is asked at z = log p or log(q/(1 − q)), rounded.
      if isOfOutputs, case .network(let model) = self.model, let p = model.probabilities {
        let smallest = p.storage.reduce(1) { min($0, $1, 1 - $1) }
        return [.entries(size: p.rowCount, condition: max(1, -logarithm(smallest)))]
      }
      return [.bits]
    }
    if entry.name.hasSuffix("log-determinant"), case .factors(let a, let g, _) = model {
      let matrix = entry.name.hasPrefix("layer1.A") ? a : g
      return [.ratio(size: entry.size, condition: try logDeterminantCondition(matrix))]
    }
    let rule = VectorComparison.Rule.ratio(size: entry.size, condition: entry.condition)
    // p and 1 − p keep every digit however small they are, so each entry is compared by itself;
    // z − y of a Gaussian cancels.
    if isOfOutputs, case .network(let model) = self.model,
      model.likelihood == .categorical || model.likelihood == .bernoulli
    {
      return [rule, .entries(size: entry.size, condition: entry.condition)]
    }
    return [rule]
  }
}

/// κ of H = D^(−½) A D^(−½) with diagonal 1: what the errors of Cholesky, |E_ij| ≤ c ε √(a_ii a_jj), do
/// to each eigenvalue. Source: Demmel and Veselić 1992, theorem 2.3.
private func scaledCondition(_ matrix: Matrix) throws -> Double {
  let roots = matrix.diagonal.map { $0.squareRoot() }
  let scaled = Matrix(rowCount: matrix.rowCount, columnCount: matrix.columnCount) {
    matrix[$0, $1] / roots[$0] / roots[$1]
  }
  let values = try LAPACK.dsyevd(scaled).values
  return values[values.count - 1] / values[0]
}

/// The condition of log det under the same errors: ‖H⁻¹‖ ≤ κ(H), over |log det|.
private func logDeterminantCondition(_ matrix: Matrix) throws -> Double {
  let determinant = try LAPACK.dpotrf(matrix).diagonal.reduce(0) { $0 + 2 * logarithm($1) }
  return try 1 + scaledCondition(matrix) / determinant.magnitude
}
