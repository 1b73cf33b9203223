/// An opaque colour of the sRGB space with eight bits per channel.
public struct Color: Hashable, Sendable {
  /// The red, green and blue channels, 0…255.
  public let red, green, blue: UInt8

  /// A colour from its channels.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// A colour from its usual six-digit number, as in `Color(0x0072B2)`.
  public init(_ number: UInt32) {
    precondition(number <= 0xFFFFFF, "a colour is at most 0xFFFFFF, got \(number)")
    self.init(
      red: UInt8(number >> 16), green: UInt8(number >> 8 & 255), blue: UInt8(number & 255))
  }

  public static let white = Color(0xFFFFFF)
  public static let black = Color(0x000000)
  /// Text and axes.
  public static let ink = Color(0x222222)
  /// Subtitles, notes and captions; 7:1 on white.
  public static let secondaryInk = Color(0x555555)
  /// Grid lines.
  public static let grid = Color(0xE2E2E2)
  /// Entries of a heatmap that are zero or below a logarithmic scale.
  public static let absent = Color(0xD9D9D9)
  /// Entries that are not finite: a colour that no scale contains.
  public static let notFinite = Color(0xFF00FF)

  /// Seven colours that stay apart for colour-blind readers.
  ///
  /// Source: M. Okabe, K. Ito, "Color Universal Design" (2008); their yellow is left out because a
  /// yellow line on white is too faint.
  public static let series = [
    Color(0x0072B2), Color(0xD55E00), Color(0x009E73), Color(0xCC79A7), Color(0xE69F00),
    Color(0x56B4E9), Color(0x000000),
  ]

  /// The colour as SVG writes it, `#rrggbb`.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return [red, green, blue].reduce(into: "#") {
      $0.append(digits[Int($1 >> 4)])
      $0.append(digits[Int($1 & 15)])
    }
  }
}
