import DataFiles

/// A value of a JSON file and where it stands there, so that a message can say both.
struct JSONPlace {
  let value: JSON
  let path: String
  /// Such as `model.network.nodes[3]`; empty for the whole file.
  private let steps: String

  init(_ value: JSON, path: String, steps: String = "") {
    self.value = value
    self.path = path
    self.steps = steps
  }

  /// The member of an object; throws where there is none.
  func member(_ name: String) throws(DataFileError) -> JSONPlace {
    guard let member = try optional(name) else {
      throw DataFileError("\(path): the key '\(name)' is missing in \(place). Restore the file.")
    }
    return member
  }

  /// The member of an object, or nil where there is none; throws where this is no object.
  func optional(_ name: String) throws(DataFileError) -> JSONPlace? {
    guard case .object(let members) = value else { throw unexpected("an object") }
    return members[name].map {
      JSONPlace($0, path: path, steps: steps.isEmpty ? name : "\(steps).\(name)")
    }
  }

  /// Every member of an object.
  func members() throws(DataFileError) -> [String: JSONPlace] {
    guard case .object(let members) = value else { throw unexpected("an object") }
    var places: [String: JSONPlace] = [:]
    for name in members.keys { places[name] = try member(name) }
    return places
  }

  func list() throws(DataFileError) -> [JSONPlace] {
    guard case .array(let elements) = value else { throw unexpected("a list") }
    return elements.enumerated().map { JSONPlace($1, path: path, steps: "\(steps)[\($0)]") }
  }

  func text() throws(DataFileError) -> String {
    guard case .string(let text) = value else { throw unexpected("a text") }
    return text
  }

  func number() throws(DataFileError) -> Double {
    guard case .number(let number) = value else { throw unexpected("a number") }
    return number
  }

  func boolean() throws(DataFileError) -> Bool {
    guard case .boolean(let boolean) = value else { throw unexpected("true or false") }
    return boolean
  }

  /// A whole number.
  func integer() throws(DataFileError) -> Int {
    guard let integer = Int(exactly: try number()) else { throw unexpected("a whole number") }
    return integer
  }

  func texts() throws(DataFileError) -> [String] {
    var texts: [String] = []
    for element in try list() { texts.append(try element.text()) }
    return texts
  }

  func integers() throws(DataFileError) -> [Int] {
    var integers: [Int] = []
    for element in try list() { integers.append(try element.integer()) }
    return integers
  }

  private var place: String { steps.isEmpty ? "the whole file" : steps }

  private func unexpected(_ expected: String) -> DataFileError {
    let seen =
      switch value {
      case .null: "null"
      case .boolean(let boolean): "\(boolean)"
      case .number(let number): "\(number)"
      case .string: "a text"
      case .array: "a list"
      case .object: "an object"
      }
    return DataFileError(
      "\(path): \(place) is \(seen), and \(expected) is expected. Restore the file.")
  }
}
