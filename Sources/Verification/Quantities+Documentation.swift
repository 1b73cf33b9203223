extension Quantities {
  /// What the arrays of one pattern of names are.
  public struct Description: Equatable, Sendable {
    /// The name; {i} is a layer counted from 1, {structure}, {rule}, {operator}, {split} and {lambda}
    /// stand for the words of `natgrad list` and for numbers such as 0.1.
    public let pattern: String
    /// The shape in N examples, C outputs, P parameters of the compared layers, and dG outputs,
    /// dA inputs (bias included) and p = dA·dG parameters of the layer.
    public let shape: String
    public let meaning: String

    init(_ pattern: String, _ shape: String, _ meaning: String) {
      self.pattern = pattern
      self.shape = shape
      self.meaning = meaning
    }
  }

  /// Every name that is written, for `natgrad list` and the README.
  ///
  /// Matrices with a side P or p are in the order of `--vectorization`; G, blocks and Fisher matrices
  /// without `.empirical` are of the Fisher that was chosen.
  public static let documentation: [Description] = [
    Description("loss", "()", "mean of losses"),
    Description("losses", "(N,)", "-log p of each example; Gaussian without its constant"),
    Description("logits", "(N, C)", "outputs of the network"),
    Description("fisher", "(P, P)", "Fisher information matrix of the compared layers"),
    Description("fisher.empirical", "(P, P)", "the same from the gradients at the given targets"),
    Description("fisher.eigenvalues", "(P,)", "eigenvalues of fisher, ascending"),
    Description("layer{i}.gradient", "(dG, dA)", "gradient of the mean loss in [W b]"),
    Description("layer{i}.A", "(dA, dA)", "second moment of the inputs, 1 appended"),
    Description("layer{i}.G", "(dG, dG)", "second moment of the gradients at the layer's outputs"),
    Description("layer{i}.G.empirical", "(dG, dG)", "the same at the given targets"),
    Description("layer{i}.A.eigenvalues", "(dA,)", "eigenvalues of A, ascending"),
    Description("layer{i}.G.eigenvalues", "(dG,)", "eigenvalues of G, ascending"),
    Description("layer{i}.block", "(p, p)", "the layer's diagonal block of fisher"),
    Description("layer{i}.block.empirical", "(p, p)", "the same of fisher.empirical"),
    Description("layer{i}.eigenvalues", "(p,)", "eigenvalues of block, ascending"),
    Description("layer{i}.kfac", "(p, p)", "A kron G; G kron A with --vectorization row"),
    Description(
      "layer{i}.second-moments", "(dG, dA)",
      "EKFAC's diagonal S: the mean square of QG' gradient QA over the samples"),
    Description("layer{i}.A.eigenvectors", "(dA, dA)", "QA, columns in the order of S's columns"),
    Description("layer{i}.G.eigenvectors", "(dG, dG)", "QG, columns in the order of S's rows"),
    Description("layer{i}.ekfac", "(p, p)", "Q diag(S) Q', Q = QA kron QG"),
    Description(
      "layer{i}.kfac-split-{split}", "(p, p)",
      "A kron G, both cut to diagonal blocks of size {split}"),
    Description(
      "layer{i}.nearest-kronecker", "(p, p)", "the Kronecker product nearest to block (Frobenius)"),
    Description("layer{i}.tkfac", "(p, p)", "the Kronecker product with block's partial traces"),
    Description(
      "layer{i}.step.{structure}.none", "(dG, dA)",
      "pseudo-inverse of the structure's matrix times the gradient"),
    Description(
      "layer{i}.step.{structure}.{rule}.{lambda}", "(dG, dA)",
      "inverse of the structure's matrix, damped by the rule, times the gradient"),
    Description(
      "layer{i}.step.{operator}.exact.{lambda}", "(dG, dA)",
      "the same by conjugate gradients, stopped at the solver's tolerance"),
    Description("layer{i}.iterations.{operator}.{lambda}", "()", "conjugate-gradient steps taken"),
    Description(
      "layer{i}.residuals.{operator}.{lambda}", "(steps + 1,)",
      "norm of the residual before the first and after every step"),
  ]
}
