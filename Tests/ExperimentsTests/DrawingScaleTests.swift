import DenseAlgebra
import Experiments
import Foundation
import Testing

@Suite struct DrawingScaleTests {
  @Test(arguments: [
    (ScaleKind.linear, 0.0...1.0, 6, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    (.linear, -1.0...1.0, 5, ["−1.0", "−0.5", "0.0", "0.5", "1.0"]),
    (.linear, 0.0...100.0, 6, ["0", "20", "40", "60", "80", "100"]),
    (.linear, 0.0...3e-5, 4, ["0", "1×10⁻⁵", "2×10⁻⁵", "3×10⁻⁵"]),
    (.logarithmic, 1e-4...1.0, 5, ["10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]),
    (.logarithmic, 0.01...10.0, 9, ["0.01", "0.1", "1", "10"]),
    (.logarithmic, 1e-12...1.0, 5, ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "10⁰"]),
    (.logarithmic, 0.02...0.5, 6, ["0.02", "0.05", "0.1", "0.2", "0.5"]),
  ])
  func ticksAreRound(
    kind: ScaleKind, limits: ClosedRange<Double>, count: Int, expected: [String]
  ) { #expect(AxisScale(kind, limits).ticks(atMost: count).map(\.label) == expected) }

  /// Reads a label back: "2.5×10⁻⁵" is 2.5e-5.
  private func number(_ label: String) -> Double? {
    let raised = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    var plain = label.replacingOccurrences(of: "−", with: "-")
    if let power = plain.range(of: "10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+$", options: .regularExpression) {
      let exponent = plain[power].dropFirst(2).map {
        $0 == "⁻" ? "-" : String(raised.firstIndex(of: $0)!)
      }.joined()
      let mantissa = plain[..<power.lowerBound]
      plain = (mantissa.isEmpty ? "1" : String(mantissa.dropLast())) + "e" + exponent
    }
    return Double(plain)
  }

  @Test func ticksOfRandomAxesAreFewInsideDistinctAndSayTheirValue() throws {
    var random = SplitMix64(seed: 4)
    for _ in 0..<400 {
      let exponent = Double(Int.random(in: -12...9, using: &random))
      let a = Double.random(in: 1...9, using: &random) * pow(10, exponent)
      let ratio = pow(10, Double.random(in: 0.05...9, using: &random))
      let count = Int.random(in: 3...9, using: &random)
      for scale in [
        AxisScale(.linear, (-a)...(a * ratio)), AxisScale(.logarithmic, a...(a * ratio)),
      ] {
        let ticks = scale.ticks(atMost: count)
        #expect(ticks.count <= count && !ticks.isEmpty, "\(scale)")
        #expect(Set(ticks.map(\.label)).count == ticks.count, "\(ticks)")
        for tick in ticks {
          #expect((-1e-6...1 + 1e-6).contains(scale.position(of: tick.value)))
          let said = try #require(number(tick.label), "\(tick.label)")
          #expect(abs(said - tick.value) <= 1e-9 * max(abs(tick.value), scale.upper * 1e-3))
        }
      }
    }
  }

  @Test(arguments: [ScaleKind.linear, .logarithmic])
  func fittedAxisHoldsAllValuesAndPlacesAreInvertible(kind: ScaleKind) {
    var random = SplitMix64(seed: 9)
    for count in [1, 2, 3, 10] {
      for _ in 0..<50 {
        let size = pow(10, Double.random(in: -20...20, using: &random))
        let values = (0..<count).map { _ in size * Double.random(in: 0.01...10, using: &random) }
        let scale = AxisScale(kind, fitting: values + [.nan, .infinity])
        for value in values {
          let position = scale.position(of: value)
          #expect((-1e-8...1 + 1e-8).contains(position), "\(value) on \(scale)")
          #expect(abs(scale.value(at: position) - value) <= 1e-9 * scale.upper)
        }
      }
    }
  }

  @Test(
    arguments: [
      [], [0], [0, 0], [-3], [1e300, -1e300],
      [.leastNormalMagnitude / 4, .leastNormalMagnitude / 2],
      [.leastNonzeroMagnitude], [.nan], [.infinity],
    ] as [[Double]])
  func strangeValuesStillGiveAnAxis(values: [Double]) {
    for kind in [ScaleKind.linear, .logarithmic] {
      let scale = AxisScale(kind, fitting: values)
      #expect(scale.lower < scale.upper && !scale.ticks(atMost: 5).isEmpty)
    }
  }

  /// Source: matplotlib 3.10, `colormaps["viridis"]` at 0, 0.5 and 1.
  @Test func viridisHasItsPublishedColours() {
    #expect(ColorMap.sequential.color(at: 0) == Color(0x440154))
    #expect(ColorMap.sequential.color(at: 0.5) == Color(0x21918C))
    #expect(ColorMap.sequential.color(at: 1) == Color(0xFDE725))
  }

  /// The lightness L* of CIE 1976.
  private func lightness(_ color: Color) -> Double {
    func linear(_ channel: UInt8) -> Double {
      let c = Double(channel) / 255
      return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
    }
    let y = 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)
    return y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389 / 27
  }

  @Test func magnitudesGrowLighterAndSignsDarkenEquallyFromTheMiddle() {
    let steps = (0...40).map { Double($0) / 40 }
    let sequential = steps.map { lightness(ColorMap.sequential.color(at: $0)) }
    for (a, b) in zip(sequential, sequential.dropFirst()) { #expect(a < b) }
    let diverging = steps.map { lightness(ColorMap.diverging.color(at: $0)) }
    for k in 0..<20 {
      #expect(diverging[k] < diverging[k + 1] && diverging[40 - k] < diverging[39 - k])
      #expect(abs(diverging[k] - diverging[40 - k]) < 4)  // L* differs from OKLab's lightness
    }
  }

  @Test func coloursFollowTheKindOfScale() {
    let matrix = Matrix(rows: [[0, -50], [1e-3, 1e-9]])
    let magnitude = ColorScale(.magnitude, fitting: [matrix])
    #expect(magnitude.color(of: -50) == ColorMap.sequential.color(at: 1))
    #expect(magnitude.color(of: 25) == ColorMap.sequential.color(at: 0.5))
    let signed = ColorScale(.signed, fitting: [matrix])
    #expect(signed.color(of: -50) == ColorMap.diverging.color(at: 0))
    #expect(signed.color(of: 0) == ColorMap.diverging.color(at: 0.5))
    // Up to 10², the power of ten above 50, and four decades down: 0.1 is a quarter of the way.
    let logarithmic = ColorScale(.logarithmicMagnitude(decades: 4), fitting: [matrix])
    #expect(logarithmic.color(of: -0.1) == ColorMap.sequential.color(at: 0.25))
    #expect(logarithmic.color(of: 1e-3) == .absent && logarithmic.color(of: 0) == .absent)
    for scale in [magnitude, signed, logarithmic] {
      #expect(scale.color(of: .nan) == .notFinite && scale.color(of: -.infinity) == .notFinite)
    }
  }

  @Test(arguments: [0, Double.leastNonzeroMagnitude, 1e-300, 1e300, .greatestFiniteMagnitude])
  func everyLargestMagnitudeGivesAScale(largest: Double) {
    for kind in [ColorScale.Kind.magnitude, .signed, .logarithmicMagnitude(decades: 6)] {
      let scale = ColorScale(kind, largestMagnitude: largest)
      #expect(scale.color(of: largest) != .notFinite && scale.axis.upper.isFinite)
    }
  }
}
