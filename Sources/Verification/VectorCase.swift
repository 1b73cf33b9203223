import DataFiles
import DenseAlgebra
import Networks

/// A test vector of `Fixtures/vectors/cases`: what to compute, from what, and the certified numbers.
///
/// The format is that of `Fixtures/README.md` and `schema/vector-1.schema.json`.
public struct VectorCase: Sendable {
  /// What the case is about.
  public enum Model: Sendable {
    /// Quantities of a network on a batch.
    case network(NetworkModel)
    /// Functions of the given factors A (dA × dA) and G (dG × dG) and of the gradient, dG × dA.
    case factors(a: Matrix, g: Matrix, gradient: Matrix)
    /// Functions of a given matrix over cvec of a dG × dA matrix, and of such a gradient.
    case matrix(Matrix, gradient: Matrix)
  }

  /// A network, a batch and a likelihood.
  public struct NetworkModel: Sendable {
    /// The network with its weights.
    public let network: Network
    /// D × N, one example per column.
    public let inputs: Matrix
    /// The targets; nil where nothing in the case depends on them.
    public let targets: Targets?
    /// The likelihood of the outputs.
    public let likelihood: Likelihood
    /// C × N where the probabilities are given instead of computed from the outputs.
    public let probabilities: Matrix?
  }

  /// Quantities that need nothing but earlier ones.
  public struct Stage: Sendable {
    /// The stage's name, such as `factors`.
    public let name: String
    /// The stages that it needs.
    public let derivedFrom: [String]
    /// How its arrays are compared: `bits`, `relative-frobenius` or `standard-errors`.
    public let metric: String
    /// `none`, or `kron-scale` where only the Kronecker product of a pair is determined.
    public let gauge: String
    /// Its arrays, in the order of the file.
    public let arrays: [Entry]
  }

  /// What is said of one array.
  public struct Entry: Sendable {
    /// The array's name.
    public let name: String
    /// An exact sum: the quantity is the array divided by this.
    public let divisor: Int?
    /// n of the limit 30·n·κ·2⁻⁵²; 1 where bits are compared.
    public let size: Int
    /// κ of the limit, an upper bound of the condition; 1 where bits are compared.
    public let condition: Double
    /// The largest ‖x − r‖/‖r‖ (Frobenius) that agrees; nil where bits are compared.
    public let limit: Double?
  }

  /// The identifier, such as `t1/convolution`.
  public let id: String
  /// T0 exact, T1 certified, T2 graded, T3 statistical, T4 training runs in float64.
  public let tier: String
  /// What the case shows, in one sentence.
  public let purpose: String
  /// The mistakes that the case was made to show, M-01 to M-67.
  public let flags: [String]
  /// Every convention, in words.
  public let conventions: [String: String]
  /// What to compute from.
  public let model: Model
  /// The stages in their order.
  public let stages: [Stage]
  /// Every array by its name, in C order.
  public let arrays: [String: NumericArray]

  /// Reads `case.json` and `arrays.npz` of a folder.
  ///
  /// Throws `DataFileError` where a file is missing, not of the format or of another version of it,
  /// the bytes of `arrays.npz` are not those that `case.json` names, an array is missing, not
  /// listed, of another shape or not finite, or the model does not fit its arrays.
  public init(
    folder: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) {
    let path = "\(folder)/case.json"
    let description = try CaseDescription(path: path, limit: limit)
    let bytes = try InputFile.read(path: "\(folder)/arrays.npz", limit: limit)
    try description.checkHash(of: bytes, path: path)
    let read = try NPZ.decode(bytes, name: "\(folder)/arrays.npz", limit: limit)
    try description.check(read, path: "\(folder)/arrays.npz")
    let arrays = Dictionary(read.map { ($0.name, $0.array) }) { first, _ in first }
    id = description.id
    tier = description.tier
    purpose = description.purpose
    flags = description.flags
    conventions = description.conventions
    model = try description.model.model(arrays, path: path)
    stages = description.stages
    self.arrays = arrays
  }
}
