import Curvature
import DenseAlgebra
import Networks
import Optimization

/// What Eq. 8 gives on one trajectory for every λ and reading: how much of Δ is λ.
public enum TraceSweep {
  /// The traces of every layer at the tests of one run.
  public typealias Course = [[LayerTraces]]

  /// Follows THOR_NT, which updates at every test, and keeps the traces of the tests' batches.
  static func course(
    _ network: Network, _ data: Dataset, training: StaleDecisions.Training, lambda: Double,
    learningRate: Double = 0.01, seed: UInt64
  ) throws -> Course {
    var options = KroneckerPreconditioner.Options()
    options.lambda = .constant(lambda)
    options.split = training.split
    options.factorInterval = .constant(training.interval)
    options.inverseInterval = .constant(training.interval)
    options.traceRule = .thorNT
    var optimizer = PreconditionedDescent(
      try KroneckerPreconditioner(options, name: "thor-nt"),
      DescentRule(
        learningRate: .constant(learningRate), momentum: training.momentum))
    var batches = BatchSequence(count: data.count, batch: training.batch, seed: seed ^ 0xBA7C_4E5)
    var network = network
    var course: Course = network.parameters.map { _ in [] }
    for step in 0..<training.steps {
      let batch = data.subset(batches.next())
      if step % training.interval == 0 {
        let samples = GradientSamples(
          network, batch, likelihood: StepStudy.likelihood, kind: .exact)
        for (index, layer) in StepStudy.layers(samples).enumerated() {
          course[index].append(LayerTraces(KFACFactors(layer), block: layer))
        }
      }
      network = try optimizer.step(network, batch, StepStudy.likelihood)
    }
    return course
  }

  /// Δ from each test to the next, all layers and runs together.
  public static func changes(
    _ courses: [Course], lambda: Double, reading: TraceRule.Reading
  ) -> [Double] {
    courses.joined().flatMap { traces in
      zip(traces, traces.dropFirst()).map {
        TraceRule.change(from: $0, to: $1, lambda: lambda, reading: reading)
      }
    }
  }
}
