import DenseAlgebra
import Networks

/// The named arrays that an optimizer keeps between steps: written to, or read from, by one function.
///
/// A type with memory has one `exchange(_:)`. Saving, it hands its values over; loading, the same
/// lines take them back, so what is written and what is read cannot differ. Every array is a matrix;
/// a count is 1 × 1, and what is not there yet is an empty array, so that an optimizer has the same names
/// at every step. Restored memory gives the same bits as an uninterrupted run.
public struct Archive: Sendable {
  /// The arrays by name.
  public private(set) var arrays: [String: Matrix]
  /// Whether values are taken from the arrays.
  public let isLoading: Bool
  /// The parameter blocks, whose shapes loaded vectors must have.
  public let layout: ParameterLayout
  /// The names that were read so far.
  private var read: Set<String> = []

  /// An empty archive to save to.
  public init(savingFor layout: ParameterLayout) {
    self.arrays = [:]
    self.isLoading = false
    self.layout = layout
  }

  /// An archive to load from.
  public init(loading arrays: [String: Matrix], for layout: ParameterLayout) {
    self.arrays = arrays
    self.isLoading = true
    self.layout = layout
  }

  /// Exchanges a matrix of a known shape.
  public mutating func matrix(_ name: String, _ value: inout Matrix) throws(OptimizationError) {
    guard isLoading else {
      arrays[name] = value
      return
    }
    value = try found(name, rows: value.rowCount, columns: value.columnCount)
  }

  /// Exchanges a matrix that may be missing, of a shape that is known anyway.
  public mutating func matrix(_ name: String, _ value: inout Matrix?, rows: Int, columns: Int)
    throws(OptimizationError)
  {
    guard isLoading else {
      arrays[name] = value ?? Archive.nothing
      return
    }
    value = isEmpty(name) ? nil : try found(name, rows: rows, columns: columns)
  }

  private static let nothing = Matrix(rowCount: 0, columnCount: 0)

  /// Whether an array stands for nothing.
  private mutating func isEmpty(_ name: String) -> Bool {
    guard arrays[name] == Archive.nothing else { return false }
    read.insert(name)
    return true
  }

  /// Exchanges a number.
  public mutating func number(_ name: String, _ value: inout Double) throws(OptimizationError) {
    var matrix = Matrix(rowCount: 1, columnCount: 1, repeating: value)
    try self.matrix(name, &matrix)
    value = matrix[0, 0]
  }

  /// Exchanges a whole number from 0 to 2⁵³.
  public mutating func count(_ name: String, _ value: inout Int) throws(OptimizationError) {
    var number = Double(value)
    try self.number(name, &number)
    guard let whole = Int(exactly: number), whole >= 0, whole < 1 << 53 else {
      throw OptimizationError(
        "array '\(name)' of the checkpoint holds \(number); a whole number of at least 0 was expected: "
          + "the file was not written by natgrad, or is damaged; start anew.")
    }
    value = whole
  }

  /// Exchanges a whole number that may be missing.
  public mutating func count(_ name: String, _ value: inout Int?) throws(OptimizationError) {
    if isLoading {
      if isEmpty(name) {
        value = nil
        return
      }
    } else if value == nil {
      arrays[name] = Archive.nothing
      return
    }
    var number = value ?? 0
    try count(name, &number)
    value = number
  }

  /// Exchanges one matrix for each parameter block, named `name.block`.
  public mutating func vector(_ name: String, _ value: inout ParameterVector)
    throws(OptimizationError)
  {
    for (index, block) in layout.blocks.enumerated() {
      try matrix("\(name).\(block.name)", &value.blocks[index])
    }
  }

  /// Exchanges a parameter vector that may be missing.
  public mutating func vector(_ name: String, _ value: inout ParameterVector?)
    throws(OptimizationError)
  {
    let names = layout.blocks.map { "\(name).\($0.name)" }
    if isLoading {
      if names.count(where: { isEmpty($0) }) == names.count {
        value = nil
        return
      }
    } else if value == nil {
      for name in names { arrays[name] = Archive.nothing }
      return
    }
    var vector = value ?? .zero(layout)
    try self.vector(name, &vector)
    value = vector
  }

  /// Throws where an array was loaded that nobody asked for: the checkpoint is of another run.
  public func finish() throws(OptimizationError) {
    guard isLoading, let name = Set(arrays.keys).subtracting(read).min() else { return }
    throw OptimizationError(
      "the checkpoint has an array '\(name)' that this run has not; it belongs to another optimizer or "
        + "another network. Resume with the options it was written with, or start anew.")
  }

  private mutating func found(_ name: String, rows: Int, columns: Int) throws(OptimizationError)
    -> Matrix
  {
    read.insert(name)
    guard let matrix = arrays[name] else {
      throw OptimizationError(
        "the checkpoint has no array '\(name)'; it belongs to another optimizer or another network. "
          + "Resume with the options it was written with, or start anew.")
    }
    guard matrix.rowCount == rows, matrix.columnCount == columns else {
      throw OptimizationError(
        "array '\(name)' of the checkpoint is \(matrix.rowCount) × \(matrix.columnCount), and this "
          + "network needs \(rows) × \(columns); the checkpoint is of another network. Resume with the "
          + "options it was written with, or start anew.")
    }
    if let bad = matrix.storage.first(where: { !$0.isFinite }) {
      throw OptimizationError(
        "array '\(name)' of the checkpoint holds \(bad); finite numbers were expected: the file is "
          + "damaged, start anew.")
    }
    return matrix
  }
}
