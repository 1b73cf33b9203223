// swift-tools-version: 6.2
import PackageDescription

/// Debug builds of numeric code are 60 to 1000 times slower, so the numeric targets and the test
/// support are optimised there too; plain `swift test` then takes seconds. No flag changes results.
let numeric: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags(["-O"], .when(configuration: .debug)),
]

/// Only `scripts/docs` needs DocC's plugin and sets the variable, so a normal build never fetches it.
let documentation: [Package.Dependency] =
  Context.environment["NATGRAD_DOCS"] == nil
  ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0")]

let package = Package(
  name: "natgrad",
  platforms: [.macOS("26.0")],
  products: [
    .library(name: "DenseAlgebra", targets: ["DenseAlgebra"]),
    .library(name: "DataFiles", targets: ["DataFiles"]),
    .library(name: "Networks", targets: ["Networks"]),
    .library(name: "Curvature", targets: ["Curvature"]),
    .library(name: "Optimization", targets: ["Optimization"]),
    .library(name: "Verification", targets: ["Verification"]),
    .library(name: "Experiments", targets: ["Experiments"]),
    .executable(name: "natgrad", targets: ["natgrad"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-numerics", exact: "1.1.1"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
  ] + documentation,
  targets: [
    // The staircase: each target imports only those above it.
    .target(
      name: "DenseAlgebra",
      dependencies: [.product(name: "RealModule", package: "swift-numerics")],
      swiftSettings: numeric),
    .systemLibrary(
      name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "DataFiles", dependencies: ["DenseAlgebra", "CZlib"], swiftSettings: numeric),
    .target(
      name: "Networks",
      dependencies: ["DenseAlgebra", .product(name: "RealModule", package: "swift-numerics")],
      swiftSettings: numeric),
    .target(name: "Curvature", dependencies: ["Networks"], swiftSettings: numeric),
    .target(
      name: "Optimization",
      dependencies: ["Curvature", .product(name: "RealModule", package: "swift-numerics")],
      swiftSettings: numeric),
    .target(
      name: "Verification", dependencies: ["Curvature", "DataFiles"], swiftSettings: numeric),
    .target(
      name: "Experiments",
      dependencies: [
        "Curvature", "DataFiles", "DenseAlgebra", "Fixtures", "Networks", "Optimization",
        "Verification",
      ],
      swiftSettings: numeric),
    .target(
      name: "Lessons",
      dependencies: [
        "Curvature", "DataFiles", "DenseAlgebra", "Experiments", "Fixtures", "Networks",
        "Optimization", "Verification",
      ],
      swiftSettings: numeric),
    .executableTarget(
      name: "natgrad",
      dependencies: [
        "Curvature", "DataFiles", "DenseAlgebra", "Experiments", "Fixtures", "Lessons", "Networks",
        "Optimization", "Verification",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
      ]),

    // Beside the staircase: data sets and test vectors, and the one file that finds them.
    .target(
      name: "Fixtures", path: "Fixtures", exclude: ["generate", "README.md"],
      resources: [.copy("datasets"), .copy("matrices"), .copy("reports"), .copy("vectors")]),

    // LAPACK is an oracle, never a backend: only test targets import it.
    .systemLibrary(
      name: "CLAPACKE", path: "Tests/CLAPACKE", pkgConfig: "lapacke",
      providers: [.apt(["liblapacke-dev"])]),
    .testTarget(
      name: "TestSupport", dependencies: ["CLAPACKE", "Curvature"], swiftSettings: numeric),
    .testTarget(
      name: "DenseAlgebraTests", dependencies: ["DenseAlgebra", "Fixtures", "TestSupport"],
      swiftSettings: numeric),
    .testTarget(
      name: "DataFilesTests", dependencies: ["DataFiles", "Fixtures"], exclude: ["Corpus"],
      swiftSettings: numeric),
    .testTarget(
      name: "NetworksTests", dependencies: ["Networks", "TestSupport"], swiftSettings: numeric),
    .testTarget(
      name: "CurvatureTests", dependencies: ["Curvature", "TestSupport"], swiftSettings: numeric),
    .testTarget(
      name: "OptimizationTests",
      dependencies: ["DataFiles", "Fixtures", "Optimization", "TestSupport", "Verification"],
      swiftSettings: numeric),
    .testTarget(
      name: "VerificationTests",
      dependencies: ["Verification", "DataFiles", "Fixtures", "TestSupport"],
      swiftSettings: numeric),
    .testTarget(
      name: "ExperimentsTests", dependencies: ["Experiments", "Fixtures", "TestSupport"],
      swiftSettings: numeric),
    .testTarget(
      name: "LessonsTests",
      dependencies: ["Lessons", "DataFiles", "Experiments", "Fixtures", "Networks"],
      swiftSettings: numeric),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "natgrad", "Curvature", "DataFiles", "DenseAlgebra", "Fixtures", "Networks", "Verification",
      ],
      swiftSettings: numeric),
  ]
)
