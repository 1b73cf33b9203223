import DenseAlgebra
import Networks

/// The exact Fisher information matrix of a batch, F = U Uᵀ, never formed unless asked for.
///
/// Column (n, c) of U is the stacked per-example gradient cvec(u₍n,c₎)/√N over all blocks, so F is
/// P × P and the mean over N examples. Which Fisher it is (exact, Monte Carlo, empirical) was
/// decided when the samples were drawn. Reference: the specification, sections 2.3, 3.1 and 3.2.
public struct ExactFisher: MatrixStructure {
  public let kind: StructureKind
  public let layout: ParameterLayout
  /// The samples of each block.
  public let layers: [LayerSamples]
  private let limit: MemoryLimit

  /// The whole network's Fisher, coupled across all blocks of the samples.
  public init(_ samples: GradientSamples, limit: MemoryLimit = .standard) {
    self.init(
      kind: .exact, layers: samples.blocks.indices.map { LayerSamples(samples, block: $0) },
      limit: limit)
  }

  /// The exact block of each layer by itself: the parts of the structure `block-diagonal`.
  public static func blocks(of samples: GradientSamples, limit: MemoryLimit = .standard)
    -> [ExactFisher]
  {
    samples.blocks.indices.map {
      ExactFisher(
        kind: .blockDiagonal, layers: [LayerSamples(samples, block: $0)], limit: limit)
    }
  }

  init(kind: StructureKind, layers: [LayerSamples], limit: MemoryLimit) {
    self.kind = kind
    self.layers = layers
    self.layout = ParameterLayout(blocks: layers.flatMap(\.layout.blocks))
    self.limit = limit
  }

  /// F v = U (Uᵀ v), with memory of N·K numbers beside the samples.
  public func apply(_ vector: ParameterVector) -> ParameterVector { combine(project(vector)) }

  /// Uᵀ v, of N·K entries.
  public func project(_ vector: ParameterVector) -> Vector {
    var sum = layers[0].project(vector.blocks[0])
    for (layer, block) in zip(layers, vector.blocks).dropFirst() {
      sum.add(1, times: layer.project(block))
    }
    return sum
  }

  /// U w, a parameter vector.
  public func combine(_ weights: Vector) -> ParameterVector {
    ParameterVector(blocks: layers.map { $0.combine(weights) })
  }

  /// The Gram matrix UᵀU, N·K × N·K, without forming U.
  ///
  /// Entry ((n,c),(n',c')) is (1/N) Σ_ℓ ⟨u₍n,c₎, u₍n',c'₎⟩; without weight sharing each term is
  /// (āₙᵀ āₙ′)(g₍n,c₎ᵀ g₍n′,c′₎). Reference: the specification, section 3.2.
  public func gram() throws(CurvatureError) -> Matrix {
    let n = layers[0].exampleCount
    let count = n * layers[0].columnCount
    try limit.require(
      rows: count, columns: count, for: "the Gram matrix", advice: "use a smaller --batch")
    var gram = Matrix(rowCount: count, columnCount: count)
    for layer in layers {
      let r = layer.positions
      try limit.require(
        rows: n * r, columns: n * r, for: "the inner products of all positions of \(layer.name)",
        advice: "use a smaller --batch")
      let inputProducts = layer.inputs.gram
      for c in 0..<layer.columnCount {
        for d in 0...c {
          let products = layer.gradients[c].transposedTimes(layer.gradients[d])
          for j in 0..<n {
            for i in 0..<n {
              var sum = 0.0
              for t in j * r..<(j + 1) * r {
                for s in i * r..<(i + 1) * r { sum += inputProducts[s, t] * products[s, t] }
              }
              gram[c * n + i, d * n + j] += sum / Double(n)
            }
          }
        }
      }
    }
    for column in 0..<count {
      for row in 0..<column { gram[row, column] = gram[column, row] }
    }
    return gram
  }

  public func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    // The smaller of the two forms: P × P dense, or N·K × N·K Gram.
    let gramSize = layers[0].exampleCount * layers[0].columnCount
    return gramSize < layout.count
      ? try dampedGram(rule, lambda) : try dampedDense(rule, lambda)
  }

  /// The damped matrix through its dense P × P form.
  public func dampedDense(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    try requireDefined(rule, lambda)
    return try DampedDenseMatrix(
      dense(within: limit), layout: layout, rule: rule, lambda: lambda,
      name: layers.count == 1 ? "the block of \(layers[0].name)" : "the Fisher")
  }

  /// The damped matrix through its Gram form (Woodbury).
  public func dampedGram(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> DampedGramFisher
  {
    try requireDefined(rule, lambda)
    return try DampedGramFisher(self, rule: rule, lambda: lambda)
  }
}
