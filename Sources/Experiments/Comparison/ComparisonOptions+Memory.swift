import Curvature
import Networks

extension ComparisonOptions {
  /// Throws where the networks that all training runs keep would need more than the memory limit.
  ///
  /// One network of 8 P bytes is kept for each seed and each measured iteration.
  public func requireMemoryOfStates() throws(CurvatureError) {
    // Counts that overflow are over any limit.
    func sum(_ a: Int, _ b: Int) -> Int {
      let (value, overflow) = a.addingReportingOverflow(b)
      return overflow ? Int.max : value
    }
    func product(_ a: Int, _ b: Int) -> Int {
      let (value, overflow) = a.multipliedReportingOverflow(by: b)
      return overflow ? Int.max : value
    }
    let network = zip(widths, widths.dropFirst()).reduce(0) { bytes, layer in
      sum(bytes, MemoryLimit.bytes(rows: layer.1, columns: sum(layer.0, 1)))
    }
    let measured = sum(lastIteration / curveStep + 1, iterations.count)
    let needed = product(network, product(measured, seeds.count))
    guard needed <= limit.bytes else {
      throw CurvatureError.exceedsMemory(
        what: "keeping the networks of \(seeds.count) seeds at \(measured) iterations",
        bytes: needed, limit: limit.bytes,
        advice: "ask for fewer of them (--seeds, --last-iteration) or smaller layers (--widths)")
    }
  }

  /// Throws where a Kronecker factor of a compared layer would be over the memory limit.
  func requireMemoryOfFactors(_ network: Network) throws(CurvatureError) {
    for index in blocks {
      let block = network.layout.blocks[index]
      for (factor, size) in [("A", block.columnCount), ("G", block.rowCount)] {
        try limit.require(
          rows: size, columns: size, for: "factor \(factor) of \(block.name)",
          advice: "leave the layer out (--layers)")
      }
    }
  }
}
