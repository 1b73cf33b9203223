/// The layers whose matrices travel in one all-reduce message: the meaning of `split_indices`.
///
/// [26, 53] of 54 layers makes the groups 0…26 and 27…53. Layers after the last index form a group of
/// their own. Reference: MindSpore API page of `nn.thor`.
public struct WorkerGroups: Equatable, Sendable {
  /// The layers of each group, in order.
  public let groups: [Range<Int>]

  /// Nil or no indices make one group of all layers; throws one sentence for indices that are not
  /// ascending layer numbers.
  public init(layerCount: Int, splitIndices: [Int]?) throws(OptimizationError) {
    var ends = splitIndices ?? []
    let isAscending = zip(ends, ends.dropFirst()).allSatisfy { $0 < $1 }
    guard isAscending, (ends.first ?? 0) >= 0, (ends.last ?? 0) < max(layerCount, 1) else {
      throw OptimizationError(
        "the split indices are \(ends) and the network has \(layerCount) layers; ascending numbers "
          + "from 0 to \(layerCount - 1) were expected, each the last layer of its group: change them."
      )
    }
    if ends.last != layerCount - 1 { ends.append(layerCount - 1) }
    var groups: [Range<Int>] = []
    for end in ends where layerCount > 0 {
      groups.append((groups.last?.upperBound ?? 0)..<end + 1)
    }
    self.groups = groups
  }
}
