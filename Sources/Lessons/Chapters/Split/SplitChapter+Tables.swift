import Curvature
import DataFiles
import DenseAlgebra
import Experiments

extension SplitMeasurement {
  /// The four measures under the three readings of the layers.
  var errorTable: ResultTable {
    var table = ResultTable(
      "errors", "The split's error against KFAC: four measures, three readings, five seeds.",
      [
        ("layers", "the reading of \"the middle three layers\""),
        ("measure", "what error means; the damped inverse has λ on each factor"),
        ("mean_10", "after 10 iterations, mean over the seeds"), ("least_10", "least"),
        ("greatest_10", "greatest"), ("mean_50", "after 50 iterations, mean"),
        ("least_50", "least"), ("greatest_50", "greatest"),
      ])
    for layers in FigureFour.Layers.allCases {
      for measure in SplitMeasurement.measures {
        let columns = [0, 1].map { index in
          values(index) { $0.errors[layers]?.value(measure.norm, measure.damping) }
        }
        guard !columns[0].isEmpty else { continue }
        table.append(
          [.text(layers.rawValue), .text(measure.name)]
            + columns.flatMap { values in
              [Quantiles.mean(values), values.min() ?? .nan, values.max() ?? .nan].map {
                .number($0)
              }
            })
      }
    }
    return table
  }

  /// KFAC and its split against the exact layer blocks.
  var exactTable: ResultTable {
    var table = ResultTable(
      "exact", "Relative Frobenius errors against the exact layer blocks, layers 2 to 4.",
      [
        ("approximation", "what is compared"), ("mean_10", "after 10 iterations, mean"),
        ("mean_50", "after 50 iterations, mean"),
      ])
    func error(_ sums: MatrixComparison) -> Double {
      (sums.squaredDifference / sums.squaredReference).squareRoot()
    }
    table.append(
      [.text("KFAC against the exact blocks")]
        + [0, 1].map { index in .number(mean(index) { error($0.kfac) }) })
    table.append(
      [.text("split against the exact blocks")]
        + [0, 1].map { index in .number(mean(index) { error($0.split) }) })
    table.append(
      [.text("split against KFAC")]
        + [0, 1].map { index in .number(mean(index) { $0.errors[.last]?.value(.frobenius, .out) }) }
    )
    return table
  }

  /// The error of the matrix and of its damped inverse by split size.
  func sizeTable() throws -> ResultTable {
    let names = ["matrix_10", "matrix_50", "inverse_10", "inverse_50"]
    var table = ResultTable(
      "sizes", "The split's relative Frobenius error by split size, layers 2 to 4, five seeds.",
      [("size", "split size d")]
        + names.flatMap { name in
          ["mean", "least", "greatest"].map {
            (name + "_" + $0, "\($0) error of the \(name.replacing("_", with: ", iterations: "))")
          }
        })
    for size in SplitMeasurement.sizes {
      let errors = try [0, 1].map { index in
        try states.map { try error($0[index].factors, split: size) }
      }
      let columns: [[Double]] = [
        errors[0].compactMap { $0.value(.frobenius, .out) },
        errors[1].compactMap { $0.value(.frobenius, .out) },
        errors[0].compactMap { $0.value(.inverse, .factors) },
        errors[1].compactMap { $0.value(.inverse, .factors) },
      ]
      table.append(
        [.integer(size)]
          + columns.flatMap { values in
            [Quantiles.mean(values), values.min() ?? .nan, values.max() ?? .nan].map {
              .number($0)
            }
          })
    }
    return table
  }
}

extension SplitBases {
  /// Orders and bases with the split's errors in each.
  func table(_ trained: SplitError) -> ResultTable {
    var table = ResultTable(
      "bases", "The split of size 10 in other orders and bases: first seed, after 10 iterations.",
      [
        ("basis", "the coordinates that are cut into groups"),
        ("matrix", "relative Frobenius error of A ⊗ G"),
        ("inverse", "relative Frobenius error of the damped inverse; empty where not computed"),
      ])
    func add(_ name: String, _ error: SplitError) {
      table.append([
        .text(name), .number(error.value(.frobenius, .out) ?? .nan),
        .number(error.value(.inverse, .factors) ?? .nan),
      ])
    }
    add("units as trained", trained)
    let count = SplitBases.orderCount
    table.append([
      .text("best of \(count) random orders"), .number(randomOrders.first ?? .nan), .empty,
    ])
    table.append([
      .text("worst of \(count) random orders"), .number(randomOrders.last ?? .nan), .empty,
    ])
    add("order found by exchanging units", swapped)
    add("random rotation of each factor", rotated)
    add("eigenvectors of each factor", eigenvectors)
    return table
  }
}
