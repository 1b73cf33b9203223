import Curvature
import DataFiles
import Experiments
import Foundation
import Networks
import Verification

/// A value on the command line that cannot be used.
struct UserInputError: Error, CustomStringConvertible {
  let description: String
}

/// Readers for the values of options; each throws a sentence that names option, value and remedy.
enum UserInput {
  /// Whole or broken numbers, separated by commas.
  static func numbers(_ text: String, option: String) throws -> [Double] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    return try parts.map { part in
      guard let value = Double(part.trimmingCharacters(in: .whitespaces)), value.isFinite else {
        throw UserInputError(
          description: "\(option) \(text): '\(part)' is not a finite number; give numbers "
            + "separated by commas, such as 0.1,0.001.")
      }
      return value
    }
  }

  /// Whole numbers, separated by commas, each at least `least`.
  static func integers(_ text: String, option: String, least: Int) throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let value = Int(part.trimmingCharacters(in: .whitespaces)), value >= least else {
        throw UserInputError(
          description: "\(option) \(text): '\(part)' is not a whole number of at least \(least); "
            + "give whole numbers separated by commas.")
      }
      return value
    }
  }

  /// Damping strengths: from 0 to 1e100, ascending, without repeats.
  static func dampings(_ text: String, option: String) throws -> [Double] {
    let values = try numbers(text, option: option)
    if let bad = values.first(where: { $0 < 0 }) {
      throw UserInputError(
        description: "\(option) \(text): \(bad) is negative; a damping must be at least 0.")
    }
    if let bad = values.first(where: { $0 > 1e100 }) {
      throw UserInputError(
        description: "\(option) \(text): \(bad) is so large that products of damped factors "
          + "overflow; a damping must be at most 1e100.")
    }
    return Set(values).sorted()
  }

  private static let mostSeeds = 1_000_000

  /// How many seeds (1, 2, …), or a list of seeds with a comma in it.
  static func seeds(_ text: String, option: String) throws -> [UInt64] {
    let numbers = try integers(text, option: option, least: text.contains(",") ? 0 : 1)
    if text.contains(",") {
      guard Set(numbers).count == numbers.count else {
        throw UserInputError(
          description: "\(option) \(text): a seed is listed twice; list each once.")
      }
      return numbers.map { UInt64($0) }
    }
    guard numbers.count == 1, numbers[0] <= mostSeeds else {
      throw UserInputError(
        description:
          "\(option) \(text): at most \(mostSeeds) seeds were expected; give fewer.")
    }
    return (1...numbers[0]).map { UInt64($0) }
  }

  /// The folder for results, checked before anything is computed; nothing is made yet.
  static func output(_ path: String, example: String) throws -> AtomicFolder {
    guard !path.isEmpty else {
      throw UserInputError(
        description: "--output is empty; a folder was expected, such as \(example).")
    }
    return try AtomicFolder(path: path)
  }

  /// A data set's name, a folder of IDX files, or a CSV file.
  static func dataset(_ text: String, labelColumn: String) throws -> DatasetSource {
    if text.hasSuffix(".csv") { return .table(path: text, labelColumn: labelColumn) }
    if text.contains("/") || text == "." || text == ".." { return .folder(text) }
    return try choice(
      text, option: "--dataset", among: DatasetSource.named.map { ($0.name, $0.source) })
  }

  /// A number that must be positive.
  static func positive(_ value: Double, option: String) throws -> Double {
    guard value > 0, value.isFinite else {
      throw UserInputError(description: "\(option) \(value): a positive number was expected.")
    }
    return value
  }

  /// A range such as 2-4, or one number.
  static func range(_ text: String, option: String) throws -> ClosedRange<Int> {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard let first = parts.first ?? nil, let last = parts.last ?? nil, parts.count <= 2,
      first >= 1, last >= first
    else {
      throw UserInputError(
        description:
          "\(option) \(text): a range of layers counted from 1 was expected, such as 2-4.")
    }
    return first...last
  }

  /// One of the known names; an unknown one is answered with the nearest.
  static func choice<Value>(
    _ text: String, option: String, among values: [(name: String, value: Value)]
  ) throws -> Value {
    if let found = values.first(where: { $0.name == text }) { return found.value }
    let names = values.map(\.name)
    let nearest = NearestName.suggestion(for: text, among: names).map { "did you mean \($0)? " }
    throw UserInputError(
      description: "\(option) \(text): unknown name; \(nearest ?? "")known: "
        + names.joined(separator: ", ") + ".")
  }

  /// One case of a closed vocabulary.
  static func choice<Value: CaseIterable & RawRepresentable>(
    _ text: String, option: String, as type: Value.Type
  ) throws -> Value where Value.RawValue == String {
    try choice(text, option: option, among: Value.allCases.map { ($0.rawValue, $0) })
  }

  /// Several cases of a closed vocabulary, separated by commas, in the vocabulary's own order.
  static func choices<Value: CaseIterable & RawRepresentable & Equatable>(
    _ text: String, option: String, as type: Value.Type
  ) throws -> [Value] where Value.RawValue == String {
    let chosen = try text.split(separator: ",", omittingEmptySubsequences: false).map {
      try choice(String($0), option: option, as: type)
    }
    return Value.allCases.filter(chosen.contains)
  }

  /// `name` or `name:number`.
  private static func named(_ text: String) -> (name: String, argument: String?) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return (String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
  }

  /// A number after the colon that must be positive.
  private static func positive(_ argument: String, _ text: String, option: String) throws -> Double
  {
    guard let value = Double(argument), value > 0, value.isFinite else {
      throw UserInputError(
        description: "\(option) \(text): '\(argument)' is not a positive number; give one, such as "
          + "0.05.")
    }
    return value
  }

  /// he, glorot or normal:σ.
  static func initialization(_ text: String) throws -> Initialization {
    let (name, argument) = named(text)
    if name == "normal", let argument {
      return .normal(standardDeviation: try positive(argument, text, option: "--init"))
    }
    return try choice(
      text, option: "--init",
      among: [
        ("he", .he), ("glorot", .glorot), ("normal:0.05", .normal(standardDeviation: 0.05)),
      ])
  }

  /// categorical, gaussian:σ² or bernoulli.
  static func likelihood(_ text: String) throws -> Likelihood {
    let (name, argument) = named(text)
    if name == "gaussian" {
      return .gaussian(
        variance: try argument.map { try positive($0, text, option: "--likelihood") } ?? 1)
    }
    return try choice(
      text, option: "--likelihood",
      among: [
        ("categorical", .categorical), ("gaussian", .gaussian(variance: 1)),
        ("bernoulli", .bernoulli),
      ])
  }

  /// exact, empirical or monte-carlo:M.
  static func fisher(_ text: String, seed: UInt64) throws -> FisherKind {
    let (name, argument) = named(text)
    if name == "monte-carlo" {
      guard let samples = Int(argument ?? "1"), samples >= 1 else {
        throw UserInputError(
          description: "--fisher \(text): '\(argument ?? "")' is not a whole number of at least 1; "
            + "give the number of drawn labels, such as monte-carlo:1.")
      }
      return .monteCarlo(samples: samples, seed: seed)
    }
    return try choice(
      text, option: "--fisher",
      among: [
        ("exact", .exact), ("empirical", .empirical),
        ("monte-carlo", .monteCarlo(samples: 1, seed: seed)),
      ])
  }

  /// Bytes with an optional K, M or G (powers of 1024).
  static func memory(_ text: String) throws -> MemoryLimit {
    let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
    let unit = text.uppercased().last.flatMap { units[$0] }
    let digits = unit == nil ? text : String(text.dropLast())
    guard let count = Int(digits), count > 0,
      case let (bytes, overflow) = count.multipliedReportingOverflow(by: unit ?? 1), !overflow
    else {
      throw UserInputError(
        description: "--max-memory \(text): a positive number of bytes was expected, "
          + "such as 500M or 4G.")
    }
    return MemoryLimit(bytes: bytes)
  }
}
