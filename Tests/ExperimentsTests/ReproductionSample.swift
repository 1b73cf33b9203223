import Experiments

/// A context with a teacher's data of six inputs and three classes, for items on small networks.
enum ReproductionSample {
  static let data = Result {
    ReproductionData(
      small: try DatasetSource.teacher.load(widths: [6, 5, 4, 3]),
      training: try DatasetSource.teacher.loadParts(widths: [6, 5, 4, 3]))
  }

  static func context(seeds: [UInt64] = [4, 9]) throws -> ReproductionContext {
    ReproductionContext(isQuick: true, seeds: seeds, data: try data.get()) { _, _, _ in }
  }
}
