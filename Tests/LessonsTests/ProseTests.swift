import DataFiles
import Experiments
import Lessons
import Testing

@Suite("Prose and its numbers")
struct ProseTests {
  @Test("A number is printed in its format and keeps its cell")
  func numbersKeepTheirCell() {
    var findings = Findings()
    _ = findings.report("first", 1, "one")
    let share = findings.report("second", 0.98765, "a share", .percent(1))
    let text: Prose = #"It is \#(share) of $x$."#
    #expect(text.markdown == "It is 98.8 % of $x$.")
    #expect(text.numbers == [share])
    #expect(share.table == "numbers" && share.column == "value" && share.row == 1)
    #expect(text.literals == ["It is ", " of $x$."])
  }

  @Test(
    "Numbers read as people write them",
    arguments: [
      (NumberFormat.significant(3), 0.0123456, "0.0123"), (.significant(2), 4.46e-7, "4.5×10⁻⁷"),
      (.significant(3), 1, "1"), (.significant(3), 0, "0"), (.significant(2), 1234, "1234"),
      (.fixed(2), -1.005, "−1.00"), (.fixed(0), 41.6, "42"), (.percent(0), 0.5, "50 %"),
      (.percent(1), -0.0312, "−3.1 %"), (.significant(3), .infinity, "∞"),
    ])
  func formats(format: NumberFormat, value: Double, text: String) {
    #expect(format.text(value) == text)
    #expect(NumberFormat(name: format.name) == format)
  }

  @Test(
    "A manifest's format that is none is refused",
    arguments: ["", "percent", "percent x", "round 2", "fixed -1"])
  func unknownFormats(name: String) { #expect(NumberFormat(name: name) == nil) }

  @Test("A cell is found by the other cells of its row")
  func cellsByMatch() {
    var table = ResultTable("t", "A table.", [("k", "key"), ("n", "count"), ("v", "value")])
    table.append([.text("a"), .integer(3), .number(0.5)])
    table.append([.text("a"), .integer(4), .number(0.25)])
    #expect(table.number("v", where: ["k": "a", "n": "4"]).value == 0.25)
    #expect(table.number("n", where: ["v": "0.5"]).text == "3")
  }

  @Test("A cell that is in no row, in two, or is no number stops the program")
  func cellsThatAreNot() async {
    await #expect(processExitsWith: .failure) {
      var table = ResultTable("t", "A table.", [("k", "key"), ("v", "value")])
      table.append([.text("a"), .number(1)])
      table.append([.text("a"), .number(2)])
      _ = table.number("v", where: ["k": "a"])
    }
    await #expect(processExitsWith: .failure) {
      var table = ResultTable("t", "A table.", [("k", "key")])
      table.append([.text("a")])
      _ = table.number("k", row: 0)
    }
  }
}
