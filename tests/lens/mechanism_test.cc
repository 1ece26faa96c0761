#include "lookback/lens/mechanism.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lookback/model/cpu_engine.h"
#include "tests/base/like.h"
#include "tests/lens/circuits.h"
#include "tests/lens/patterns.h"

namespace lookback::lens {
namespace {

constexpr std::size_t of_the_probe = 24;

MechanismResult decided(const SmallModel& model, const data::BlockSource& probe,
                        std::size_t threads = 1, std::size_t count = of_the_probe) {
  model::CpuEngine engine(threads);
  Result<MechanismResult> result =
      mechanism({{model.program, model.parameters}, probe, count, engine});
  EXPECT_TRUE(result) << result.error().message;
  return result ? std::move(*result) : MechanismResult{};
}

MechanismResult decided(const SmallModel& model) { return decided(model, *circuit_probe()); }

std::string name(const MechanismResult& result) { return name_of(result.verdict); }

// --- circuits whose mechanism is known

TEST(Mechanism, OfAPreviousTokenHeadInTheKeysIsKComposition) {
  const MechanismResult result = decided(k_composition_circuit());
  EXPECT_EQ(name(result), "k-composition") << result.reason;
  EXPECT_EQ(result.head, (HeadPlace{1, 0}));
  ASSERT_TRUE(result.partner);
  EXPECT_EQ(result.partner->head, (HeadPlace{0, 0}));
  EXPECT_GT(result.scores.induction_score, 0.9);
  EXPECT_GT(result.cost.mean, 1);
  ASSERT_EQ(result.earlier.size(), 1U);
  EXPECT_GT(result.earlier[0].k_removed.mean, 0.7);  // the rest: a mean still gives likely offsets
  EXPECT_EQ(result.earlier[0].q_removed.mean, 0);    // its queries do not read what the head wrote
  EXPECT_NEAR(result.earlier[0].previous_token.mean, 0, 1e-4);  // it has that pattern already
  EXPECT_NEAR(result.earlier[0].previous_token_only.mean, 0, 1e-4);
  EXPECT_GT(result.earlier[0].duplicate_token.mean, 0.5);
  EXPECT_GT(result.earlier[0].duplicate_token_only.mean, 0.5);
  EXPECT_GT(result.band.mean, 0.5);
  EXPECT_LT(result.matching.mean, 0.05);
  EXPECT_FALSE(result.unsmeared);
}

TEST(Mechanism, OfAPointerInTheQueriesIsQComposition) {
  const MechanismResult result = decided(q_composition_circuit());
  EXPECT_EQ(name(result), "q-composition") << result.reason;
  EXPECT_EQ(result.head, (HeadPlace{1, 0}));
  ASSERT_TRUE(result.partner);
  EXPECT_EQ(result.partner->head, (HeadPlace{0, 0}));
  EXPECT_GT(result.earlier[0].q_removed.mean, 0.7);
  EXPECT_EQ(result.earlier[0].k_removed.mean, 0);
  EXPECT_NEAR(result.earlier[0].duplicate_token.mean, 0, 1e-4);
}

TEST(Mechanism, OfKeysOfTheTokenBeforeIsSmearedKeys) {
  const MechanismResult result = decided(smeared_keys_circuit());
  EXPECT_EQ(name(result), "smeared-keys") << result.reason;
  ASSERT_TRUE(result.unsmeared);
  EXPECT_GT(result.unsmeared->mean, 0.8);
  EXPECT_TRUE(result.earlier.empty());
  EXPECT_FALSE(result.partner);
}

TEST(Mechanism, OfAFixedOffsetIsAPositionalBand) {
  const MechanismResult result = decided(band_circuit(5), *circuit_probe(6, 6));
  EXPECT_EQ(name(result), "positional-band") << result.reason;
  EXPECT_LT(result.band.mean, 0.05);
  EXPECT_GT(result.cost.mean, 1);
}

TEST(Mechanism, OfAModelThatHasLearnedNothingIsNone) {
  const MechanismResult result =
      decided(make_model(small_architecture()), *small_probe(data::BlockKind::repeated_blocks));
  EXPECT_EQ(name(result), "none");
  EXPECT_GT(result.loss.mean, result.chance - least_gain);
  EXPECT_TRUE(result.earlier.empty());
  EXPECT_TRUE(test::like(result.reason, "second-half loss is * nats * chance*0.1*"));
}

// --- the verdict from figures

Estimate share(double mean, double standard_error = 0.01) { return {mean, standard_error, 9}; }

MechanismResult learned() {
  MechanismResult result;
  result.learned = true;
  result.chance = 3;
  result.loss = {1, 0.01, 9};
  result.cost = {2, 0.1, 9};
  result.stake = {2, 0.1, 9};
  result.band = share(0.9);
  result.matching = share(0.05);
  return result;
}

EarlierHead earlier_head(double k, double q, double previous, double duplicate) {
  return {{0, 0}, share(k), share(q), share(previous), share(1), share(duplicate), share(1)};
}

TEST(Verdict, NeedsMoreThanHalfOfTheStakeWithinItsInterval) {
  MechanismResult result = learned();
  result.earlier = {earlier_head(0.9, 0, 0, 0.9)};
  decide(result);
  EXPECT_EQ(name(result), "k-composition");
  EXPECT_TRUE(test::like(result.reason,
                         "*head 0.0*keys*0.90 +- 0.02*previous-token*0.00 +- 0.02*1.00 +- "
                         "0.02*positional-band*0.10 +- 0.02*"));
  // 2.306 standard errors, of 9 sequences
  result.earlier[0].k_removed = share(0.9, 0.18);  // 0.485 is still within it
  decide(result);
  EXPECT_EQ(name(result), "unresolved");
  EXPECT_FALSE(result.partner);
}

TEST(Verdict, NeedsAnIdealPatternOrThatPartOfTheOwnToKeepMoreThanHalf) {
  MechanismResult result = learned();
  result.earlier = {earlier_head(0.9, 0, 0.6, 0.9)};
  decide(result);
  EXPECT_EQ(name(result), "unresolved");
  result.earlier[0].previous_token_only = share(0.1);  // or what is left of the head's own
  decide(result);
  EXPECT_EQ(name(result), "k-composition");
}

TEST(Verdict, NamesWhatExplainsMost) {
  MechanismResult result = learned();
  result.earlier = {earlier_head(0.6, 0.7, 0, 0), earlier_head(0.8, 0, 0, 0)};
  result.earlier[1].head = {0, 1};
  decide(result);
  EXPECT_EQ(name(result), "k-composition");
  EXPECT_EQ(result.partner->head, (HeadPlace{0, 1}));
  result.unsmeared = share(0.85);
  decide(result);
  EXPECT_EQ(name(result), "smeared-keys");
}

TEST(Verdict, TellsWhatComesNext) {
  MechanismResult result = learned();
  result.band = share(0.6);
  result.earlier = {earlier_head(0.3, 0.7, 0, 0.9)};
  result.earlier[0].duplicate_token_only = share(0.9);
  decide(result);
  EXPECT_EQ(name(result), "unresolved");
  EXPECT_TRUE(
      test::like(result.reason, "*nearest: q-composition*0.70 +- 0.02*duplicate-token pattern"));
}

TEST(Verdict, IsABandWhateverElseMattersWhereTheHeadDoesNotLookUp) {
  MechanismResult result = learned();
  result.earlier = {earlier_head(0.9, 0, 0, 0.9)};
  result.band = share(0.2);
  for (const double matching :
       {-2.0, -0.6, 0.2, 0.8}) {  // better than what it does, like it, worse
    result.matching = share(matching);
    decide(result);
    EXPECT_EQ(name(result), "positional-band") << matching;
  }
}

// A band keeps most of what there is to know of a short block; looking up is worth the rest.
TEST(Verdict, IsNoBandWhereLookingUpIsWorthMore) {
  MechanismResult result = learned();
  result.earlier = {earlier_head(0.6, 0, 0, 0.9)};
  result.band = share(0.4);
  decide(result);
  EXPECT_EQ(name(result), "k-composition");
  result.stake = {0.2, 0.01, 9};  // the difference is 0.06 nats
  decide(result);
  EXPECT_EQ(name(result), "positional-band");
}

TEST(Verdict, IsNoBandWhereOtherHeadsCoverForTheHead) {
  MechanismResult result = learned();
  result.band = share(0.1);
  result.matching = share(3);
  decide(result);
  EXPECT_EQ(name(result), "unresolved");
  EXPECT_TRUE(test::like(result.reason, "*nearest: positional-band*0.90 +- 0.02*ideal matching*"));
  result.cost = {7, 0.1, 9};  // ideal matching costs 6 nats, of 2 at stake: less than absence
  decide(result);
  EXPECT_EQ(name(result), "positional-band");
  result.cost = {2, 0.1, 9};
  result.matching = not_measured;
  decide(result);
  EXPECT_EQ(name(result), "unresolved");
  result.matching = share(3);
  result.earlier = {earlier_head(1.5, 0, 0, 0.9)};  // what is lost is lost
  decide(result);
  EXPECT_EQ(name(result), "k-composition");
}

/// Supports one mechanism and no other, if there were a cost.
MechanismResult composed_at(const Estimate& cost) {
  MechanismResult result = learned();
  result.cost = cost;
  result.earlier = {earlier_head(0.9, 0, 0, 0.9)};
  return result;
}

TEST(Verdict, NeedsACostThatIsClearlyAboveZero) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Estimate cost :
       {Estimate{0, 0, 9}, Estimate{0, 0.1, 9}, Estimate{-2, 0.1, 9},
        Estimate{0.2, 0.1, 9},  // 2.306 x 0.1 is more
        Estimate{2, nan, 1}, Estimate{nan, 0.1, 9}, not_measured, Estimate{infinity, nan, 9}}) {
    MechanismResult result = composed_at(cost);
    decide(result);
    EXPECT_EQ(name(result), "unresolved") << cost.mean << " " << cost.standard_error;
    EXPECT_FALSE(result.partner);
    result.band = share(0.2);
    decide(result);
    EXPECT_EQ(name(result), "unresolved") << "a band, " << cost.mean;
  }
  MechanismResult result = composed_at({0.25, 0.1, 9});
  decide(result);
  EXPECT_EQ(name(result), "k-composition");
  result.cost = {-2, 0.1, 9};
  decide(result);
  EXPECT_TRUE(test::like(result.reason, "*-2.00 +- 0.23 nats*"));
}

TEST(Verdict, OfALossThatIsNotANumberIsUnresolved) {
  MechanismResult result = learned();
  result.learned = false;
  result.loss = not_measured;
  decide(result);
  EXPECT_EQ(name(result), "unresolved");
  EXPECT_EQ(result.reason, "second-half loss is not a number");
}

TEST(Verdict, OfSharesThatAreNotNumbersIsUnresolved) {
  MechanismResult result = learned();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  result.band = share(nan);
  result.earlier = {earlier_head(nan, nan, nan, nan)};
  decide(result);
  EXPECT_EQ(name(result), "unresolved");
}

TEST(Verdict, OfAModelThatHasLearnedNothingIsNone) {
  MechanismResult result = learned();
  result.learned = false;
  result.band = share(0);
  decide(result);
  EXPECT_EQ(name(result), "none");
}

// --- what is measured, and how

TEST(Mechanism, HasTheSameBitsForAnyNumberOfThreads) {
  const SmallModel model = k_composition_circuit();
  const auto probe = circuit_probe();
  const MechanismResult one = decided(model, *probe, 1, 5);
  for (const std::size_t threads : {2U, 3U}) {
    const MechanismResult other = decided(model, *probe, threads, 5);
    EXPECT_EQ(other.reason, one.reason);
    EXPECT_EQ(other.cost.mean, one.cost.mean);
    EXPECT_EQ(other.band.mean, one.band.mean);
    EXPECT_EQ(other.earlier[0].k_removed.standard_error, one.earlier[0].k_removed.standard_error);
  }
}

TEST(SlowMechanism, ItsFiguresDoNotHangOnTheNumberOfSequences) {
  const SmallModel model = k_composition_circuit();
  const auto probe = circuit_probe();
  const MechanismResult many = decided(model, *probe, 2, 96);
  for (const std::size_t count : {6U, 12U, 24U}) {
    const MechanismResult few = decided(model, *probe, 2, count);
    EXPECT_EQ(name(few), name(many)) << count;
    const auto expect_within = [&](const char* what, const Estimate& a, const Estimate& b) {
      EXPECT_EQ(a.count, reference_groups(count)) << what;  // all of these are made of means
      EXPECT_LE(std::abs(a.mean - b.mean), a.half_width() + b.half_width()) << what << " " << count;
    };
    expect_within("cost", few.cost, many.cost);
    expect_within("direct cost", few.direct_cost, many.direct_cost);
    expect_within("band", few.band, many.band);
    expect_within("k removed", few.earlier[0].k_removed, many.earlier[0].k_removed);
  }
}

TEST(Mechanism, ItsFiguresRestOnGroupsWhereTheyAreMadeOfMeans) {
  const MechanismResult result = decided(k_composition_circuit());
  const std::size_t groups = reference_groups(of_the_probe);
  ASSERT_LT(groups, of_the_probe);
  ASSERT_EQ(result.earlier.size(), 1U);
  for (const Estimate& made_of_means : {result.direct_cost, result.cost, result.band,
                                        result.earlier[0].k_removed, result.earlier[0].q_removed}) {
    EXPECT_EQ(made_of_means.count, groups);
  }
  EXPECT_EQ(result.loss.count, of_the_probe);
  // The stake here is the gain over chance, in which no mean has a part, and so is an ideal pattern.
  EXPECT_NEAR(result.stake.mean, result.chance - result.loss.mean, 1e-12);
  for (const Estimate& of_sequences :
       {result.stake, result.matching, result.earlier[0].previous_token}) {
    EXPECT_EQ(of_sequences.count, of_the_probe);
  }
}

TEST(Mechanism, OfManyHeadsReplacesThePatternsOfThoseThatMatterMost) {
  const SmallModel model = k_composition_circuit();
  const auto probe = circuit_probe();
  model::CpuEngine engine(1);
  const Setting setting{{model.program, model.parameters}, *probe, 5, engine};
  const auto all = mechanism(setting);
  const auto few = mechanism(setting, {.heads = 2, .pattern_heads = 0});
  ASSERT_TRUE(all && few);
  EXPECT_EQ(few->reason, all->reason);
  EXPECT_EQ(few->cost.mean, all->cost.mean);
  EXPECT_EQ(few->earlier[0].duplicate_token.mean, all->earlier[0].duplicate_token.mean);
}

TEST(Mechanism, OfMoreHeadsThanAllowedIsNotMeasured) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  model::CpuEngine engine(1);
  const auto result =
      mechanism({{model.program, model.parameters}, *probe, 2, engine}, {.heads = 3});
  ASSERT_TRUE(result);
  EXPECT_EQ(name(*result), "unresolved");
  EXPECT_EQ(result->reason, "not measured: found 4 heads, allowed at most 3");
  EXPECT_TRUE(std::isnan(result->loss.mean));
}

TEST(Mechanism, RefusesWhatCannotBeDecided) {
  const SmallModel model = make_model(small_architecture());
  const auto probe = small_probe(data::BlockKind::repeated_blocks);
  model::CpuEngine engine(1);
  EXPECT_FALSE(mechanism({{model.program, model.parameters}, *probe, 1, engine}));
  EXPECT_FALSE(mechanism({{model.program, {}}, *probe, 2, engine}));
}

}  // namespace
}  // namespace lookback::lens
