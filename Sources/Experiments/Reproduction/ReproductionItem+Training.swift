extension ReproductionItem {
  static let trainingItems: [ReproductionItem] = [figureSeven, figureNine, tableThree]
}
