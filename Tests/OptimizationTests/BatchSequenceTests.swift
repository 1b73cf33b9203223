import Optimization
import Testing

/// Mini-batches of a seeded run.
@Suite("Batch sequence")
struct BatchSequenceTests {
  @Test("A pass covers each example once", arguments: [(12, 4), (12, 12), (7, 1), (1, 1)])
  func passesCoverEverything(count: Int, batch: Int) {
    var sequence = BatchSequence(count: count, batch: batch, seed: 3)
    for pass in 0..<4 {
      var seen: [Int] = []
      for _ in 0..<count / batch {
        let next = sequence.next()
        #expect(next.count == batch)
        seen += next
      }
      #expect(seen.sorted() == Array(0..<count), "pass \(pass)")
    }
  }

  @Test("A batch that does not divide the count leaves out fewer than one batch, each example once")
  func remaindersWait() {
    var sequence = BatchSequence(count: 10, batch: 4, seed: 1)
    var missing: Set<Set<Int>> = []
    for _ in 0..<8 {
      let seen = sequence.next() + sequence.next()
      #expect(Set(seen).count == 8)
      #expect(Set(seen).isSubset(of: 0..<10))
      missing.insert(Set(0..<10).subtracting(seen))
    }
    #expect(missing.count > 1, "always the same examples are left out")
  }

  @Test("The same seed gives the same batches, another seed and the next pass other ones")
  func seedsDecide() {
    func batches(_ seed: UInt64) -> [[Int]] {
      var sequence = BatchSequence(count: 30, batch: 10, seed: seed)
      return (0..<6).map { _ in sequence.next() }
    }
    #expect(batches(1) == batches(1))
    #expect(batches(1) != batches(2))
    #expect(Array(batches(1)[0..<3]) != Array(batches(1)[3..<6]))
    #expect(batches(1)[0] != Array(0..<10))
  }

  @Test("A batch of none, and one larger than the data set, stop the program")
  func impossibleBatches() async {
    await #expect(processExitsWith: .failure) {
      _ = BatchSequence(count: 5, batch: 0, seed: 1)
    }
    await #expect(processExitsWith: .failure) {
      _ = BatchSequence(count: 5, batch: 6, seed: 1)
    }
  }
}
