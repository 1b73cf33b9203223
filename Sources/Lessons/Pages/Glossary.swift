/// glossary.md: one heading for each concept, with its other names.
enum Glossary {
  static func text(_ catalogue: [Chapter]) -> String { "# Glossary\n" }
}
