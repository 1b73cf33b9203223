import Curvature
import DenseAlgebra
import Foundation
import Networks
import Optimization
import TestSupport
import Testing

/// Putting a run down, taking it up again, and noticing that it diverges.
@Suite("Training runs")
struct TrainingLoopTests {
  /// Ten steps, with the decisions of the steps from `first` on.
  private func finish(_ loop: inout TrainingLoop, from first: Int) throws -> [RefreshDecision] {
    while loop.stepCount < 10 { try loop.advance() }
    // Δ of a first test is NaN, which equals nothing.
    return loop.takeDecisions().filter { $0.step >= first && !$0.change.isNaN }
  }

  @Test(
    "A run resumed after any step equals the uninterrupted one, bit for bit",
    arguments: OptimizerCatalogue.names)
  func resumingChangesNothing(name: String) throws {
    var whole = try OptimizerCatalogue.loop(try OptimizerCatalogue.make(name))
    let decisions = try finish(&whole, from: 0)
    for k in [0, 1, 2, 5, 8] {
      var first = try OptimizerCatalogue.loop(try OptimizerCatalogue.make(name))
      for _ in 0..<k { try first.advance() }
      let arrays = try first.checkpoint()
      // Another start: the weights too are the checkpoint's.
      var second = try OptimizerCatalogue.loop(try OptimizerCatalogue.make(name), start: 2)
      try second.resume(from: arrays)
      #expect(second.stepCount == k)
      let later = try finish(&second, from: k)
      #expect(second.network == whole.network, "after step \(k)")
      #expect(second.optimizer.operations == whole.optimizer.operations, "after step \(k)")
      #expect(later == decisions.filter { $0.step >= k }, "after step \(k)")
      #expect(try second.checkpoint() == whole.checkpoint(), "after step \(k)")
    }
  }

  @Test("A run that is under way can be set back to a checkpoint", arguments: ["momentum", "kfac"])
  func resumingARunUnderWay(name: String) throws {
    var loop = try OptimizerCatalogue.loop(try OptimizerCatalogue.make(name))
    for _ in 0..<3 { try loop.advance() }
    let arrays = try loop.checkpoint()
    for _ in 0..<4 { try loop.advance() }
    let expected = loop.network
    try loop.resume(from: arrays)
    #expect(loop.stepCount == 3)
    for _ in 0..<4 { try loop.advance() }
    #expect(loop.network == expected)
  }

  @Test("The seed decides the batches, and the same seed gives the same run")
  func seedsDecide() throws {
    func run(_ seed: UInt64) throws -> Network {
      var loop = try OptimizerCatalogue.loop(try OptimizerCatalogue.make("sgd"), seed: seed)
      _ = try finish(&loop, from: 0)
      return loop.network
    }
    #expect(try run(5) == run(5))
    #expect(try run(5) != run(6))
  }

  /// What resuming says; the loop must be as it was.
  private func refusal(
    _ arrays: [String: Matrix], by name: String, widths: [Int] = [3, 4, 3]
  ) throws -> String {
    var loop = try OptimizerCatalogue.loop(try OptimizerCatalogue.make(name), widths: widths)
    let before = loop.network
    let error = #expect(throws: OptimizationError.self) { try loop.resume(from: arrays) }
    #expect(loop.network == before && loop.stepCount == 0)
    return error?.description ?? ""
  }

  private func checkpoint(
    _ name: String, widths: [Int] = [3, 4, 3], steps: Int = 3
  ) throws -> [String: Matrix] {
    var loop = try OptimizerCatalogue.loop(try OptimizerCatalogue.make(name), widths: widths)
    for _ in 0..<steps { try loop.advance() }
    return try loop.checkpoint()
  }

  @Test("A checkpoint of another network is refused by the array that differs")
  func otherNetworks() throws {
    let wider = try refusal(try checkpoint("sgd", widths: [3, 5, 3]), by: "sgd")
    #expect(wider.contains("'weights.layer1' of the checkpoint is 5 × 4"))
    #expect(wider.contains("needs 4 × 4"))
    let shallow = try refusal(try checkpoint("sgd"), by: "sgd", widths: [3, 4, 3, 3])
    #expect(shallow.contains("no array 'weights.layer3'"))
    let deep = try refusal(try checkpoint("sgd", widths: [3, 4, 3, 3]), by: "sgd")
    #expect(deep.contains("'weights.layer3'"), "\(deep)")
  }

  @Test("A checkpoint of another optimizer is refused by an array that it has or has not")
  func otherOptimizers() throws {
    for (written, read, array) in [
      ("adam", "sgd", "adam."), ("momentum", "adam", "'adam.count'"), ("kfac", "sgd", "curvature."),
      ("momentum", "kfac", "'curvature."), ("momentum", "sgd", "'optimizer.velocity.layer1'"),
      ("sgd", "momentum", "'optimizer.velocity.layer1'"), ("ekfac", "kfac", "'curvature."),
      ("frobenius", "ekfac", "'curvature."), ("kfac-2015", "kfac", "'"),
      ("cg-warm", "kfac", "'curvature."), ("thor", "frobenius", "'curvature."),
    ] {
      let text = try refusal(try checkpoint(written), by: read)
      #expect(text.contains(array), "\(written) for \(read): \(text)")
      #expect(text.contains("checkpoint") && text.contains("start anew"), "\(text)")
    }
  }

  @Test(
    "A damaged checkpoint is refused by the array, whichever is damaged",
    arguments: OptimizerCatalogue.names)
  func damagedCheckpoints(name: String) throws {
    let arrays = try checkpoint(name, steps: 4)
    for (array, matrix) in arrays.sorted(by: { $0.key < $1.key }) {
      var damaged = arrays
      // An empty array, which stands for what is not there yet, cannot hold a NaN.
      if !matrix.storage.isEmpty {
        damaged[array] = Matrix(
          rowCount: matrix.rowCount, columnCount: matrix.columnCount, repeating: .nan)
        #expect(try refusal(damaged, by: name).contains("'\(array)'"), "NaN in \(array)")
      }
      damaged[array] = Matrix(rowCount: matrix.rowCount + 1, columnCount: matrix.columnCount + 1)
      #expect(try refusal(damaged, by: name).contains("'\(array)'"), "size of \(array)")
      damaged[array] = nil
      #expect(try refusal(damaged, by: name).contains("no array '\(array)'"), "without \(array)")
    }
    for value in [-1, 0.5, 1e300] {
      var damaged = arrays
      damaged["step"] = Matrix(rows: [[value]])
      #expect(try refusal(damaged, by: name).contains("'step'"), "\(value) steps")
    }
  }

  @Test("A huge learning rate ends in a sentence that says so", arguments: OptimizerCatalogue.names)
  func divergence(name: String) throws {
    // Linear layers, so that nothing saturates.
    var generator = Generator(seed: 23)
    let network = try Network.multilayerPerceptron(
      weights: [generator.normal(3, 4), generator.normal(2, 4)], activations: [.identity])
    let data = Dataset(
      name: "values", inputs: generator.normal(3, 12), targets: .values(generator.normal(2, 12)))
    // The 2015 algorithm chooses its own rate; only a damping that hides everything can hurt it.
    if name.hasPrefix("kfac-2015") { return }
    var loop = TrainingLoop(
      network: network, optimizer: try OptimizerCatalogue.make(name, rate: 1e120), data: data,
      likelihood: .gaussian(variance: 1), batch: 12, seed: 3)
    let error = #expect(throws: DivergedTraining.self) {
      for _ in 0..<40 { try loop.advance() }
    }
    #expect(error?.step == loop.stepCount && error?.seed == 3)
    let text = error?.description ?? ""
    #expect(text.contains("seed 3 diverged at step \(loop.stepCount)"))
    #expect(text.contains("smaller learning rate"))
    // The last finite parameters are still there.
    let left = loop.network.parameterVector.flattened.elements
    #expect(left.allSatisfy { $0.isFinite })
  }

  @Test("The evaluation is the mean loss and the share of right answers, in pieces too")
  func evaluation() throws {
    let loop = try OptimizerCatalogue.loop(try OptimizerCatalogue.make("sgd"))
    let evaluation = loop.evaluation(on: loop.data)
    let outputs = loop.network.forward(loop.data.inputs).output
    guard case .labels(let labels) = loop.data.targets else { return }
    var (loss, right) = (0.0, 0)
    for (n, label) in labels.enumerated() {
      let z = outputs.column(n).elements
      loss += log(z.reduce(0) { $0 + exp($1) }) - z[label]
      if z.indices.allSatisfy({ $0 == label || z[$0] < z[label] }) { right += 1 }
    }
    #expect(abs(evaluation.loss - loss / 24) < 1e-13)
    #expect(evaluation.accuracy == Double(right) / 24)
    // 2,500 copies: two pieces, one mean.
    let many = loop.data.subset((0..<2500).map { $0 % 24 })
    let parts = [loop.data.subset(Array(0..<4)), loop.data]
    let means = parts.map { loop.evaluation(on: $0).loss }
    // 2,500 = 104 · 24 + 4.
    let expected = (104 * 24 * means[1] + 4 * means[0]) / 2500
    #expect(abs(loop.evaluation(on: many).loss - expected) < 1e-12)
    let values = Dataset(
      name: "values", inputs: loop.data.inputs,
      targets: .values(Matrix(rowCount: 3, columnCount: 24)))
    #expect(Evaluation(loop.network, values, .gaussian(variance: 1)).accuracy == nil)
  }
}
