/// conventions.md: every convention on a page, with what other systems do.
enum ConventionSheet {
  static let text = "# Convention sheet\n"
}
