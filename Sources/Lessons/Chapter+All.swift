extension Chapter {
  /// All chapters in the order of their numbers.
  public static let all: [Chapter] = [
    ThreeFishersChapter.chapter, KFACChapter.chapter, EKFACChapter.chapter, ClinicChapter.chapter,
  ]
}
