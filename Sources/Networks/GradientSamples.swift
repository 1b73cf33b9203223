import DenseAlgebra

/// Layer inputs ā and pulled-back vectors g of every parameter block: all that a curvature needs.
///
/// The parameter gradient of example n and column c is, for one block,
/// u = Σ_uses Σ_t ā ⊗ g = cvec(Σ g āᵀ), and F = (1/N) Σ_{n,c} u uᵀ (spec 2.3, 3.1, 4.9). The kind of
/// Fisher matrix enters through the columns alone.
public struct GradientSamples: Equatable, Sendable {
  /// One node's use of a block.
  public struct Use: Equatable, Sendable {
    /// ā, dA × (N·T), column n·T + t; the last row is 1 where the block has a bias.
    public let inputs: Matrix
    /// g for each of the K columns, dG × (N·T), column n·T + t, not divided by N.
    public let gradients: [Matrix]
    /// T, the number of positions at which the block is applied to one example.
    public let positions: Int

    public init(inputs: Matrix, gradients: [Matrix], positions: Int) {
      self.inputs = inputs
      self.gradients = gradients
      self.positions = positions
    }
  }

  /// One parameter block and all its uses.
  public struct Block: Equatable, Sendable {
    /// The block's name.
    public let name: String
    /// dG.
    public let rowCount: Int
    /// dA, the homogeneous coordinate included.
    public let columnCount: Int
    /// Whether the last column is the bias.
    public let hasBias: Bool
    /// The uses in node order.
    public let uses: [Use]

    public init(name: String, rowCount: Int, columnCount: Int, hasBias: Bool, uses: [Use]) {
      self.name = name
      self.rowCount = rowCount
      self.columnCount = columnCount
      self.hasBias = hasBias
      self.uses = uses
    }
  }

  /// N, the number of examples.
  public let exampleCount: Int
  /// K, the number of columns per example.
  public let columnCount: Int
  /// The parameter blocks asked for.
  public let blocks: [Block]
  /// Maximal runs of blocks that follow one another, as indices into `blocks`.
  ///
  /// A block in a run is used once, at one position, and between it and the next one there is
  /// nothing but activations and flattening: no addition, no branch. A block that is used so, but
  /// follows none, is a run of one; a block used otherwise is in no run.
  public let chain: [[Int]]

  public init(exampleCount: Int, columnCount: Int, blocks: [Block], chain: [[Int]]) {
    self.exampleCount = exampleCount
    self.columnCount = columnCount
    self.blocks = blocks
    self.chain = chain
  }

  /// One forward pass, then one backward pass for each of the K columns.
  ///
  /// `blocks` are the indices of the parameter blocks to keep, in the order wanted (nil: all). Keeps
  /// N·T·(dA + K·dG) numbers per use. The data set must have examples and fit the network.
  public init(
    _ network: Network, _ data: Dataset, likelihood: Likelihood, kind: FisherKind,
    blocks selection: [Int]? = nil
  ) {
    precondition(data.count > 0, "gradient samples of no examples")
    let selected = selection ?? Array(network.parameters.indices)
    precondition(
      Set(selected).count == selected.count
        && selected.allSatisfy(network.parameters.indices.contains),
      "blocks \(selected) of a network of \(network.parameters.count); give each at most once")
    let tape = network.forward(data.inputs)
    let columns = kind.columns(tape.output, data.targets, likelihood)
    var gradients = [[Matrix]](repeating: [], count: tape.uses.count)
    for column in columns {
      for (use, g) in network.pullback(column, through: tape).enumerated()
      where selected.contains(tape.uses[use].block) {
        gradients[use].append(g)
      }
    }
    self.exampleCount = data.count
    self.columnCount = columns.count
    self.blocks = selected.map { index in
      let block = network.parameters[index]
      return Block(
        name: block.name, rowCount: block.weights.rowCount, columnCount: block.weights.columnCount,
        hasBias: block.hasBias,
        uses: tape.uses.indices.filter { tape.uses[$0].block == index }.map {
          Use(
            inputs: tape.uses[$0].inputs, gradients: gradients[$0],
            positions: tape.uses[$0].positions)
        })
    }
    self.chain = network.chain(of: selected)
  }

  /// Where each of these blocks lies in a vector of their parameters.
  public var layout: ParameterLayout {
    ParameterLayout(
      blocks: blocks.map {
        ParameterLayout.Block(
          name: $0.name, rowCount: $0.rowCount, columnCount: $0.columnCount, hasBias: $0.hasBias)
      })
  }
}
