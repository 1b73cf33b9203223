extension ReproductionItem {
  static let splitItems: [ReproductionItem] = []
}
