extension ReproductionItem {
  static let trainingItems: [ReproductionItem] = []
}
