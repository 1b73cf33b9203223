/// One mistake of the catalogue, with the setting that shows it.
///
/// The numbers are those of the specification, section 11; a letter tells forms of one mistake apart.
/// Mistakes are named by what they do, whoever makes them.
public protocol CataloguedMistake: Sendable {
  /// What is computed: one batch, or a short training run.
  associatedtype Setting: MistakeSetting

  /// M-01 to M-67.
  var number: Int { get }
  /// A letter where a mistake has several forms.
  var form: String { get }
  /// What is done instead of what, in one sentence.
  var name: String { get }
  /// The wrong formula; its primed symbols are the dumped ones.
  var wrong: String { get }
  /// The formula that it stands for.
  var right: String { get }
  /// What tells it from every other mistake.
  var mark: String { get }
  /// The tests that it fails.
  var caughtBy: [Mistake.Catch] { get }
  /// Where its signature is tested and its distance to the others is measured.
  var home: Setting { get }

  /// Why the mistake makes no difference in a setting; nil where it does.
  func whyNotApplicable(to setting: Setting) -> String?
  /// What a program with this mistake would dump.
  func dump(_ setting: Setting) throws -> CurvatureDump
  /// What a right program would dump.
  static func rightDump(_ setting: Setting) throws -> CurvatureDump
}

/// What a mistake is made in.
public protocol MistakeSetting: Sendable {
  /// One word for tables.
  var name: String { get }
}

extension CataloguedMistake {
  /// M-01, M-08a.
  public var id: String { "M-" + (number < 10 ? "0" : "") + "\(number)\(form)" }
}

/// The whole catalogue: mistakes in one batch, and those that need an optimizer's memory.
public enum MistakeCatalogue {
  /// Every mistake, by number and form.
  public static let all: [any CataloguedMistake] =
    ((Mistake.all as [any CataloguedMistake])
    + TrajectoryMistake.all).sorted { ($0.number, $0.form) < ($1.number, $1.form) }
}
