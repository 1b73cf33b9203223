/// A family of 253 colours over 0…1: with three exceptions beside them they fit a palette of 256.
///
/// Linear interpolation between equidistant sRGB samples, at multiples of 1/252.
public struct ColorMap: Equatable, Sendable {
  private let samples: [Color]

  private init(_ numbers: [UInt32]) { samples = numbers.map { Color($0) } }

  /// The colour at a position; positions outside 0…1 take the end colours.
  public func color(at position: Double) -> Color {
    let step = (max(0, min(1, position)) * 252).rounded() / 252
    let scaled = step * Double(samples.count - 1)
    let index = min(Int(scaled), samples.count - 2)
    let fraction = scaled - Double(index)
    func mix(_ channel: KeyPath<Color, UInt8>) -> UInt8 {
      let (a, b) = (
        Double(samples[index][keyPath: channel]), Double(samples[index + 1][keyPath: channel])
      )
      return UInt8((a + (b - a) * fraction).rounded())
    }
    return Color(red: mix(\.red), green: mix(\.green), blue: mix(\.blue))
  }

  /// For magnitudes: viridis, perceptually uniform and readable by the colour-blind and in grey.
  ///
  /// Source: matplotlib's viridis by S. van der Walt and N. Smith (CC0), sampled at 33 points.
  public static let sequential = ColorMap([
    0x440154, 0x470D60, 0x48186A, 0x482374, 0x472D7B, 0x453781, 0x424086, 0x3E4989, 0x3B528B,
    0x375B8D, 0x33638D, 0x2F6B8E, 0x2C728E, 0x297A8E, 0x26828E, 0x23898E, 0x21918C, 0x1F988B,
    0x1FA088, 0x22A785, 0x28AE80, 0x32B67A, 0x3FBC73, 0x4EC36B, 0x5EC962, 0x70CF57, 0x84D44B,
    0x98D83E, 0xADDC30, 0xC2DF23, 0xD8E219, 0xECE51B, 0xFDE725,
  ])

  /// For signed values: blue below zero, near-white at zero, brown above.
  ///
  /// Lightness falls linearly in OKLab from the middle to both ends, equally on both sides.
  public static let diverging = ColorMap([
    0x164688, 0x2C5B9E, 0x4470B0, 0x5F86BF, 0x7B9CCB, 0x99B2D6, 0xB8C8DF, 0xD7DEE9, 0xF5F5F5,
    0xEADAD4, 0xE0BEB3, 0xD6A292, 0xCA8771, 0xBC6C51, 0xAB5234, 0x973916, 0x812200,
  ])
}
