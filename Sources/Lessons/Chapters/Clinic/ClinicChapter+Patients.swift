import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Verification

/// Fourteen wrong programs on one network and one batch, with what each would write out.
struct Patients {
  static let setting = CurvatureSetting.dense
  static let ids = [
    "M-01", "M-02", "M-04", "M-06", "M-14", "M-15", "M-17", "M-18", "M-20", "M-23", "M-26",
    "M-27a", "M-28", "M-30",
  ]

  let mistakes: [Mistake]
  let right: CurvatureDump
  let dumps: [CurvatureDump]

  init() throws {
    mistakes = Patients.ids.map { id in
      guard let mistake = Mistake.all.first(where: { $0.id == id }) else {
        preconditionFailure("the museum has no \(id)")
      }
      precondition(mistake.whyNotApplicable(to: Patients.setting) == nil, "\(id) does not show")
      return mistake
    }
    right = Mistake.rightDump(Patients.setting)
    dumps = mistakes.map { $0.dump(Patients.setting) }
  }

  static let layers = ["layer1", "layer2", "layer3"]
  static var step: String { "step.kfac.\(setting.rule.rawValue).\(setting.lambda)" }

  /// The matrices of a dump under each other as one vector: all layers of one quantity.
  static func joined(_ dump: CurvatureDump, _ quantity: String) -> Vector {
    Vector(
      layers.flatMap { layer -> [Double] in
        guard let matrix = dump["\(layer).\(quantity)"] else {
          preconditionFailure("the dump has no \(layer).\(quantity)")
        }
        return matrix.storage
      })
  }

  static func cosine(_ x: Vector, _ y: Vector) -> Double { x.dot(y) / (x.norm * y.norm) }

  /// The best scalar c with X' ≈ cX, and the relative residual ‖X' − cX‖ / ‖X'‖.
  static func scalar(_ wrong: Matrix, _ right: Matrix) -> (c: Double, residual: Double) {
    let (x, y) = (Vector(right.storage), Vector(wrong.storage))
    let c = x.dot(y) / x.dot(x)
    return (c, (wrong - c * right).frobeniusNorm / wrong.frobeniusNorm)
  }

  /// A row for each patient: the scalar test on A and G of the first layer, and the step.
  var symptoms: ResultTable {
    var table = ResultTable(
      "symptoms", "What three quick tests say of each wrong program.",
      [
        ("mistake", "the catalogue's number"), ("name", "what is done wrong"),
        ("scale_a", "best c in A' = cA, first layer"),
        ("residual_a", "relative residual of that fit"),
        ("scale_g", "best c in G' = cG, first layer"),
        ("residual_g", "relative residual of that fit"),
        ("cosine_gradient", "cosine between the wrong and the right gradient, all layers"),
        ("cosine_step", "cosine between the wrong and the right KFAC step, all layers"),
        ("length_step", "length of the wrong step over that of the right one, all layers"),
        ("distance", "largest relative Frobenius difference over all common quantities"),
      ])
    for (mistake, dump) in zip(mistakes, dumps) {
      guard let a = dump["layer1.A"], let g = dump["layer1.G"], let rightA = right["layer1.A"],
        let rightG = right["layer1.G"], case .difference(let distance, _) = dump.distance(to: right)
      else { preconditionFailure("\(mistake.id) has other shapes") }
      let (onA, onG) = (Patients.scalar(a, rightA), Patients.scalar(g, rightG))
      let (step, rightStep) = (
        Patients.joined(dump, Patients.step), Patients.joined(right, Patients.step)
      )
      table.append([
        .text(mistake.id), .text(mistake.name), .number(onA.c), .number(onA.residual),
        .number(onG.c), .number(onG.residual),
        .number(
          Patients.cosine(
            Patients.joined(dump, "gradient"), Patients.joined(right, "gradient"))),
        .number(Patients.cosine(step, rightStep)), .number(step.norm / rightStep.norm),
        .number(distance),
      ])
    }
    return table
  }

  /// The distance between any two patients, 0 on the diagonal.
  var distances: Matrix {
    var matrix = Matrix(rowCount: dumps.count, columnCount: dumps.count)
    for i in dumps.indices {
      for j in dumps.indices where i != j {
        guard case .difference(let value, _) = dumps[i].distance(to: dumps[j]) else {
          preconditionFailure("\(mistakes[i].id) and \(mistakes[j].id) have other shapes")
        }
        matrix[i, j] = value
      }
    }
    return matrix
  }

  /// The distances as a table.
  func distanceTable(_ distances: Matrix) -> ResultTable {
    var table = ResultTable(
      "distances",
      "Largest relative Frobenius difference between what two wrong programs write out.",
      [("mistake", "the catalogue's number of the row")]
        + mistakes.map { ($0.id, "distance to this mistake") })
    for (row, mistake) in mistakes.enumerated() {
      table.append(
        [.text(mistake.id)] + mistakes.indices.map { .number(distances[row, $0]) })
    }
    return table
  }

  /// The first layer of the right program and of every patient, for the cells.
  var arrays: [(name: String, array: NumericArray)] {
    let quantities = [("A", "A"), ("G", "G"), ("V", "gradient"), ("U", Patients.step)]
    return zip(["right"] + mistakes.map { $0.id.replacing("-", with: "") }, [right] + dumps).flatMap
    {
      name, dump in
      quantities.compactMap { letter, quantity in
        dump["layer1.\(quantity)"].map { ("\(name)_\(letter)", NumericArray($0)) }
      }
    }
  }
}
