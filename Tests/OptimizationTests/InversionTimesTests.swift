import Optimization
import TestSupport
import Testing

/// Timing of inversions on this machine (spec 7.6).
@Suite("Inversion times")
struct InversionTimesTests {
  @Test(
    "Sizes up to the limit get a positive median, and a large matrix takes longer than a small one")
  func measurement() throws {
    var options = InversionTimes.Options()
    options.limit = 256
    options.samples = 5
    options.secondsPerSample = 1e-4
    let times = try InversionTimes(measuring: [1, 16, 256, 512], options)
    #expect(times.sizes == [1, 16, 256])
    #expect(times.samples == [5, 5, 5])
    #expect(times.seconds.allSatisfy { $0 > 0 && $0 < 10 })
    // 4096 times the flops: no other work on the machine turns that round.
    #expect(times.seconds[2] > times.seconds[1])
  }

  @Test("The time is that of one inversion, however often a sample repeats it")
  func repetitions() throws {
    var options = InversionTimes.Options()
    options.samples = 3
    options.secondsPerSample = 0.01
    let times = try InversionTimes(measuring: [1, 2], options)
    // A few operations: a sample of at least 10 ms has thousands of them.
    #expect(times.seconds.allSatisfy { $0 < 1e-3 }, "\(times.seconds)")
  }

  @Test("A used-up budget ends with three samples, or with fewer if fewer were asked for")
  func budget() throws {
    var options = InversionTimes.Options()
    options.secondsPerSample = 0
    options.secondsPerSize = 0
    #expect(try InversionTimes(measuring: [1, 2], options).samples == [3, 3])
    options.samples = 1
    #expect(try InversionTimes(measuring: [3], options).samples == [1])
  }

  @Test("The median is the middle value, or the mean of the two middle ones")
  func median() {
    #expect(InversionTimes.median([3, 1, 9]) == 3)
    #expect(InversionTimes.median([8, 1, 100, 2]) == 5)
    #expect(InversionTimes.median([4]) == 4)
  }

  @Test("A limit below the list, a list that does not ascend and bad options are refused")
  func refusals() {
    func refusal(
      _ expected: String, _ sizes: [Int], _ change: (inout InversionTimes.Options) -> Void
    ) {
      var options = InversionTimes.Options()
      change(&options)
      let error = #expect(throws: OptimizationError.self) {
        _ = try InversionTimes(measuring: sizes, options)
      }
      #expect(error?.description.contains(expected) == true, "\(error?.description ?? "nothing")")
    }
    refusal("a limit of at least 4", [4, 8]) { $0.limit = 3 }
    refusal("the split sizes are [8, 4]", [8, 4]) { _ in }
    refusal("0 samples", [4]) { $0.samples = 0 }
    refusal("-1.0 s", [4]) { $0.secondsPerSample = -1 }
    refusal("nan s", [4]) { $0.secondsPerSize = .nan }
  }
}
