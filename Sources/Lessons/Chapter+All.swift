extension Chapter {
  /// All chapters in the order of their numbers.
  public static let all: [Chapter] = [
    KFACChapter.chapter, ClinicChapter.chapter,
  ]
}
