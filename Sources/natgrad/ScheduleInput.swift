import Experiments
import Optimization
import Verification

/// Readers for schedules on the command line: a number, or a name with named fields.
enum ScheduleInput {
  private static let forms: [(name: String, fields: [String])] = [
    ("steps", ["initial", "factor", "every"]), ("polynomial", ["target", "end", "power"]),
    ("warm-up", ["start", "target", "warm-up", "end", "power"]),
    ("exponential", ["initial", "rate"]),
  ]

  /// A number, or for example `polynomial:target=0.045,end=70,power=6` (Eqs. 13 to 16).
  static func schedule(_ text: String, option: String) throws -> Schedule {
    if let value = Double(text) {
      let schedule = Schedule.constant(value)
      try schedule.check(option)
      return schedule
    }
    let (name, fields) = try named(text, option: option, among: forms)
    let schedule: Schedule =
      switch name {
      case "steps":
        .steps(
          initial: fields["initial"] ?? 0, factor: fields["factor"] ?? 0,
          every: fields["every"] ?? 0)
      case "polynomial":
        .polynomial(
          target: fields["target"] ?? 0, end: fields["end"] ?? 0, power: fields["power"] ?? 0)
      case "warm-up":
        .warmUp(
          start: fields["start"] ?? 0, target: fields["target"] ?? 0,
          warmUp: fields["warm-up"] ?? 0, end: fields["end"] ?? 0, power: fields["power"] ?? 0)
      default: .exponential(initial: fields["initial"] ?? 0, rate: fields["rate"] ?? 0)
      }
    try schedule.check(option)
    return schedule
  }

  /// A number of steps, `growing:initial=20,rate=2,most=320`, or `list:0=10,500=50`.
  static func interval(_ text: String, option: String) throws -> IntervalSchedule {
    let schedule: IntervalSchedule
    if let value = Int(text) {
      schedule = .constant(value)
    } else if text.hasPrefix("list:") {
      let entries = try text.dropFirst(5).split(separator: ",", omittingEmptySubsequences: false)
        .map { part in
          let sides = part.split(separator: "=", omittingEmptySubsequences: false).map { Int($0) }
          guard sides.count == 2, let step = sides[0], let interval = sides[1] else {
            throw UserInputError(
              description:
                "\(option) \(text): '\(part)' is not a first step and an interval; write "
                + "them as 500=50.")
          }
          return IntervalSchedule.Entry(fromStep: step, interval: interval)
        }
      schedule = .list(entries)
    } else {
      let (_, fields) = try named(
        text, option: option, among: [("growing", ["initial", "rate", "most"])])
      guard let initial = Int(exactly: fields["initial"] ?? 0),
        let most = Int(exactly: fields["most"] ?? 0)
      else {
        throw UserInputError(
          description:
            "\(option) \(text): initial and most are numbers of steps; give whole numbers.")
      }
      schedule = .growing(initial: initial, rate: fields["rate"] ?? 1, most: most)
    }
    try schedule.check(option)
    return schedule
  }

  /// A form's name and its fields, each given once.
  private static func named(
    _ text: String, option: String, among forms: [(name: String, fields: [String])]
  ) throws -> (name: String, fields: [String: Double]) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let form = try UserInput.choice(
      String(parts[0]), option: option, among: forms.map { ($0.name, $0) })
    var fields: [String: Double] = [:]
    let example = form.fields.map { "\($0)=…" }.joined(separator: ",")
    for part in parts.count > 1 ? parts[1].split(separator: ",") : [] {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let field = String(sides[0])
      guard form.fields.contains(field) else {
        let nearest = NearestName.suggestion(for: field, among: form.fields)
          .map { "did you mean \($0)? " }
        throw UserInputError(
          description: "\(option) \(text): '\(field)' is not a field of \(form.name); "
            + "\(nearest ?? "")known: " + form.fields.joined(separator: ", ") + ".")
      }
      guard sides.count == 2, let value = Double(sides[1]), value.isFinite else {
        throw UserInputError(
          description: "\(option) \(text): '\(part)' gives \(field) no finite number; write "
            + "\(field)=0.1.")
      }
      guard fields.updateValue(value, forKey: field) == nil else {
        throw UserInputError(
          description: "\(option) \(text): \(field) is given twice; give it once.")
      }
    }
    if let missing = form.fields.first(where: { fields[$0] == nil }) {
      throw UserInputError(
        description: "\(option) \(text): \(missing) is missing; write \(form.name):\(example).")
    }
    return (form.name, fields)
  }
}
