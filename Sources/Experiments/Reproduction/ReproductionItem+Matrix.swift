extension ReproductionItem {
  /// What is measured on the matrices themselves: their size, their change, and their split.
  static let matrixItems: [ReproductionItem] = [
    FigureOne.item, FigureTwo.item, FigureFour.item, SpecificationCurve.item,
  ]
}
