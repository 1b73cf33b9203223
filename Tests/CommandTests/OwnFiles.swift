import DataFiles
import Foundation

/// The two files of an own network: 3 inputs, 2 hidden units, 2 classes, 4 examples.
struct OwnFiles {
  var weights: [(name: String, array: NumericArray)] = [
    (
      "layer1.weights", NumericArray(shape: [2, 4], elements: [1, -0.5, 0.25, 0.1, 0, 2, -1, 0.3])
    ),
    ("layer2.weights", NumericArray(shape: [2, 3], elements: [0.5, -1, 0.2, 1.5, 0.75, -0.4])),
  ]
  var data: [(name: String, array: NumericArray)] = [
    (
      "inputs",
      NumericArray(
        shape: [4, 3], elements: [1, 0, 0.5, -0.5, 2, 1, 0.25, -1, 1.5, 0, 0.5, -0.75])
    ),
    ("labels", NumericArray(shape: [4], elements: [0, 1, 1, 0], kind: .integer)),
  ]

  static let arguments = [
    "compare", "--weights", "w.npz", "--data", "d.npz", "--activations", "tanh", "--quiet",
  ]

  /// Replaces one array by name, or adds it.
  mutating func set(_ name: String, _ shape: [Int], _ elements: [Double]) {
    let array = NumericArray(shape: shape, elements: elements)
    if let index = weights.firstIndex(where: { $0.name == name }) {
      weights[index].array = array
    } else if let index = data.firstIndex(where: { $0.name == name }) {
      data[index].array = array
    } else {
      data.append((name, array))
    }
  }

  func write(to folder: String) throws {
    try NPZ.write(weights, to: "\(folder)/w.npz")
    try NPZ.write(data, to: "\(folder)/d.npz")
  }
}
