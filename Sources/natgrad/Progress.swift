import Foundation
import Synchronization

/// Progress on stderr: one line that is rewritten on a terminal, a line at each tenth elsewhere.
final class Progress: Sendable {
  private let isQuiet: Bool
  private let isTerminal = isatty(2) == 1
  private let lastTenth = Mutex(-1)

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  /// Says that `done` of `total` parts of `what` are finished.
  func report(_ what: String, _ done: Int, _ total: Int) {
    guard !isQuiet else { return }
    if isTerminal {
      write("\rnatgrad: \(what) \(done)/\(total)   " + (done == total ? "\n" : ""))
      return
    }
    let tenth = 10 * done / total
    let isNew = lastTenth.withLock { last in
      defer { last = done == total ? -1 : tenth }
      return tenth != last
    }
    if isNew { write("natgrad: \(what) \(done)/\(total)\n") }
  }

  /// One sentence on stderr.
  func say(_ text: String) {
    if !isQuiet { write("natgrad: \(text)\n") }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
