import Foundation

// The C library's functions: the sources take theirs from RealModule.

func logarithm(_ x: Double) -> Double { log(x) }

func sineSquared(_ x: Double) -> Double { sin(x) * sin(x) }
