import Curvature
import DenseAlgebra
import Networks

extension LayerSamples {
  /// The same layer with other recorded inputs or gradients, whose sizes may differ.
  func replacing(inputs: Matrix? = nil, gradients: [Matrix]? = nil) -> LayerSamples {
    let inputs = inputs ?? self.inputs
    let gradients = gradients ?? self.gradients
    let block = GradientSamples.Block(
      name: name, rowCount: gradients[0].rowCount, columnCount: inputs.rowCount,
      hasBias: layout.blocks[0].hasBias,
      uses: [GradientSamples.Use(inputs: inputs, gradients: gradients, positions: positions)])
    return LayerSamples(
      GradientSamples(
        exampleCount: exampleCount, columnCount: gradients.count, blocks: [block], chain: []),
      block: 0)
  }

  /// The same layer with every recorded gradient times a number.
  func scalingGradients(_ factor: Double) -> LayerSamples {
    replacing(gradients: gradients.map { factor * $0 })
  }
}
