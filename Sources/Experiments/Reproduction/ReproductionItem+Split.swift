extension ReproductionItem {
  static let splitItems: [ReproductionItem] = [
    figureFive, figureSix, figureEight, tableFour, tableFive, ekfacCost, conjugateGradients,
  ]
}
