import DataFiles
import Foundation
import Optimization

/// The learning rates and dampings of the paper as tables and curves.
enum ScheduleCurves {
  /// The presets of Figure 8, in the order of Table 3.
  static let imageNet: [Schedule.Preset] = Schedule.Preset.allCases.filter { $0 != .cifar10 }

  /// Values at every half epoch.
  static func table(_ presets: [Schedule.Preset], lastEpoch: Int) -> ResultTable {
    var table = ResultTable(
      "schedules", "Learning rate and damping over the epochs.",
      [
        ("preset", "row of Table 3, or Eq. 13"), ("epoch", "e"), ("learningRate", "α(e)"),
        ("damping", "λ(e)"),
      ])
    for preset in presets {
      for half in 0...2 * lastEpoch {
        let epoch = Double(half) / 2
        table.append([
          .text(preset.rawValue), .number(epoch),
          .number(preset.learningRate.value(atEpoch: epoch)),
          .number(preset.damping.value(atEpoch: epoch)),
        ])
      }
    }
    return table
  }

  static func series(
    _ presets: [Schedule.Preset], lastEpoch: Int, _ schedule: (Schedule.Preset) -> Schedule
  )
    -> [LineSeries]
  {
    let epochs = (0...lastEpoch).map(Double.init)
    return presets.map { preset in
      // 0 has no place on a logarithmic axis.
      let points = epochs.map { ($0, schedule(preset).value(atEpoch: $0)) }.filter { $0.1 > 0 }
      return LineSeries(name: preset.rawValue, x: points.map(\.0), y: points.map(\.1))
    }
  }

  /// The panels of a learning rate and a damping.
  static func panels(
    _ presets: [Schedule.Preset], lastEpoch: Int, letters: (String, String), note: String = ""
  ) -> [LineChartGrid.Panel] {
    [
      .init(
        title: "(\(letters.0)) learning rate\(note)", x: ChartAxis("epoch e"),
        y: ChartAxis("α(e)", .logarithmic, limits: 1e-6...1),
        series: series(presets, lastEpoch: lastEpoch) { $0.learningRate }),
      .init(
        title: "(\(letters.1)) damping\(note)", x: ChartAxis("epoch e"),
        y: ChartAxis("λ(e)", .logarithmic, limits: 1e-5...1),
        series: series(presets, lastEpoch: lastEpoch) { $0.damping }),
    ]
  }

  /// A schedule beside its printed formula, at some epochs.
  static func checks(
    _ name: String, _ schedule: Schedule, at epochs: [Double], _ formula: (Double) -> Double
  ) -> [PrintedCheck] {
    epochs.map { epoch in
      let expected = formula(epoch)
      return PrintedCheck(
        "\(name) at e = \(NumberText.short(epoch))", printed: expected,
        computed: schedule.value(atEpoch: epoch), tolerance: 1e-12 * abs(expected),
        allowance: "round-off")
    }
  }
}
