import Dispatch
import Synchronization

/// Independent jobs on all cores.
public enum Parallel {
  /// The results by index, whatever order they were computed in; the first error by index is thrown.
  public static func map<Value: Sendable>(
    _ count: Int, _ what: String, _ progress: @Sendable (String, Int, Int) -> Void,
    _ job: @Sendable (Int) throws -> Value
  ) throws -> [Value] {
    let results = Mutex<[Result<Value, any Error>?]>(Array(repeating: nil, count: count))
    let finished = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: count) { index in
      let result = Result { try job(index) }
      results.withLock { $0[index] = result }
      finished.withLock {
        $0 += 1
        progress(what, $0, count)
      }
    }
    return try results.withLock { try $0.compactMap { try $0?.get() } }
  }
}
