/// A column vector of doubles.
///
/// Arithmetic is element by element and every sum has a fixed order, so the same input gives the
/// same bits whatever the number of threads.
public struct Vector: Equatable, Sendable {
  /// The entries, first to last.
  public var elements: [Double]

  /// Takes the entries as they are.
  public init(_ elements: [Double]) { self.elements = elements }

  /// A vector whose entries all equal one value.
  public init(repeating value: Double, count: Int) {
    precondition(count >= 0, "a vector needs a count of at least 0, got \(count)")
    self.elements = Array(repeating: value, count: count)
  }

  /// The zero vector.
  public static func zero(_ count: Int) -> Vector { Vector(repeating: 0, count: count) }

  /// The number of entries.
  public var count: Int { elements.count }

  /// One entry, counted from zero.
  public subscript(_ index: Int) -> Double {
    get { elements[index] }
    set { elements[index] = newValue }
  }

  /// The inner product Σᵢ xᵢ yᵢ, as eight interleaved sums that are added at the end.
  public func dot(_ other: Vector) -> Double {
    precondition(count == other.count, "dot: \(count) entries against \(other.count)")
    return DenseAlgebra.dot(elements.span, other.elements.span)
  }

  /// The Euclidean norm, free of overflow and underflow: max|x| · ‖x / max|x|‖.
  public var norm: Double { euclideanNorm(elements.span) }

  /// Adds `scale * other` to this vector in place.
  public mutating func add(_ scale: Double, times other: Vector) {
    precondition(count == other.count, "add: \(count) entries against \(other.count)")
    var target = elements.mutableSpan
    axpy(scale, other.elements.span, into: &target)
  }

  public static func + (left: Vector, right: Vector) -> Vector {
    var sum = left
    sum.add(1, times: right)
    return sum
  }

  public static func - (left: Vector, right: Vector) -> Vector {
    var difference = left
    difference.add(-1, times: right)
    return difference
  }

  public static func * (scale: Double, vector: Vector) -> Vector {
    Vector(vector.elements.map { scale * $0 })
  }

  public static prefix func - (vector: Vector) -> Vector { -1 * vector }
}
