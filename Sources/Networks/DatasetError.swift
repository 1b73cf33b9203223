/// Why a data set does not fit a network and a likelihood; indices count from zero.
public enum DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no example.
  case noExamples
  /// Each example has `got` entries where the network reads `expected`.
  case inputCount(got: Int, expected: Int)
  /// An input is NaN or infinite; the first in the order of memory.
  case inputNotFinite(example: Int, entry: Int, value: Double)
  /// The targets are of the other kind than the likelihood's.
  case targetKind(likelihood: Likelihood)
  /// There are `got` targets for `expected` examples.
  case targetCount(got: Int, expected: Int)
  /// Each target has `got` components where the network has `expected` outputs.
  case targetComponents(got: Int, expected: Int)
  /// The first label outside 0..<`classCount`.
  case label(example: Int, value: Int, classCount: Int)
  /// The first target that is NaN or infinite, or outside [0, 1] for a Bernoulli likelihood.
  case target(example: Int, component: Int, value: Double, likelihood: Likelihood)
  /// A Gaussian variance that is not a positive number.
  case variance(Double)

  public var description: String {
    switch self {
    case .noExamples:
      "The data set has no examples. Give at least one."
    case .inputCount(let got, let expected):
      "Each example has \(got) inputs, but the network reads \(expected). "
        + "Give one column of \(expected) numbers per example."
    case .inputNotFinite(let example, let entry, let value):
      "Input \(entry) of example \(example) is \(value) (counting from 0). Every input must be finite."
    case .targetKind(.categorical):
      "The targets are vectors, but a categorical likelihood needs class labels. "
        + "Give one whole number per example."
    case .targetKind(let likelihood):
      "The targets are class labels, but a \(likelihood.name) likelihood needs "
        + "one vector per example. Give a matrix of targets."
    case .targetCount(let got, let expected):
      "There are \(got) targets for \(expected) examples. Give one target per example."
    case .targetComponents(let got, let expected):
      "Each target has \(got) components, but the network has \(expected) outputs. "
        + "Give \(expected) numbers per example."
    case .label(let example, let value, let classCount):
      "The label of example \(example) (counting from 0) is \(value), but the network has "
        + "\(classCount) outputs. Labels must be whole numbers from 0 to \(classCount - 1)."
    case .target(let example, let component, let value, .bernoulli):
      "Component \(component) of the target of example \(example) is \(value) (counting from 0). "
        + "Targets of a Bernoulli likelihood must lie between 0 and 1."
    case .target(let example, let component, let value, _):
      "Component \(component) of the target of example \(example) is \(value) (counting from 0). "
        + "Every target must be finite."
    case .variance(let value):
      "The variance of the Gaussian likelihood is \(value). Give a positive number."
    }
  }
}
