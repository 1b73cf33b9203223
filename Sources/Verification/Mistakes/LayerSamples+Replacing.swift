import Curvature
import DenseAlgebra
import Networks

extension LayerSamples {
  /// The same layer with other recorded inputs or gradients, whose sizes may differ.
  ///
  /// Another number of examples or positions comes with as many columns.
  func replacing(
    inputs: Matrix? = nil, gradients: [Matrix]? = nil, exampleCount: Int? = nil,
    positions: Int? = nil
  ) -> LayerSamples {
    let inputs = inputs ?? self.inputs
    let gradients = gradients ?? self.gradients
    let block = GradientSamples.Block(
      name: name, rowCount: gradients[0].rowCount, columnCount: inputs.rowCount,
      hasBias: layout.blocks[0].hasBias,
      uses: [
        GradientSamples.Use(
          inputs: inputs, gradients: gradients, positions: positions ?? self.positions)
      ])
    return LayerSamples(
      GradientSamples(
        exampleCount: exampleCount ?? self.exampleCount, columnCount: gradients.count,
        blocks: [block], chain: []),
      block: 0)
  }

  /// The same layer with every recorded gradient times a number.
  func scalingGradients(_ factor: Double) -> LayerSamples {
    replacing(gradients: gradients.map { factor * $0 })
  }

  /// A range of the examples.
  func examples(_ range: Range<Int>) -> LayerSamples {
    let columns = range.lowerBound * positions..<range.upperBound * positions
    func part(_ matrix: Matrix) -> Matrix {
      matrix.block(rows: 0..<matrix.rowCount, columns: columns)
    }
    return replacing(
      inputs: part(inputs), gradients: gradients.map(part), exampleCount: range.count)
  }
}
