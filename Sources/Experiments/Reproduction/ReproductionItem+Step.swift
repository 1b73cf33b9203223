extension ReproductionItem {
  static let stepItems: [ReproductionItem] = [
    Waterfall.item, BlindSpots.item, DampingLaboratory.item, Staleness.item, Fidelity.item,
  ]
}
