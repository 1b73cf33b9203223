import Curvature
import DataFiles
import DenseAlgebra
import Networks
import Optimization

/// Kronecker factors on which a split size is chosen, with what each size retains of them.
struct FactorSet: Sendable {
  let name: String
  let retention: SplitRetention

  /// The factors A of the paper's Figure 4 network after some steps of KFAC, of all seeds together.
  static func trained(_ context: ReproductionContext, sizes: [Int]) throws -> FactorSet {
    let data = context.data.small.dataset
    var options = ComparisonOptions()
    options.layers = 1...4
    let iteration = context.isQuick ? 10 : 50
    let training = options
    let factors = try Parallel.map(context.seeds.count, "training", context.progress) { index in
      let run = try TrainingRun(
        seed: context.seeds[index], data: data, likelihood: .categorical, options: training,
        iterations: [iteration])
      return run.states[0].averages.map(\.a)
    }.flatMap { $0 }
    return FactorSet(
      name: "trained 784-20-20-20-10",
      retention: try SplitRetention(factors: factors, sizes: sizes))
  }

  /// Simulated factors A of a residual network's layers.
  static func simulated(_ network: ResidualNetwork, spread: Double, sizes: [Int]) throws
    -> FactorSet
  {
    FactorSet(
      name: "simulated \(network.rawValue), spread \(NumberText.short(spread))",
      retention: try SplitRetention(
        simulating: network.layers.map(\.inputSize), SimulatedSpectrum(spread: spread),
        sizes: sizes))
  }
}

/// The square matrices of the user's .npz files, each checked.
public enum GivenFactors {
  /// Reads every array of every file; throws one sentence naming file, array and shape.
  public static func read(_ files: [(name: String, path: String)]) throws(DataFileError)
    -> [(name: String, factor: Matrix)]
  {
    var factors: [(name: String, factor: Matrix)] = []
    for file in files {
      let arrays = try NPZ.read(path: file.path)
      guard !arrays.isEmpty else {
        throw DataFileError(
          "\(file.name) holds no arrays; square matrices were expected. Save the factors with "
            + "numpy.savez(path, A1=A1, A2=A2).")
      }
      for (name, array) in arrays {
        let label = "\(file.name), array '\(name)'"
        guard array.shape.count == 2, array.shape[0] == array.shape[1], array.shape[0] > 0 else {
          throw DataFileError(
            "\(label) has the shape \(text(array.shape)); a square matrix was expected. Save "
              + "the Kronecker factors alone, such as E[ā āᵀ].")
        }
        try array.requireFinite(label)
        let matrix = try array.matrix(label)
        let difference = (matrix - matrix.transposed).maximumMagnitude
        // A factor kept in single precision may differ from its transpose by round-off.
        guard difference <= 1e-5 * matrix.maximumMagnitude else {
          throw DataFileError(
            "\(label), of shape \(text(array.shape)), differs from its transpose by "
              + "\(difference); a symmetric matrix was expected. Save the Kronecker factors alone, "
              + "such as E[ā āᵀ].")
        }
        factors.append((label, matrix))
      }
    }
    return factors
  }

  /// A shape as numpy prints it: (3, 4), (5,), ().
  private static func text(_ shape: [Int]) -> String {
    "(" + shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? ",)" : ")")
  }
}
