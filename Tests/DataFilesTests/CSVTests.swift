import DataFiles
import Testing

@Suite struct CSVTests {
  @Test func writesShortestDecimalsAndQuotesWhereNeeded() {
    let bytes = CSV.encode(
      header: ["name", "a,b", "n"],
      rows: [
        [.text("plain"), .number(0.1), .integer(-3)],
        [.text("say \"hi\"\nthere"), .number(1e-20), .empty],
        [.text("\""), .number(1 / 3), .integer(0)],
      ])
    // Source: RFC 4180, section 2, rules 5 to 7; the decimals are Python's repr, also shortest.
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        name,"a,b",n
        plain,0.1,-3
        "say ""hi""
        there",1e-20,
        \"\"\"\",0.3333333333333333,0

        """)
  }

  @Test func readsWhatIsCommonInTables() throws {
    let text = "\u{FEFF}x1, \"x \"\"2\"\"\" ,label\r\n\r\n1,-2.5e3,0\r\n   \n\"+.5\", 3 ,1\n,\r"
      .replacing(",\r", with: "7,8,2")
    let table = try read(text, labelColumn: "label")
    #expect(table.inputNames == ["x1", "x \"2\""])
    #expect(table.inputs == NumericArray(shape: [3, 2], elements: [1, -2500, 0.5, 3, 7, 8]))
    #expect(table.targets == .labels([0, 1, 2]))
    #expect(try table.labels("d.csv") == [0, 1, 2])
    #expect(table.lines == [3, 5, 6])
  }

  @Test func takesTheLabelFromAnyColumnAndValuesForLabels() throws {
    let table = try read("y,x\r0.5,1\r2,3\r", labelColumn: "y")
    #expect(table.inputs.elements == [1, 3])
    #expect(table.targets == .values([0.5, 2]))
    expectMessage("d.csv, line 2", "0.5", "whole") { try table.labels("d.csv") }
    #expect(try read("y\n-1\n", labelColumn: "y").targets == .labels([-1]))
    #expect(try read("y\n-1\n", labelColumn: "y").inputs.shape == [1, 0])
  }

  @Test(arguments: ["abc", "", "nan", "inf", "-Infinity", "0x10", "1e999", "1,5", "1 2", "--1"])
  func namesTheFirstBadCellByLineAndColumn(cell: String) {
    // The header takes two lines and line 3 is blank.
    let table = "\"x\n1\",x3,y\n\n1,2,0\n3,\"\(cell)\",1\noops,4,1\n"
    expectMessage("d.csv, line 5, column \"x3\": \"\(cell)\" is not a number", "decimal") {
      try read(table, labelColumn: "y")
    }
  }

  @Test func countsTheCellsOfEachLine() {
    expectMessage("line 3: the line has 1 cell,", "2 columns") {
      try read("x,y\n1,2\n3\n", labelColumn: "y")
    }
    expectMessage("line 2: the line has 3 cells", "2 columns") {
      try read("x,y\n1,2,\n", labelColumn: "y")
    }
  }

  @Test func saysWhyThereIsNoLabelColumn() {
    expectMessage("no column \"label\"", "\"x\", \"y\"") { try read("x,y\n", labelColumn: "label") }
    expectMessage("numbers instead of column names") {
      try read("1,2\n3,4\n", labelColumn: "label")
    }
    expectMessage("semicolons") { try read("x;label\n1;2\n", labelColumn: "label") }
    expectMessage("tabs") { try read("x\tlabel\n1\t2\n", labelColumn: "label") }
    expectMessage("2 columns are named \"y\"") { try read("y,y\n1,2\n", labelColumn: "y") }
    expectMessage("d.csv: the file is empty") { try read("\n\n", labelColumn: "y") }
    expectMessage("d.csv", "no line below") { try read("x,y\n", labelColumn: "y") }
  }

  @Test func refusesQuotesThatDoNotMatch() {
    expectMessage("line 2", "never closed") { try read("x,y\n1,\"2\n3,4\n", labelColumn: "y") }
    expectMessage("line 2", "follows a closing quote") {
      try read("x,y\n\"1\"2,3\n", labelColumn: "y")
    }
  }

  @Test func stopsAtTheLimit() throws {
    let bytes = Array("x,y\n1,2\n3,4\n".utf8)
    _ = try LabelledCSV.decode(bytes, name: "d.csv", labelColumn: "y", limit: 32)
    expectMessage("line 3", "limit of 31 bytes") {
      try LabelledCSV.decode(bytes, name: "d.csv", labelColumn: "y", limit: 31)
    }
  }

  private func read(_ text: String, labelColumn: String) throws -> LabelledCSV {
    try LabelledCSV.decode(Array(text.utf8), name: "d.csv", labelColumn: labelColumn)
  }
}
