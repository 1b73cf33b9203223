import DenseAlgebra
import Testing

/// Expects |actual − expected| ≤ ulps · 2⁻⁵² · |expected| for every entry; a zero must be a zero.
func expectEntrywise(
  _ actual: Matrix, _ expected: Matrix, ulps: Double, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.rowCount == expected.rowCount, sourceLocation: sourceLocation)
  #expect(actual.columnCount == expected.columnCount, sourceLocation: sourceLocation)
  for (index, (a, e)) in zip(actual.storage, expected.storage).enumerated()
  where !((a - e).magnitude <= ulps * .ulpOfOne * e.magnitude) {
    let place = "(\(index % actual.rowCount), \(index / actual.rowCount))"
    Issue.record(
      "\(name) \(place): \(a), expected \(e), off by \((a - e) / e / .ulpOfOne) of \(ulps) units",
      sourceLocation: sourceLocation)
  }
}

/// The same for lists of numbers.
func expectEntrywise(
  _ actual: [Double], _ expected: [Double], ulps: Double, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectEntrywise(
    Matrix(rowCount: actual.count, columnCount: 1, storage: actual),
    Matrix(rowCount: expected.count, columnCount: 1, storage: expected), ulps: ulps, name,
    sourceLocation: sourceLocation)
}
