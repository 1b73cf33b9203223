import DataFiles
import Fixtures
import Testing
import Verification

@Suite("The table of tested properties")
struct TestedPropertyTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
  private let header = "number,claim,kind,oracle,cases,measured,bound,limit,test\n"

  @Test("the committed table has every property of the catalogue but those of THOR's optimizer")
  func theCatalogueIsComplete() throws {
    let path = try Fixtures.path("reports/properties.csv")
    let table = try TestedProperty.table(InputFile.read(path: path), name: path)
    let later = Set([77] + Array(116...135))
    let expected = (1...142).filter { !later.contains($0) }
      .map { "P-" + ($0 < 10 ? "0" : "") + "\($0)" }
    #expect(Set(expected).subtracting(table.map(\.number)).sorted() == [])
    for row in table {
      #expect(row.cases > 0 && !row.claim.isEmpty && !row.oracle.isEmpty, "\(row)")
      #expect(
        row.bound == "at most" ? row.measured <= row.limit : row.measured >= row.limit, "\(row)")
    }
  }

  @Test("a row is read by the names of its columns, quotes included")
  func aRowIsRead() throws {
    let text = header + "P-01,\"a, b\",equal,dgemm,7,0.5,at most,30,M.f\n"
    #expect(
      try TestedProperty.table(bytes(text), name: "t.csv") == [
        TestedProperty(
          number: "P-01", claim: "a, b", kind: "equal", oracle: "dgemm", cases: 7, measured: 0.5,
          bound: "at most", limit: 30)
      ])
  }

  @Test(
    "what is missing is named",
    arguments: [
      ("", "empty"), ("number,claim\n", "no column 'kind'"),
      ("number,claim,kind,oracle,cases,measured,bound,limit,test\nP-01,a\n", "2 cells"),
      (
        "number,claim,kind,oracle,cases,measured,bound,limit,test\nP-01,a,e,o,x,1,at most,3,t\n",
        "'x'"
      ),
    ])
  func whatIsMissingIsNamed(text: String, part: String) {
    #expect {
      try TestedProperty.table(bytes(text), name: "t.csv")
    } throws: { error in
      "\(error)".contains(part) && "\(error)".hasPrefix("t.csv")
    }
  }
}
