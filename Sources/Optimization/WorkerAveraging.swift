import Curvature
import DenseAlgebra
import Networks

/// What workers with a part of the batch each average before all apply the same inverse.
public enum WorkerAveraging: String, CaseIterable, Sendable {
  /// ((1/W) Σ F_w + δI)⁻¹: the inverse for the whole batch.
  case factors
  /// (1/W) Σ (F_w + δI)⁻¹, as MindSpore's source does: never smaller, (1/W) Σ F_w⁻¹ ⪰ ((1/W) Σ F_w)⁻¹,
  /// since inversion is operator convex; equal where all F_w are.
  case inverses

  /// The inverse that the workers apply, of their factors F_w split into diagonal blocks.
  ///
  /// Throws where a damped block has no Cholesky factor. Reference: the specification, section 7.8.
  public func inverse(of factors: [Matrix], shift: Double, blockSize: Int, name: String)
    throws(CurvatureError) -> KroneckerFactor
  {
    precondition(!factors.isEmpty, "the mean over no workers")
    func inverted(_ matrix: Matrix) throws(CurvatureError) -> Matrix {
      try DampedFactor(
        KroneckerFactor(matrix, blockSize: blockSize), shift: shift, name: name
      ).denseInverse
    }
    let result: Matrix
    switch self {
    case .factors: result = try inverted(WorkerAveraging.mean(factors))
    case .inverses:
      var inverses: [Matrix] = []
      for factor in factors { inverses.append(try inverted(factor)) }
      result = WorkerAveraging.mean(inverses)
    }
    return KroneckerFactor(result, blockSize: blockSize)
  }

  private static func mean(_ matrices: [Matrix]) -> Matrix {
    guard matrices.count > 1 else { return matrices[0] }
    var sum = matrices[0]
    for matrix in matrices.dropFirst() { sum.add(1, times: matrix) }
    return (1 / Double(matrices.count)) * sum
  }
}

/// A batch dealt out to W simulated workers, in equal parts and in order.
///
/// Each worker's loss is the mean over its own N/W examples, so the mean of the gradients is that of
/// the batch, and `batch_size` means N/W.
public struct SimulatedWorkers: Sendable {
  /// Each worker's samples.
  public let parts: [GradientSamples]

  /// Throws one sentence where the examples cannot be dealt out equally.
  public init(_ samples: GradientSamples, count: Int) throws(OptimizationError) {
    guard count >= 1, samples.exampleCount % count == 0 else {
      throw OptimizationError(
        "the batch has \(samples.exampleCount) examples for \(count) workers; equal parts were "
          + "expected: make the batch a multiple of the workers.")
    }
    let size = samples.exampleCount / count
    parts =
      count == 1
      ? [samples] : (0..<count).map { samples.part($0 * size..<($0 + 1) * size) }
  }

  /// The factors that each worker makes of its part.
  public func factors(
    ofBlock index: Int, isConvolution: Bool, _ options: MindSporeOptions
  ) -> [MindSporeFactors] {
    parts.map {
      MindSporeFactors(
        LayerSamples($0, block: index), isConvolution: isConvolution, options)
    }
  }

  /// The inverses that all workers apply to a layer, at damping λ, averaged as the options say.
  ///
  /// Throws where a damped block has no Cholesky factor.
  public func inverse(
    ofBlock index: Int, isConvolution: Bool, lambda: Double, _ options: MindSporeOptions
  ) throws(CurvatureError) -> MindSporeInverse {
    let factors = factors(ofBlock: index, isConvolution: isConvolution, options)
    let block = parts[0].blocks[index]
    let ratio = factors[0].ratio
    // √λ √ρ, which for the source's rule is √(λρ)
    let shift = options.source.damping.amount(lambda) * ratio.squareRoot()
    let isIdentity =
      options.source.hasIdentityForTwoOutputs && !isConvolution && block.rowCount == 2
    let averaging = options.source.averaging
    return MindSporeInverse(
      a: try averaging.inverse(
        of: factors.map(\.a), shift: shift, blockSize: options.splitSize,
        name: "factor A of \(block.name)"),
      g: isIdentity
        ? KroneckerFactor(.identity(2), blockSize: options.splitSize)
        : try averaging.inverse(
          of: factors.map(\.g), shift: shift, blockSize: options.splitSize,
          name: "factor G of \(block.name)"),
      scale: ratio)
  }
}

extension GradientSamples {
  /// The samples of some of the examples.
  func part(_ range: Range<Int>) -> GradientSamples {
    GradientSamples(
      exampleCount: range.count, columnCount: columnCount,
      blocks: blocks.map { block in
        Block(
          name: block.name, rowCount: block.rowCount, columnCount: block.columnCount,
          hasBias: block.hasBias,
          uses: block.uses.map { use in
            let columns = range.lowerBound * use.positions..<range.upperBound * use.positions
            return Use(
              inputs: use.inputs.block(rows: 0..<use.inputs.rowCount, columns: columns),
              gradients: use.gradients.map {
                $0.block(rows: 0..<$0.rowCount, columns: columns)
              },
              positions: use.positions)
          })
      }, chain: chain)
  }
}
