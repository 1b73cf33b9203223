extension Quantities {
  /// Every name that is written, for `natgrad list` and the README.
  ///
  /// {i} is a layer counted from 1; {structure}, {rule}, {operator}, {split} and {lambda} stand for
  /// the words of `natgrad list` and for numbers such as 0.1. Shapes are in N examples, C outputs, P
  /// parameters of the compared layers, and dG outputs, dA inputs (bias included) and p = dA·dG
  /// parameters of the layer. Matrices with a side P or p are in the order of `--vectorization`; G, blocks and Fisher matrices
  /// without `.empirical` are of the Fisher that was chosen.
  public static let documentation: [ArrayDescription] = [
    ArrayDescription("loss", "()", "mean of losses"),
    ArrayDescription("losses", "(N,)", "-log p of each example; Gaussian without its constant"),
    ArrayDescription("logits", "(N, C)", "outputs of the network"),
    ArrayDescription("fisher", "(P, P)", "Fisher information matrix of the compared layers"),
    ArrayDescription(
      "fisher.empirical", "(P, P)", "the same from the gradients at the given targets"),
    ArrayDescription("fisher.eigenvalues", "(P,)", "eigenvalues of fisher, ascending"),
    ArrayDescription("layer{i}.gradient", "(dG, dA)", "gradient of the mean loss in [W b]"),
    ArrayDescription("layer{i}.A", "(dA, dA)", "second moment of the inputs, 1 appended"),
    ArrayDescription(
      "layer{i}.G", "(dG, dG)", "second moment of the gradients at the layer's outputs"),
    ArrayDescription("layer{i}.G.empirical", "(dG, dG)", "the same at the given targets"),
    ArrayDescription("layer{i}.A.eigenvalues", "(dA,)", "eigenvalues of A, ascending"),
    ArrayDescription("layer{i}.G.eigenvalues", "(dG,)", "eigenvalues of G, ascending"),
    ArrayDescription("layer{i}.block", "(p, p)", "the layer's diagonal block of fisher"),
    ArrayDescription("layer{i}.block.empirical", "(p, p)", "the same of fisher.empirical"),
    ArrayDescription("layer{i}.eigenvalues", "(p,)", "eigenvalues of block, ascending"),
    ArrayDescription("layer{i}.kfac", "(p, p)", "A kron G; G kron A with --vectorization row"),
    ArrayDescription(
      "layer{i}.second-moments", "(dG, dA)",
      "EKFAC's diagonal S: the mean square of QG' gradient QA over the samples"),
    ArrayDescription(
      "layer{i}.A.eigenvectors", "(dA, dA)", "QA, columns in the order of S's columns"),
    ArrayDescription("layer{i}.G.eigenvectors", "(dG, dG)", "QG, columns in the order of S's rows"),
    ArrayDescription("layer{i}.ekfac", "(p, p)", "Q diag(S) Q', Q = QA kron QG"),
    ArrayDescription(
      "layer{i}.kfac-split-{split}", "(p, p)",
      "A kron G, both cut to diagonal blocks of size {split}"),
    ArrayDescription(
      "layer{i}.nearest-kronecker", "(p, p)", "the Kronecker product nearest to block (Frobenius)"),
    ArrayDescription(
      "layer{i}.tkfac", "(p, p)", "the Kronecker product with block's partial traces"),
    ArrayDescription(
      "layer{i}.step.{structure}.none", "(dG, dA)",
      "pseudo-inverse of the structure's matrix times the gradient"),
    ArrayDescription(
      "rank.{structure}", "()",
      "the rank of the structure's matrix over the compared layers at the pseudo-inverse's cut-off"),
    ArrayDescription(
      "layer{i}.step.{structure}.{rule}.{lambda}", "(dG, dA)",
      "inverse of the structure's matrix, damped by the rule, times the gradient"),
    ArrayDescription(
      "layer{i}.step.{operator}.exact.{lambda}", "(dG, dA)",
      "the same by conjugate gradients, stopped at the solver's tolerance"),
    ArrayDescription(
      "layer{i}.iterations.{operator}.{lambda}", "()", "conjugate-gradient steps taken"),
    ArrayDescription(
      "layer{i}.residuals.{operator}.{lambda}", "(steps + 1,)",
      "norm of the residual before the first and after every step"),
  ]
}
