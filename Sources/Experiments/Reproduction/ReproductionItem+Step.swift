extension ReproductionItem {
  static let stepItems: [ReproductionItem] = []
}
