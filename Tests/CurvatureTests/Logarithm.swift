import Foundation

/// The natural logarithm of the C library, the tests' own.
func logarithm(_ x: Double) -> Double { Foundation.log(x) }

/// The exponential function of the C library, the tests' own.
func exponential(_ x: Double) -> Double { Foundation.exp(x) }
