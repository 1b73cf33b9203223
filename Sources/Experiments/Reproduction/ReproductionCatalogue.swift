extension ReproductionItem {
  /// Every item: the paper's figures and tables in their order, then the questions beyond them.
  public static let all: [ReproductionItem] = {
    let items = matrixItems + splitItems + stepItems + trainingItems
    return items.filter(\.isOfPaper) + items.filter { !$0.isOfPaper }
  }()
}
