import Foundation

/// The processor time of one piece of work on one thread, by repeated measurement.
///
/// Time of the thread and not of the wall: what other processes do on the machine is not counted.
/// After one untimed run the work is repeated until a sample lasts long enough for the clock.
public struct ProcessorTime: Equatable, Sendable {
  /// The median of the samples, in seconds.
  public let median: Double
  /// The quartiles of the samples.
  public let lower: Double
  public let upper: Double

  /// Runs the work in `samples` samples of at least `secondsPerSample`.
  public init(samples: Int = 7, secondsPerSample: Double = 0.002, _ work: () throws -> Void)
    rethrows
  {
    precondition(samples >= 1, "a time of \(samples) samples")
    try work()
    let once = try max(ProcessorTime.seconds(work), 1e-9)
    let repetitions = max(1, Int((secondsPerSample / once).rounded(.up)))
    var times: [Double] = []
    for _ in 0..<samples {
      let time = try ProcessorTime.seconds { for _ in 0..<repetitions { try work() } }
      times.append(max(time, 1e-9) / Double(repetitions))
    }
    times.sort()
    median = ProcessorTime.quantile(0.5, of: times)
    lower = ProcessorTime.quantile(0.25, of: times)
    upper = ProcessorTime.quantile(0.75, of: times)
  }

  /// The value below which a share of ascending values lies, by straight lines between them.
  public static func quantile(_ share: Double, of ascending: [Double]) -> Double {
    precondition(!ascending.isEmpty, "a quantile of no values")
    let place = share * Double(ascending.count - 1)
    let index = min(Int(place), max(0, ascending.count - 2))
    let next = min(index + 1, ascending.count - 1)
    return ascending[index] + (place - Double(index)) * (ascending[next] - ascending[index])
  }

  private static func seconds(_ work: () throws -> Void) rethrows -> Double {
    let start = now()
    try work()
    return now() - start
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
