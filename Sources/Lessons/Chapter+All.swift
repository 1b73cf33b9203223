extension Chapter {
  /// All chapters in the order of their numbers.
  public static let all: [Chapter] = [
    ThreeFishersChapter.chapter, ExactFisherChapter.chapter, VecChapter.chapter,
    KFACChapter.chapter, DampingChapter.chapter, EKFACChapter.chapter, CGFACChapter.chapter,
    ClinicChapter.chapter,
  ]
}
