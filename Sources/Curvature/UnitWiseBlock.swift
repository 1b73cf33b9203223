import DenseAlgebra
import Networks

/// One exact d_A × d_A block for each output unit of a layer, zero between units.
///
/// Block i is (1/N) Σ₍n,c₎ uᵢ uᵢᵀ with uᵢ the i-th row of the per-example gradient; without weight
/// sharing E[gᵢ² āāᵀ]. Reference: the specification, section 8.2.
public struct UnitWiseBlock: MatrixStructure {
  public var kind: StructureKind { .unitWise }
  public let layout: ParameterLayout
  /// The d_G blocks, each d_A × d_A.
  public let units: [Matrix]

  public init(_ samples: LayerSamples, limit: MemoryLimit = .standard) throws(CurvatureError) {
    self.layout = samples.layout
    let (dA, dG, n) = (samples.inputSize, samples.outputSize, samples.exampleCount)
    try limit.require(
      rows: dA * dG, columns: dA, for: "the unit-wise blocks of \(samples.name)",
      advice: "leave the layer out (--layers)")
    self.units = (0..<dG).map { unit in
      var rows: [Matrix] = []
      for gradient in samples.gradients {
        if samples.positions == 1 {
          // uᵢ = gᵢ ā: scale the columns of X.
          var scaled = samples.inputs
          for example in 0..<n {
            let g = gradient[unit, example]
            for j in 0..<dA { scaled[j, example] *= g }
          }
          rows.append(scaled)
        }
      }
      if samples.positions > 1 {
        for c in 0..<samples.columnCount {
          rows.append(
            Matrix(
              rowCount: dA, columnCount: n,
              storage: (0..<n).flatMap { samples.exampleGradient($0, c).row(unit).elements }))
        }
      }
      var block = Matrix(rowCount: dA, columnCount: dA)
      for matrix in rows { block.add(1 / Double(n), times: matrix.timesOwnTranspose) }
      return block
    }
  }

  public func apply(_ vector: ParameterVector) -> ParameterVector {
    ParameterVector(blocks: [mapUnits(vector.blocks[0]) { units[$0] * $1 }])
  }

  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    let (dA, dG) = (layout.blocks[0].columnCount, layout.blocks[0].rowCount)
    try limit.require(
      rows: dA * dG, columns: dA * dG, for: "the dense unit-wise block",
      advice: "leave the layer out (--layers)")
    var dense = Matrix(rowCount: dA * dG, columnCount: dA * dG)
    for (i, unit) in units.enumerated() {
      for k in 0..<dA { for j in 0..<dA { dense[j * dG + i, k * dG + i] = unit[j, k] } }
    }
    return dense
  }

  public func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    try requireDefined(rule, lambda)
    let name = layout.blocks[0].name
    // Each unit is a network of one parameter row, so the dense solver of one block serves it.
    var damped: [DampedDenseMatrix] = []
    for (i, unit) in units.enumerated() {
      let row = ParameterLayout(blocks: [
        ParameterLayout.Block(
          name: "unit \(i) of \(name)", rowCount: 1, columnCount: unit.rowCount,
          hasBias: layout.blocks[0].hasBias)
      ])
      damped.append(
        try DampedDenseMatrix(
          unit, layout: row, rule: rule, lambda: lambda, name: "unit \(i) of \(name)"))
    }
    return DampedUnitWiseBlock(layout: layout, units: damped)
  }
}

/// The damped units of a layer, each solved by itself.
public struct DampedUnitWiseBlock: DampedBlock {
  public let layout: ParameterLayout
  let units: [DampedDenseMatrix]

  public func apply(_ matrix: Matrix) -> Matrix {
    mapUnits(matrix) { units[$0].apply(asRow($1)).flattened }
  }

  public func solve(_ matrix: Matrix) -> Matrix {
    mapUnits(matrix) { units[$0].solve(asRow($1)).flattened }
  }

  public var logDeterminant: Double { units.reduce(0) { $0 + $1.logDeterminant } }
  public var rank: Int { units.reduce(0) { $0 + $1.rank } }

  private func asRow(_ row: Vector) -> ParameterVector {
    ParameterVector(blocks: [
      Matrix(rowCount: 1, columnCount: row.count, storage: row.elements)
    ])
  }
}

/// Maps each row (unit) of a weight-shaped matrix.
private func mapUnits(_ matrix: Matrix, _ transform: (Int, Vector) -> Vector) -> Matrix {
  var result = Matrix(rowCount: matrix.rowCount, columnCount: matrix.columnCount)
  for i in 0..<matrix.rowCount {
    let image = transform(i, matrix.row(i))
    for j in 0..<matrix.columnCount { result[i, j] = image[j] }
  }
  return result
}
