/// README.md of the export: the chapters, and three paths through them.
enum IndexPage {
  static func text(_ catalogue: [Chapter]) -> String {
    let rows = catalogue.map { chapter in
      let needs = chapter.prerequisites.map { $0 < 10 ? "0\($0)" : "\($0)" }
      return "| [\(chapter.prefix)](\(chapter.name).md) | "
        + "**\(InlineMathematics.github(chapter.title))** "
        + "\(InlineMathematics.github(chapter.goal)) | \(chapter.minutes) | "
        + "\(needs.isEmpty ? "–" : needs.joined(separator: ", ")) | "
        + "\(InlineMathematics.github(chapter.seedItem)) | [notebook](\(chapter.name).ipynb) |"
    }
    return """
      # Natural gradients, measured: fourteen chapters

      From "two rulers" to "clinic": what the Fisher information is, how KFAC, EKFAC, CG-FAC and THOR
      approximate it, how large each error is, and how to find the mistake in an implementation. You
      need calculus, linear algebra and a little probability. No measured number in the chapters was
      typed: each comes from the run that wrote the CSV file beside it.

      Read the `.md` files here, or open the `.ipynb` files: the same text with cells of Python
      (numpy, pandas, matplotlib) that read `data/`. Each chapter has three exercises that check
      themselves; `solutions/` has them worked.

      | | chapter | minutes | builds on | recomputes | cells |
      |---|---|---:|---|---|---|
      \(rows.joined(separator: "\n"))

      ## Three paths

      - **Two lectures.** First: \(links([2, 5], catalogue)), what KFAC drops and where it is exact.
        Second: \(links([6, 9], catalogue)), damping and THOR's split, with its picture measured.
      - **One week.** Day 1: \(links([1, 2], catalogue)). Day 2: \(links([3, 4, 5], catalogue)).
        Day 3: \(links([6, 7, 8], catalogue)). Day 4: \(links([9, 10, 11], catalogue)).
        Day 5: \(links([12, 13, 14], catalogue)).
      - **Reference.** Start with the [convention sheet](conventions.md) and the
        [glossary](glossary.md); \(links([14], catalogue)) has the symptoms of known mistakes, and
        the section "Which mistake is this?" of each chapter names those that belong to it. A bug
        report can link to a heading.

      ## Check and compute again

      From the root of the repository:

      ```sh
      swift run -c release natgrad notebooks list
      swift run -c release natgrad notebooks check              # are these files what the source gives?
      swift run -c release natgrad notebooks export --chapter 05
      ```

      `manifest.json` has every file's hash, every printed number's cell in `data/`, and the platform.
      The figures, tables and verdicts of `natgrad reproduce` are in [reproduction](reproduction).

      """
  }

  private static func links(_ numbers: [Int], _ catalogue: [Chapter]) -> String {
    numbers.map { number in
      guard let chapter = catalogue.first(where: { $0.number == number }) else {
        return "chapter \(number)"
      }
      return "[\(chapter.prefix) \(InlineMathematics.github(chapter.title))](\(chapter.name).md)"
    }.joined(separator: ", ")
  }
}
