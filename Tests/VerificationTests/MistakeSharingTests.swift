import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes with shared weights and padding (the specification, section 11).
@Suite("Signatures of mistakes: shared weights and padding")
struct MistakeSharingTests {
  @Test("M-53: G' = T G where weights are shared, T = 7") func noPositionsInG() throws {
    let signature = try MistakeSignature("M-53")
    try signature.expectScale("G") { [7, 1][$0] }
    signature.expectUnchanged(.a, .gradient)
  }

  @Test("M-54: A' = A/T where weights are shared; it ends in 1, the right one in T")
  func positionsInBoth() throws {
    let signature = try MistakeSignature("M-54")
    try signature.expectScale("A") { [1.0 / 7, 1][$0] }
    let (wrong, right) = try signature.pair("layer1.A")
    #expect((wrong[3, 3] - 1).magnitude <= 17 * .ulpOfOne)
    #expect((right[3, 3] - 7).magnitude <= 7 * 17 * .ulpOfOne)
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-55: A' = T² A with reduced factors; it ends in T²") func sumsOnBothSides() throws {
    let signature = try MistakeSignature("M-55")
    try signature.expectScale("A") { [49, 1][$0] }
    // A' is (1/N) Σ (Σ_t ā)(Σ_t ā)ᵀ: the sums, not the means, of the positions.
    let samples = MistakeChecks.samples(signature.setting)[0]
    let sums = Matrix(rowCount: 4, columnCount: 17) { i, n in
      (0..<7).reduce(0) { $0 + samples.inputs[i, n * 7 + $1] }
    }
    let wrong = try signature.pair("layer1.A").wrong
    expectRatio(.difference(wrong, (1 / 17.0) * LAPACK.dsyrk(sums)), "sums")
    #expect((wrong[3, 3] - 49).magnitude <= 49 * 17 * .ulpOfOne)
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-56: A' has the spectrum of A, and the permutation between the two orders undoes it")
  func kernelMajor() throws {
    let signature = try MistakeSignature("M-56")
    let (wrong, right) = try signature.pair("layer1.A")
    // Three channels, a kernel of six: entry (channel, place) stands at 6·channel + place in ours
    // and at 3·place + channel in theirs; the bias is last in both.
    let theirs = (0..<3).flatMap { channel in (0..<6).map { 3 * $0 + channel } } + [18]
    let undone = Matrix(rowCount: 19, columnCount: 19) { wrong[theirs[$0], theirs[$1]] }
    expectRatio(.difference(undone, right), "undone")
    expectDifferent(wrong, right)
    let values = try (LAPACK.dsyev(wrong).values, LAPACK.dsyev(right).values)
    expectRatio(.difference(values.0, values.1), "spectrum")
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-57a: A' and G' are 17/19 times right") func paddedExamples() throws {
    let signature = try MistakeSignature("M-57a")
    try signature.expectScale("A") { _ in 17.0 / 19 }
    try signature.expectScale("G") { _ in 17.0 / 19 }
    signature.expectUnchanged(.gradient)
  }

  @Test("M-57b: G' is 7/11 times right where weights are shared") func maskedPositions() throws {
    let signature = try MistakeSignature("M-57b")
    try signature.expectScale("G") { [7.0 / 11, 1][$0] }
    try signature.expectScale("A") { _ in 1 }
    signature.expectUnchanged(.gradient)
  }
}
