extension FigureOne {
  /// The verdict on "changes rapidly in the first few iterations and then tends to be stable".
  ///
  /// Reproduced where every layer's exact block does so over the first five intervals; in form only
  /// where most do, or where every one does over the first interval.
  public static func verdict(_ rows: [Row]) -> Claim.Verdict {
    let exact = rows.filter { $0.statistic == .exactBlock }
    let passing = exact.count(where: \.isAsStated)
    if !exact.isEmpty && passing == exact.count { return .reproduced }
    let isAtOnce = !exact.isEmpty && exact.allSatisfy(\.isAsStatedAtOnce)
    return 2 * passing > exact.count || isAtOnce ? .inFormOnly : .notFound
  }

  /// The verdict on "some layers tend to stabilize faster than others": a factor of two in the step.
  public static func settlingVerdict(_ steps: [Double]) -> Claim.Verdict {
    guard let first = steps.min(), let last = steps.max(), last > 0 else { return .notFound }
    return last >= 2 * first ? .reproduced : .notFound
  }

  static func claims(_ rows: [Row], _ settings: CurvatureTrajectory.Settings) -> [Claim] {
    let exact = rows.filter { $0.statistic == .exactBlock }
    let parts = exact.map { row in
      "layer \(row.layer) "
        + [row.first, row.early, row.late].map(NumberFormat.percent).joined(separator: " → ")
        + ", drift \(NumberFormat.percent(row.drift))"
    }
    let failing = exact.filter { !$0.isAsStated }.map { row in
      "layer \(row.layer) "
        + (row.holds(\.isStableLater)
          ? "does not change twice as fast in the first five intervals"
          : "still drifts by more than 25 % at the end")
        + (row.isAsStatedAtOnce ? " (but does in the first one)" : "")
    }
    let interval = settings.interval
    let settled = exact.map { $0.settledAt * Double(interval) }
    return [
      Claim(
        "We can clearly observe that the FIM for each layer changes rapidly in the first few "
          + "iterations and then tends to be stable.",
        place: "Figure 1 and the text on it",
        finding:
          "relative change of ‖F‖_F of the exact block over the first \(interval) steps → its "
          + "median per \(interval) steps in the first \(interval * NormCourse.firstIntervals) → in the second "
          + "half; drift between the last two quarters (medians over the seeds): "
          + parts.joined(separator: "; ") + ".",
        verdict: verdict(rows),
        reason:
          "A layer does as stated when, for most seeds, the early changes are at least twice the "
          + "late ones and the mean norm moves by at most 25 % between the last two quarters. "
          + (failing.isEmpty
            ? "Every layer's exact block does."
            : "Of the exact blocks, " + failing.joined(separator: "; ") + ".")),
      Claim(
        "However, as shown in Figure 1, some layers tend to stabilize faster than others",
        place: "the text on Figure 1",
        finding:
          "five-record means of the exact block's norm stay within 25 % of the last quarter's "
          + "mean from step "
          + zip(exact, settled).map { "\(NumberFormat.short($1)) (layer \($0.layer))" }
          .joined(separator: ", ") + " on; medians over the seeds.",
        verdict: settlingVerdict(settled),
        reason:
          "Reproduced when the last layer to settle takes at least twice the steps of the first."
      ),
    ]
  }
}
