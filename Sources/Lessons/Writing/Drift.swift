import DataFiles
import Foundation

/// A file of the export that is not what its source gives now.
public struct Drift: Equatable, Sendable, CustomStringConvertible {
  public let path: String
  /// Where, what is there, and what was computed.
  public let detail: String

  public init(path: String, detail: String) {
    self.path = path
    self.detail = detail
  }

  public var description: String { "\(path): \(detail)" }

  static func compare(
    _ file: (path: String, bytes: [UInt8]), folder: String, isExact: Bool
  ) -> [Drift] {
    guard let data = FileManager.default.contents(atPath: "\(folder)/\(file.path)") else {
      return [Drift(path: file.path, detail: "the file is missing")]
    }
    let there = [UInt8](data)
    if there == file.bytes { return [] }
    let detail: String? =
      if file.path.hasSuffix(".png") {
        isExact ? "the image is another" : nil
      } else if file.path.hasSuffix(".npz") {
        isExact ? "the arrays are others" : arrays(there, file.bytes)
      } else {
        text(
          String(decoding: there, as: UTF8.self), String(decoding: file.bytes, as: UTF8.self),
          tolerance: isExact ? nil : file.path.hasSuffix(".csv") ? .relative : .lastPlace)
      }
    return detail.map { [Drift(path: file.path, detail: $0)] } ?? []
  }

  enum Tolerance { case relative, lastPlace }

  /// The first line that differs, or nil; without a tolerance by characters.
  static func text(_ old: String, _ new: String, tolerance: Tolerance?) -> String? {
    let (a, b) = (lines(old), lines(new))
    for (index, (left, right)) in zip(a, b).enumerated() where left != right {
      if let tolerance, isClose(left, right, tolerance) { continue }
      return "line \(index + 1) is '\(excerpt(left, right))', computed '\(excerpt(right, left))'"
    }
    return a.count == b.count ? nil : "\(a.count) lines, computed \(b.count)"
  }

  private static func lines(_ text: String) -> [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The part of a long line around the first difference.
  private static func excerpt(_ line: Substring, _ other: Substring) -> String {
    let common = zip(line, other).prefix { $0 == $1 }.count
    let start = max(0, common - 30)
    return (start > 0 ? "…" : "") + line.dropFirst(start).prefix(90)
  }

  /// Whether two lines are the same words with numbers that are close.
  static func isClose(_ left: Substring, _ right: Substring, _ tolerance: Tolerance) -> Bool {
    let (a, b) = (tokens(left), tokens(right))
    guard a.count == b.count else { return false }
    return zip(a, b).allSatisfy { x, y in
      if x == y { return true }
      guard let u = Double(x), let v = Double(y) else {
        // Embedded images repeat a matrix that a table or the text has too.
        return x.hasPrefix("data:image") && y.hasPrefix("data:image")
      }
      switch tolerance {
      case .relative: return abs(u - v) <= 1e-6 * max(abs(u), abs(v)) + roundingLevel
      case .lastPlace: return abs(u - v) <= 1.01 * max(lastPlace(x), lastPlace(y))
      }
    }
  }

  /// Below it, a number is an error of rounding, which no two platforms share.
  private static let roundingLevel = 1e-8

  /// Numbers, embedded images, and the text between them; a printed power of ten below 10⁻⁷ is one
  /// word, whatever its digits.
  private static func tokens(_ line: Substring) -> [String] {
    let line = line.replacing(/([0-9.]+×)?10⁻([⁸⁹]|[¹²³⁴⁵⁶⁷⁸⁹][⁰¹²³⁴⁵⁶⁷⁸⁹]+)/, with: "rounding")
    return line.matches(of: /data:image[^"]*|[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|[^0-9]/).map {
      String($0.output.0)
    }
  }

  private static func lastPlace(_ number: String) -> Double {
    let parts = number.split(separator: "e")
    let decimals = parts[0].split(separator: ".").dropFirst().first?.count ?? 0
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    return pow(10, Double(exponent - decimals))
  }

  private static func arrays(_ old: [UInt8], _ new: [UInt8]) -> String? {
    guard let a = try? NPZ.decode(old, name: "old"), let b = try? NPZ.decode(new, name: "new"),
      a.map(\.name) == b.map(\.name), a.map(\.array.shape) == b.map(\.array.shape)
    else { return "the arrays are others" }
    for (x, y) in zip(a, b) {
      let scale = x.array.elements.reduce(0) { max($0, abs($1)) }
      for (index, (u, v)) in zip(x.array.elements, y.array.elements).enumerated()
      where abs(u - v) > 1e-6 * scale {
        return "array \(x.name), element \(index) is \(u), computed \(v)"
      }
    }
    return nil
  }
}
