import Curvature
import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import Networks
import Verification

/// A case of Fixtures/vectors/peers as a setting, with the condition of every value.
struct PeerVector {
  let setting: CurvatureSetting
  let values: [String: Matrix]
  let conditions: [(name: String, condition: Double)]

  /// The case with the likelihood of a setting, under the setting's rule and λ = 0.1.
  static func of(_ setting: CurvatureSetting) throws -> PeerVector {
    try PeerVector(
      setting.likelihood == .categorical ? "dense-tanh-categorical" : "dense-relu-gaussian",
      rule: setting.rule)
  }

  init(_ name: String, rule: DampingRule) throws {
    let peers = try PeerCase(name)
    setting = CurvatureSetting(
      name: name, network: peers.network, data: peers.data, likelihood: peers.likelihood,
      rule: rule, lambda: 0.1)
    values = try Dictionary(
      uniqueKeysWithValues: peers.arrays.filter { $0.array.shape.count == 2 }.map {
        ($0.name, try $0.array.matrix())
      })
    struct Description: Decodable {
      struct Entry: Decodable {
        let name: String
        let condition: Double?
      }
      let arrays: [Entry]
    }
    let path = try Fixtures.path("vectors/peers/\(name)/case.json")
    conditions = try JSONDecoder().decode(
      Description.self, from: Data(contentsOf: URL(fileURLWithPath: path))
    ).arrays.compactMap { entry in entry.condition.map { (entry.name, $0) } }
  }

  /// Whether a value is of the setting's rule and λ, where its name has any.
  func isOfSetting(_ name: String) -> Bool {
    !(name.contains(".step.") || name.contains(".inverse."))
      || name.hasSuffix(".\(setting.rule.rawValue).\(setting.lambda)")
  }
}
