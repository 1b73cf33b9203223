import Curvature
import DenseAlgebra
import Optimization
import TestSupport
import Testing

/// MindSpore's blocks of equal size against the specification's smaller last block (P-118).
@Suite("nn.thor: identity-padded blocks")
struct MindSporePaddingTests {
  /// A factor, a block size and the layout of a device.
  struct PaddedCase: Sendable, CustomStringConvertible {
    var matrix: MatrixCase
    var blockSize: Int
    var padding: MindSporePadding
    var damping: Double

    var description: String {
      "\(matrix), blocks of \(blockSize), \(padding), damping \(damping)"
    }

    static let kinds: [MatrixKind] = [
      .geometric, .zero, .rankOne, .rankDeficient, .repeated, .clustered, .toeplitz, .hilbert,
    ]

    /// MindSpore's own sizes first: around 64, 128 and 256.
    static let all = Cases<PaddedCase>(
      edges: MindSporePadding.allCases.flatMap { padding in
        [1, 20, 63, 64, 65, 127, 128, 129, 192, 256, 260].map {
          PaddedCase(
            matrix: MatrixCase($0 % 2 == 0 ? .geometric : .rankDeficient, size: $0, seed: 7),
            blockSize: 128, padding: padding, damping: 0.03)
        }
      },
      smaller: { value in
        (1..<max(value.matrix.size, 1)).map {
          var copy = value
          copy.matrix.size = $0
          return copy
        }
      },
      draw: { random in
        PaddedCase(
          matrix: MatrixCase(
            kinds[random.below(kinds.count)], size: 1 + random.below(14),
            seed: random.next() % 100_000),
          blockSize: 1 + random.below(8),
          padding: MindSporePadding.allCases[random.below(2)],
          damping: [1e-3, 0.03, 1][random.below(3)])
      })
  }

  @Test("P-118: MindSpore's identity-padded blocks give the same inverse on the kept part")
  func paddingChangesNothing() {
    property("P-118", .equal, oracle: "dpotri", over: PaddedCase.all) { test, checks in
      let a = test.matrix.matrix
      let n = a.rowCount
      let blocks = test.padding.blocks(
        of: a.addingToDiagonal(test.damping), blockSize: test.blockSize)
      let size = blocks.reduce(0) { $0 + $1.rowCount }
      // Their inverses side by side, cut to the kept part.
      var whole = Matrix(rowCount: size, columnCount: size)
      var start = 0
      var condition = 1.0
      for block in blocks {
        whole.setBlock(row: start, column: start, to: try LAPACK.dpotri(block))
        let values = try LAPACK.dsyevd(block).values
        condition = max(condition, values[block.rowCount - 1] / values[0])
        start += block.rowCount
      }
      let kept = whole.block(rows: 0..<n, columns: 0..<n)
      let factor = try DampedFactor(
        KroneckerFactor(a, blockSize: test.blockSize), shift: test.damping, name: "factor A")
      checks.equal(
        factor.denseInverse, kept, scale: condition * LAPACK.norm1(kept), "inverse over κ")
      // Nothing couples the padding to the kept part.
      let coupling = whole.block(rows: n..<size, columns: 0..<n).maximumMagnitude
      checks.holds(coupling == 0, "no coupling to the padding")
    }
  }

  @Test("Sizes are padded as read: Ascend leaves 64 alone, GPU all that is below one block")
  func paddedSizes() {
    for (size, ascend, gpu) in [
      (1, 128, 1), (63, 128, 63), (64, 64, 64), (65, 128, 65), (127, 128, 127), (128, 128, 128),
      (129, 256, 256), (192, 256, 256), (256, 256, 256), (2048, 2048, 2048), (1001, 1024, 1024),
    ] {
      #expect(MindSporePadding.ascend.paddedSize(size) == ascend, "\(size)")
      #expect(MindSporePadding.gpu.paddedSize(size) == gpu, "\(size)")
      let blocks = MindSporePadding.ascend.blocks(of: .identity(size))
      #expect(blocks.allSatisfy { $0.rowCount == min(128, ascend) && $0 == .identity($0.rowCount) })
      #expect(blocks.count * min(128, ascend) == ascend)
    }
  }
}
