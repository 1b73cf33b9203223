import DenseAlgebra
import Networks

/// The mini-batches of a seeded training run: each pass visits the examples in a fresh random order.
///
/// A pass of n examples gives ⌊n / batch⌋ batches of equal size; the rest waits for the next shuffle.
public struct BatchSequence: Sendable {
  private let count: Int
  private let batch: Int
  private var generator: SplitMix64
  private var order: [Int] = []
  private var position = 0

  /// Batches of `batch` examples out of `count`; the batch is at most the data set.
  public init(count: Int, batch: Int, seed: UInt64) {
    precondition(batch > 0 && batch <= count, "a batch of \(batch) out of \(count) examples")
    self.count = count
    self.batch = batch
    self.generator = SplitMix64(seed: seed)
  }

  /// The example indices of the next batch.
  public mutating func next() -> [Int] {
    if position + batch > order.count {
      order = generator.permutation(count)
      position = 0
    }
    defer { position += batch }
    return Array(order[position..<position + batch])
  }
}
