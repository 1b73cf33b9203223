import DenseAlgebra
import TestSupport
import Testing

/// The oracle itself is checked on closed forms, so that a wrong call of it is not mistaken for truth.
@Suite("The LAPACK oracle, on closed forms")
struct LAPACKTests {
  let a = Matrix(rows: [[4, 2], [2, 3]])
  let b = Matrix(rows: [[1, 2], [3, 4], [5, 6]])

  @Test func productsFollowTheirDefinitions() {
    #expect(LAPACK.dgemm(b, a) == Matrix(rows: [[8, 8], [20, 18], [32, 28]]))
    #expect(
      LAPACK.dgemm(b, b, transposeA: true) == Matrix(rows: [[35, 44], [44, 56]]))
    #expect(LAPACK.dgemm(a, b, transposeB: true) == LAPACK.dgemm(b, a).transposed)
    #expect(LAPACK.dgemm(a, Vector([1, -1])) == Vector([2, -1]))
    #expect(LAPACK.dsyrk(b) == Matrix(rows: [[5, 11, 17], [11, 25, 39], [17, 39, 61]]))
    #expect(LAPACK.dsyrk(b, transposed: true) == Matrix(rows: [[35, 44], [44, 56]]))
  }

  @Test func triangularSolvesReadOneTriangle() {
    let t = Matrix(rows: [[2, 8], [4, 1]])
    let right = Matrix(rows: [[2], [5]])
    #expect(LAPACK.dtrsm(t, right) == Matrix(rows: [[1], [1]]))
    #expect(LAPACK.dtrsm(t, right, .lower, transposed: true) == Matrix(rows: [[-9], [5]]))
    #expect(LAPACK.dtrsm(t, right, .upper) == Matrix(rows: [[-19], [5]]))
    #expect(LAPACK.dtrsm(t, right, .upper, transposed: true) == Matrix(rows: [[1], [-3]]))
  }

  @Test func factorizationsSolveTwoByTwo() throws {
    expectRatio(
      .difference(
        try LAPACK.dpotrf(a), Matrix(rows: [[2, 0], [1, Double(2).squareRoot()]])))
    let inverse = Matrix(rows: [[0.375, -0.25], [-0.25, 0.5]])
    expectRatio(.difference(try LAPACK.dgetri(a), inverse))
    let right = Vector([1, 2])
    let x = Vector([-0.125, 0.75])
    expectRatio(.difference(try LAPACK.dpotri(a), inverse))
    expectRatio(.difference(try LAPACK.dposv(a, right), x))
    expectRatio(.difference(try LAPACK.dpotrs(lower: LAPACK.dpotrf(a), right), x))
    expectRatio(.difference(try LAPACK.dgesv(a, right), x))
    let lu = try LAPACK.dgetrf(Matrix(rows: [[2, 3], [4, 2]]))
    #expect(lu.factors == Matrix(rows: [[4, 2], [0.5, 2]]))
    #expect(lu.pivots == [1, 1])
    expectRatio(
      .difference(try LAPACK.dgels(b, LAPACK.dgemm(b, x)), x), "a consistent tall system")
  }

  @Test func decompositionsOfKnownSpectra() throws {
    let m = Matrix(rows: [[2, 1], [1, 2]])
    expectRatio(.difference(try LAPACK.dsyev(m).values, Vector([1, 3])))
    expectRatio(.difference(try LAPACK.dsyevd(m).values, Vector([1, 3])))
    let robust = try LAPACK.dsyevr(m)
    expectRatio(.difference(robust.values, Vector([1, 3])))
    expectRatio(.eigen(m, values: robust.values, vectors: robust.vectors))
    expectRatio(
      .difference(try LAPACK.dsygvd(m, .diagonal([2, 2])).values, Vector([0.5, 1.5])))
    let tall = Matrix(rows: [[0, 3], [0, 0], [-4, 0]])
    for svd in [try LAPACK.dgesvd(tall), try LAPACK.dgesdd(tall), try LAPACK.dgesvj(tall)] {
      expectRatio(.difference(svd.values, Vector([4, 3])))
      let scaled = Matrix(rowCount: 3, columnCount: 2) { svd.left[$0, $1] * svd.values[$1] }
      expectRatio(.difference(LAPACK.dgemm(scaled, svd.right, transposeB: true), tall))
    }
  }

  @Test func normsOfASmallMatrix() {
    let m = Matrix(rows: [[3, -1], [-4, 0]])
    #expect(LAPACK.dlange(m, .maximum) == 4)
    #expect(LAPACK.dlange(m, .one) == 7)
    #expect(LAPACK.dlange(m, .infinity) == 4)
    expectRatio(
      .difference(Vector([LAPACK.dlange(m, .frobenius)]), Vector([Double(26).squareRoot()])))
  }

  @Test func failuresAreThrownAndNamed() {
    #expect(throws: LAPACK.Failure(routine: "dpotrf", info: 2)) {
      try LAPACK.dpotrf(Matrix(rows: [[1, 2], [2, 1]]))
    }
    #expect(throws: LAPACK.Failure(routine: "dgesv", info: 2)) {
      try LAPACK.dgesv(Matrix(rows: [[1, 2], [2, 4]]), Vector([1, 1]))
    }
  }

  @Test func emptyMatricesPassThrough() throws {
    let empty = Matrix(rowCount: 0, columnCount: 0)
    #expect(LAPACK.dgemm(empty, empty) == empty)
    #expect(try LAPACK.dpotri(empty) == empty)
    #expect(try LAPACK.dposv(empty, Vector([])) == Vector([]))
    #expect(try LAPACK.dgesv(empty, Vector([])) == Vector([]))
    #expect(try LAPACK.dsyev(empty).values == Vector([]))
    #expect(try LAPACK.dsyevd(empty).values == Vector([]))
    #expect(try LAPACK.dsyevr(empty).values == Vector([]))
    #expect(try LAPACK.dgesvd(empty).values == Vector([]))
    #expect(try LAPACK.dgesdd(empty).values == Vector([]))
    #expect(try LAPACK.dgesvj(empty).values == Vector([]))
    #expect(try LAPACK.dgetri(empty) == empty)
    #expect(LAPACK.dlange(empty, .frobenius) == 0)
  }

  @Test func theLibraryIsNamed() {
    #expect(LAPACK.name.contains("LAPACK 3."))
    #expect(LAPACK.library.contains(LAPACK.name))
    #expect(LAPACK.library.contains("lib"))
  }
}
