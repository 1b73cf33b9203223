import Foundation

/// What the environment says about this run of the properties.
public enum PropertyRun {
  private static func number<Value: LosslessStringConvertible>(_ name: String) -> Value? {
    guard let text = ProcessInfo.processInfo.environment[name] else { return nil }
    guard let value = Value(text) else {
      preconditionFailure("\(name) is “\(text)”, not a number; unset it or give a whole number")
    }
    return value
  }

  /// Random cases for each property (NATGRAD_CASES, 30 unless set); the deliberate edges come on top.
  public static let caseCount: Int = number("NATGRAD_CASES") ?? 30

  /// The seed from which every case is drawn (NATGRAD_SEED).
  public static let seed: UInt64 = number("NATGRAD_SEED") ?? 2026

  /// The one case to run (NATGRAD_CASE), to replay a failure.
  public static let onlyCase: Int? = number("NATGRAD_CASE")

  /// The file into which the table of properties is written (NATGRAD_PROPERTY_TABLE).
  public static let tablePath = ProcessInfo.processInfo.environment["NATGRAD_PROPERTY_TABLE"]

  /// The seed of one case: it depends on the property's number, so that no two share their cases.
  static func seed(of number: String, case index: Int) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in number.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash &+ seed &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(index) &* 0xd1b5_4a32_d192_ed03
  }
}
