import Foundation

/// Numbers as figures print them: a true minus sign, powers of ten with raised digits.
public enum NumberText {
  /// 10ᵏ.
  public static func powerOfTen(_ exponent: Int) -> String {
    let raised = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    let digits = String(abs(exponent)).map { raised[$0.wholeNumberValue!] }
    return "10" + (exponent < 0 ? "⁻" : "") + String(digits)
  }

  /// A number with a fixed number of decimals.
  public static func fixed(_ value: Double, decimals: Int) -> String {
    let text = String(format: "%.\(decimals)f", abs(value))
    let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
    return (value < 0 && !isZero ? "−" : "") + text
  }

  /// A number with three significant digits, as in 0.0123 or 1.23×10⁻⁷.
  public static func short(_ value: Double) -> String { significant(value, digits: 3) }

  /// A number with at most so many significant digits, without zeros at the end.
  public static func significant(_ value: Double, digits: Int) -> String {
    precondition(digits >= 1, "\(digits) significant digits")
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "−∞" : "∞" }
    if value == 0 { return "0" }
    let parts = String(format: "%.\(digits - 1)e", abs(value)).split(separator: "e")
    guard let exponent = Int(parts[1]) else { preconditionFailure("no exponent in \(parts)") }
    let sign = value < 0 ? "−" : ""
    if (-3...5).contains(exponent) {
      return sign + trimmed(String(format: "%.\(max(0, digits - 1 - exponent))f", abs(value)))
    }
    let mantissa = trimmed(String(parts[0]))
    return sign + (mantissa == "1" ? "" : mantissa + "×") + powerOfTen(exponent)
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }
}
