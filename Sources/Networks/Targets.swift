import DenseAlgebra

/// What the examples of a data set are labelled with.
public enum Targets: Equatable, Sendable {
  /// A class index, counted from zero, per example: for the categorical likelihood.
  case labels([Int])
  /// C × N, one column per example: for the Gaussian, or with entries in [0, 1] for the Bernoulli.
  case values(Matrix)

  /// N, the number of examples.
  public var count: Int {
    switch self {
    case .labels(let labels): labels.count
    case .values(let values): values.columnCount
    }
  }

  /// The targets of the examples with the given indices, in that order.
  public func subset(_ indices: [Int]) -> Targets {
    switch self {
    case .labels(let labels): .labels(indices.map { labels[$0] })
    case .values(let values): .values(values.columns(indices))
    }
  }
}

extension Matrix {
  /// The columns with the given indices, in that order.
  func columns(_ indices: [Int]) -> Matrix {
    var entries: [Double] = []
    entries.reserveCapacity(rowCount * indices.count)
    for j in indices {
      precondition((0..<columnCount).contains(j), "column \(j) of \(columnCount)")
      entries.append(contentsOf: storage[j * rowCount..<(j + 1) * rowCount])
    }
    return Matrix(rowCount: rowCount, columnCount: indices.count, storage: entries)
  }
}
