extension Chapter {
  /// All chapters in the order of their numbers.
  public static let all: [Chapter] = [
    TwoRulersChapter.chapter, ThreeFishersChapter.chapter, ExactFisherChapter.chapter,
    VecChapter.chapter, KFACChapter.chapter, DampingChapter.chapter, EKFACChapter.chapter,
    CGFACChapter.chapter, SplitChapter.chapter, SplitChoiceChapter.chapter,
    TraceRuleChapter.chapter, FairRaceChapter.chapter, TrustChapter.chapter,
    ClinicChapter.chapter,
  ]
}
