import DataFiles

extension ReproductionItem {
  /// Table 5: large batches, by arithmetic.
  static let tableFive = ReproductionItem(
    "table-5", "Table 5: arithmetic of the printed large-batch times"
  ) { _ in
    ReproductionResult(
      setting:
        "Arithmetic of printed numbers only: ResNet-50 on ImageNet and up to 256 Ascend 910 are "
        + "out of scope here; nothing was measured.",
      claims: LargeBatch.claims, tables: [LargeBatch.table],
      remarks: [
        "Device-minutes of different devices do not compare work: an Ascend 910 is not a V100, and the "
          + "accuracies differ (74.8 % to 76.3 %)."
      ])
  }
}

/// Table 5 of the THOR paper, as printed, with the run of Osawa et al. that the text quotes.
enum LargeBatch {
  struct Row {
    let work: String
    let device: String
    let devices: Int
    /// nil where the paper does not say.
    let batch: Int?
    let minutes: Double
    let accuracy: Double

    var deviceMinutes: Double { Double(devices) * minutes }
  }

  static let ours = [
    Row(
      work: "THOR, batch 256", device: "Ascend 910", devices: 8, batch: 256, minutes: 66.7,
      accuracy: 75.9),
    Row(
      work: "THOR, batch 4096", device: "Ascend 910", devices: 128, batch: 4096, minutes: 4.1,
      accuracy: 75.9),
    Row(
      work: "THOR, batch 8192", device: "Ascend 910", devices: 256, batch: 8192, minutes: 2.7,
      accuracy: 75.9),
  ]
  static let osawa = [
    Row(
      work: "Osawa et al. 2020, batch 4096", device: "Tesla V100", devices: 128, batch: 4096,
      minutes: 32.5, accuracy: 74.8),
    Row(
      work: "Osawa et al. 2020, batch 8192", device: "Tesla V100", devices: 256, batch: 8192,
      minutes: 16.9, accuracy: 75.3),
    Row(
      work: "Osawa et al., quoted in the text", device: "Tesla V100", devices: 1024, batch: nil,
      minutes: 5.5, accuracy: 75.4),
  ]
  static let others = [
    Row(
      work: "He et al. 2016", device: "Tesla P100", devices: 8, batch: 256, minutes: 29 * 60,
      accuracy: 75.3),
    Row(
      work: "Goyal et al. 2017", device: "Tesla P100", devices: 256, batch: 8192, minutes: 60,
      accuracy: 76.3),
    Row(
      work: "Google 0.7-2", device: "NVIDIA V100", devices: 8, batch: 2496, minutes: 88.56,
      accuracy: 75.9),
  ]

  /// The least and greatest speed-up that minutes rounded to one decimal allow.
  static func speedUp(_ row: Row) -> ClosedRange<Double> {
    (ours[0].minutes - 0.05) / (row.minutes + 0.05)...(ours[0].minutes + 0.05)
      / (row.minutes - 0.05)
  }

  static var claims: [Claim] {
    let fewest = osawa.map(\.deviceMinutes).min() ?? 0
    let isLess = ours[0].deviceMinutes < fewest && ours[0].devices < osawa.map(\.devices).min() ?? 0
    let scaling = ours.dropFirst().map { row in
      let range = speedUp(row)
      let factor = Double(row.devices) / Double(ours[0].devices)
      return "\(Int(factor)) times the devices give "
        + "\(NumberText.fixed(range.lowerBound, decimals: 1)) to "
        + "\(NumberText.fixed(range.upperBound, decimals: 1)) times the speed "
        + "(\(NumberText.fixed(100 * range.lowerBound / factor, decimals: 0))–"
        + "\(NumberText.fixed(100 * range.upperBound / factor, decimals: 0)) %)"
    }.joined(separator: "; ")
    let perDevice = Set(ours.compactMap { row in row.batch.map { $0 / row.devices } }).sorted()
    return [
      Claim(
        "THOR is also competitive in the sense of end-to-end training time with various batch sizes, it "
          + "takes 4.1min/2.7min to reach test accuracy 75.9% with batch-size 4096/8192 in Table 5.",
        place: "Results on ImageNet, with Table 5",
        finding: "nothing; from the printed numbers, against batch 256 on 8 devices, \(scaling). "
          + "Examples per device and step: \(perDevice.map(String.init).joined(separator: ", ")).",
        verdict: .outOfScope,
        reason:
          "it needs ImageNet and 128 and 256 Ascend 910. More than 100 % means that the larger "
          + "batch also needed fewer epochs, or that the two runs differ otherwise; the paper does not "
          + "print the epochs."),
      Claim(
        "we are able to achieve a top-1 accuracy of 75.9% in 66.7 minutes with much less computational "
          + "resources (8 Ascend 910) than [Osawa et al. 2019, 2020].",
        place: "Related Work, with Table 5",
        finding: "nothing; from the printed numbers, "
          + "\(NumberText.fixed(ours[0].deviceMinutes, decimals: 1)) device-minutes against "
          + osawa.map { NumberText.fixed($0.deviceMinutes, decimals: 0) }.joined(separator: ", ")
          + " of the three runs of Osawa et al. that the paper quotes.",
        verdict: isLess ? .arithmeticConsistent : .notFound,
        reason: isLess
          ? "both the number of devices and the device-minutes are smaller than in all three runs; "
            + "they are other devices."
          : "the devices or the device-minutes are not fewer than in all three runs."),
    ]
  }

  static var table: ResultTable {
    var table = ResultTable(
      "device-minutes", "Table 5 with the device-minutes of each row.",
      [
        ("work", "the row"), ("device", "hardware"), ("devices", "how many"),
        ("batch", "global batch; empty where the paper does not say"),
        ("minutes", "printed time, min"), ("accuracy", "printed top-1 accuracy, %"),
        ("deviceMinutes", "devices × minutes"),
      ])
    for row in others + osawa + ours {
      table.append([
        .text(row.work), .text(row.device), .integer(row.devices),
        row.batch.map { .integer($0) } ?? .empty, .number(row.minutes), .number(row.accuracy),
        .number(row.deviceMinutes),
      ])
    }
    return table
  }
}
