/// The known name that an unknown one was probably meant to be.
public enum NearestName {
  /// The candidate with the fewest edits, or nil where every one is too far to be meant.
  ///
  /// An edit inserts, removes or replaces one character or swaps two neighbours; case does not
  /// count. Up to one edit for every three characters is near, and at least one.
  public static func suggestion(for name: String, among candidates: [String]) -> String? {
    let wanted = Array(name.lowercased())
    let limit = max(1, wanted.count / 3)
    return candidates.map { ($0, edits(wanted, Array($0.lowercased()))) }
      .filter { $0.1 <= limit }
      .min { $0.1 < $1.1 }?.0
  }

  /// The optimal string alignment distance, row by row.
  private static func edits(_ a: [Character], _ b: [Character]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for (i, character) in a.enumerated() {
      var row = [i + 1]
      for (j, other) in b.enumerated() {
        var best = min(
          previous[j] + (character == other ? 0 : 1), previous[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, character == b[j - 1], a[i - 1] == other {
          best = min(best, beforePrevious[j - 1] + 1)
        }
        row.append(best)
      }
      (beforePrevious, previous) = (previous, row)
    }
    return previous[b.count]
  }
}
