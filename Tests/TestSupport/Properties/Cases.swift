import DenseAlgebra

/// The cases on which a property is tried: deliberate edges, then random ones, and how to make a
/// failing one smaller.
public struct Cases<Value: Sendable>: Sendable {
  /// Tried first, in every run.
  public let edges: [Value]
  /// One random case; everything it needs comes from the generator.
  public let draw: @Sendable (inout SplitMix64) -> Value
  /// Simpler cases than the given one, the simplest first; each must be smaller in some measure, so
  /// that shrinking ends.
  public let smaller: @Sendable (Value) -> [Value]

  public init(
    edges: [Value] = [], smaller: @escaping @Sendable (Value) -> [Value] = { _ in [] },
    draw: @escaping @Sendable (inout SplitMix64) -> Value
  ) {
    self.edges = edges
    self.draw = draw
    self.smaller = smaller
  }

  /// A fixed list: every run tries all of it and nothing else is drawn.
  public static func list(_ values: [Value]) -> Cases {
    Cases(edges: values) { values[$0.below(values.count)] }
  }

  /// Only the cases for which the condition holds; shrinking stays among them.
  public func filter(_ condition: @escaping @Sendable (Value) -> Bool) -> Cases {
    Cases(
      edges: edges.filter(condition), smaller: { smaller($0).filter(condition) },
      draw: { random in
        for _ in 0..<10_000 {
          let value = draw(&random)
          if condition(value) { return value }
        }
        preconditionFailure("10,000 cases were drawn and none satisfies the condition")
      })
  }

  /// The same cases without the deliberate edges: for claims about generic input.
  public var generic: Cases { Cases(edges: [], smaller: smaller, draw: draw) }
}
