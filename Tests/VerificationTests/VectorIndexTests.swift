import DataFiles
import Fixtures
import Foundation
import Testing
import Verification

/// What is in the folder is what the index says, byte for byte.
struct VectorIndexTests {
  @Test("The index lists every folder of cases and nothing else, each once")
  func indexAndFoldersAgree() throws {
    let index = try VectorIndex()
    let root = try Fixtures.path(VectorIndex.folder)
    let files = FileManager.default
    var present: Set<String> = []
    for tier in try files.contentsOfDirectory(atPath: root) {
      for name in try files.contentsOfDirectory(atPath: "\(root)/\(tier)") {
        present.insert("\(tier)/\(name)")
        let contents = try files.contentsOfDirectory(atPath: "\(root)/\(tier)/\(name)").sorted()
        let own = ["arrays.npz", "case.json"]
        let withPeers = own + ["peers.json", "peers.npz"]
        #expect(contents == own || contents == withPeers, "\(tier)/\(name)")
      }
    }
    #expect(Set(index.cases.map(\.id)) == present)
    #expect(index.cases.count == present.count)
    #expect(index.cases.allSatisfy { $0.status == "active" })
  }

  @Test(
    "Every case of the index is an argument of a test: 26 of T0, 28 of T1, 14 of T2, 3 of T3, 9 of T4"
  )
  func everyCaseIsRun() throws {
    let counts = ["T0", "T1", "T2", "T3", "T4"].map { VectorIndex.identifiers($0).count }
    #expect(counts == [26, 28, 14, 3, 9])
    #expect(try VectorIndex().cases.count == counts.reduce(0, +))
  }

  @Test("The version of the index is that of the file VERSION")
  func version() throws {
    let path = try Fixtures.path("vectors/VERSION")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(try VectorIndex().version + "\n" == text)
  }

  @Test("Every case.json has the hash of the index, its own name and its tier")
  func hashesAndNames() throws {
    for entry in try VectorIndex().cases {
      let folder = try Fixtures.path("\(VectorIndex.folder)/\(entry.id)")
      let digest = SHA256.hexDigest(try InputFile.read(path: "\(folder)/case.json"))
      #expect(digest == entry.sha256, "\(entry.id): case.json has changed")
      // Reading checks the hash of arrays.npz, and that arrays and case.json list the same.
      let vector = try VectorCase(folder: folder)
      #expect(vector.id == entry.id)
      #expect(vector.tier == entry.tier)
      #expect(entry.id.hasPrefix(entry.tier.lowercased() + "/"))
    }
  }

  @Test("What other libraries gave has the stated hash and names arrays of its case")
  func peers() throws {
    var count = 0
    for entry in try VectorIndex().cases {
      let folder = try Fixtures.path("\(VectorIndex.folder)/\(entry.id)")
      guard InputFile.exists("\(folder)/peers.json") else { continue }
      let vector = try VectorCase(folder: folder)
      let file = try JSON.read(path: "\(folder)/peers.json")
      #expect(file["id"] == .string(entry.id))
      let digest = SHA256.hexDigest(try InputFile.read(path: "\(folder)/peers.npz"))
      #expect(file["files"]?.elements.first?["sha256"] == .string(digest), "\(entry.id)")
      for peer in file["peers"]?.elements ?? [] {
        for value in peer["quantities"]?.elements.flatMap({ $0["values"]?.elements ?? [] }) ?? [] {
          guard case .string(let name)? = value["name"] else {
            Issue.record("\(entry.id): a value without a name")
            continue
          }
          let isKnown = vector.arrays[name] != nil || vector.arrays["\(name).sum"] != nil
          #expect(isKnown, "\(entry.id): \(name)")
          count += 1
        }
      }
    }
    #expect(count > 1000)
  }

  @Test("A stage needs earlier stages only, and each limit is 30 nκε rounded to two digits")
  func stagesAndLimits() throws {
    for entry in try VectorIndex().cases {
      let vector = try VectorIndex.read(entry.id)
      var earlier: Set<String> = []
      for stage in vector.stages {
        earlier.insert(stage.name)
        #expect(earlier.isSuperset(of: stage.derivedFrom), "\(entry.id) \(stage.name)")
        for array in stage.arrays {
          #expect((array.limit == nil) == (stage.metric == "bits"), "\(entry.id) \(array.name)")
          guard let limit = array.limit else { continue }
          let exact = 30 * Double(array.size) * array.condition * .ulpOfOne
          #expect((limit / exact - 1).magnitude < 0.05, "\(entry.id) \(array.name)")
        }
      }
    }
  }

  @Test("Every case names the mistakes it was made to show, M-01 to M-67, and every convention")
  func flagsAndConventions() throws {
    let keys = Set(try Schema().properties.conventions.required)
    #expect(keys.count > 20)
    for entry in try VectorIndex().cases {
      let vector = try VectorIndex.read(entry.id)
      #expect(!vector.flags.isEmpty && Set(vector.flags).count == vector.flags.count)
      for flag in vector.flags {
        let number = flag.hasPrefix("M-") && flag.count == 4 ? Int(flag.dropFirst(2)) : nil
        #expect((1...67).contains(number ?? 0), "\(vector.id): \(flag)")
      }
      #expect(Set(vector.conventions.keys) == keys, "\(vector.id)")
    }
  }

  /// The part of the schema that says which conventions a case must state.
  private struct Schema: Decodable {
    struct Conventions: Decodable { let required: [String] }
    struct Properties: Decodable { let conventions: Conventions }
    let properties: Properties

    init() throws {
      let path = try Fixtures.path("vectors/schema/vector-1.schema.json")
      self = try JSONDecoder().decode(
        Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }
}

extension JSON {
  /// The elements of a list; none of anything else.
  fileprivate var elements: [JSON] {
    if case .array(let elements) = self { elements } else { [] }
  }
}
