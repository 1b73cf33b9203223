import DenseAlgebra
import Networks
import Testing
import Verification

/// The signatures of mistakes of scale (the specification, section 11), at round-off.
@Suite("Signatures of mistakes: scale")
struct MistakeScaleTests {
  @Test("M-01: A' = N A, G and V right") func summedA() throws {
    let signature = try MistakeSignature("M-01")
    try signature.expectScale("A") { _ in 17 }
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-02: G' = G/N² and EKFAC's S' = S/N²; A and V right") func meanLossAveraged() throws {
    let signature = try MistakeSignature("M-02")
    try signature.expectScale("G") { _ in 1 / 289.0 }
    try signature.expectScale("second-moments") { _ in 1 / 289.0 }
    signature.expectUnchanged(.a, .gradient)
  }

  @Test("M-03: G' = G/N, A and V right") func meanLossSummed() throws {
    let signature = try MistakeSignature("M-03")
    try signature.expectScale("G") { _ in 1 / 17.0 }
    signature.expectUnchanged(.a, .gradient)
  }

  @Test("M-04: G' = N G, A and V right") func summedG() throws {
    let signature = try MistakeSignature("M-04")
    try signature.expectScale("G") { _ in 17 }
    signature.expectUnchanged(.a, .gradient)
  }

  @Test("M-05b: G' = s G, V and A right") func lossScaleUndoneOnce() throws {
    let signature = try MistakeSignature("M-05b")
    try signature.expectScale("G") { _ in 128 }
    signature.expectUnchanged(.a, .gradient)
  }

  @Test("M-05a: V' = s V and G' = s² G with s = 128, A right") func lossScale() throws {
    let signature = try MistakeSignature("M-05a")
    try signature.expectScale("gradient") { _ in 128 }
    try signature.expectScale("G") { _ in 16_384 }
    signature.expectUnchanged(.a)
  }

  @Test("M-06: A' = (N/d_A) A, 17/8, 17/12 and 17/4 in the three layers") func dividedBySize()
    throws
  {
    let signature = try MistakeSignature("M-06")
    try signature.expectScale("A") { [17.0 / 8, 17.0 / 12, 17.0 / 4][$0] }
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-16: A' and G' are 17/16 times right, V is right") func unbiased() throws {
    let signature = try MistakeSignature("M-16")
    try signature.expectScale("A") { _ in 17.0 / 16 }
    try signature.expectScale("G") { _ in 17.0 / 16 }
    signature.expectUnchanged(.gradient)
  }
}
