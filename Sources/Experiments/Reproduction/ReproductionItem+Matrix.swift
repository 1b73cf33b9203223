extension ReproductionItem {
  static let matrixItems: [ReproductionItem] = []
}
