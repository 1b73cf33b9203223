import Foundation

// The C library's functions: the sources take theirs from RealModule.

func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

func logarithm(_ x: Double) -> Double { log(x) }
