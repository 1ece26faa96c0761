// What the program says of itself, and what it exits with: 0 done, 1 failed, 2 wrong usage.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "lookback/base/file.h"
#include "tests/base/like.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using spec::lookback;
using spec::one_line;
using test::TemporaryDirectory;

TEST(Usage, EveryCommandHelpsWithAnExample) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"},
                                             {"study", "--help"},
                                             {"train", "--help"},
                                             {"inspect", "--help"},
                                             {"report", "--help"},
                                             {"serve", "--help"},
                                             {"bench", "--help"},
                                             {"eval", "--help"},
                                             {"generate", "--help"},
                                             {"construct", "--help"},
                                             {"export", "--help"},
                                             {"import", "--help"},
                                             {"tokens", "--help"},
                                             {"tokens", "encode", "--help"},
                                             {"tokens", "decode", "--help"},
                                             {"tokens", "train", "--help"},
                                             {"tokens", "prepare", "--help"}}) {
    const spec::Ended ended = spec::run(lookback(arguments));
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.err, "");
    const std::string command = arguments.size() > 1 ? arguments[0] + " " : "";
    EXPECT_NE(ended.out.find("Example: lookback " + command), std::string::npos) << ended.out;
  }
}

TEST(Usage, HelpStatesEveryDefault) {
  for (const char* command : {"study", "train", "inspect", "report", "serve", "bench", "eval",
                              "generate", "construct", "export", "import"}) {
    const spec::Ended ended = spec::run(lookback({command, "--help"}));
    std::istringstream lines(ended.out.substr(ended.out.find("Options:")));
    std::string line, option;
    const auto check = [&] {  // an option that takes a value, with the lines that go on with it
      const bool takes =
          option.find(" TEXT") != std::string::npos || option.find(" INT") != std::string::npos ||
          option.find(" UINT") != std::string::npos || option.find(" FLOAT") != std::string::npos;
      EXPECT_TRUE(!takes || option.find("REQUIRED") != std::string::npos ||
                  option.find("(default") != std::string::npos)
          << command << ": " << option;
    };
    while (std::getline(lines, line)) {
      if (line.starts_with("  -")) {
        check();
        option.clear();
      }
      option += line;
    }
    check();
  }
}

TEST(Usage, TellsItsVersion) {
  const spec::Ended ended = spec::run(lookback({"--version"}));
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_NE(ended.out, "");
}

TEST(Usage, WithoutACommandIsShown) {
  const spec::Ended ended = spec::run(lookback({}));
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(ended.out, "");
  for (const char* word : {"Usage", "study", "train", "report", "bench", "construct"}) {
    EXPECT_NE(ended.err.find(word), std::string::npos) << ended.err;
  }
}

/// Arguments that make no sense, and the line they get.
struct Misuse {
  const char* name;
  std::vector<std::string> arguments;
  const char* line;
};

class WrongUsage : public testing::TestWithParam<Misuse> {};

TEST_P(WrongUsage, ExitsWithTwoAndOneLine) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(1));
  std::vector<std::string> arguments = GetParam().arguments;
  for (std::string& argument : arguments) {
    if (argument == "STUDY") argument = study;
    if (argument == "OUT") argument = directory / "out";
  }
  std::string line = one_line(spec::run(lookback(arguments)), 2);
  if (const std::size_t at = line.find(study); at != std::string::npos) {
    line.replace(at, study.size(), "STUDY");
  }
  EXPECT_EQ(line, GetParam().line);
  EXPECT_FALSE(std::filesystem::exists(directory / "out"));
}

const Misuse misuses[] = {
    {"UnknownCommand",
     {"trian"},
     "unknown command 'trian'; did you mean 'train'? see lookback --help"},
    {"CommandLikeNoOther",
     {"frobnicate"},
     "unknown command 'frobnicate'; the commands are study, train, inspect, ledger, report, serve, "
     "bench, construct, eval, generate, export, import, tokens, verify; see lookback --help"},
    {"UnknownCommandOfACommand",
     {"tokens", "trian"},
     "unknown command 'trian'; did you mean 'train'? see lookback tokens --help"},
    {"UnknownOptionOfACommandOfACommand",
     {"tokens", "train", "text.txt", "--vocabluary", "512"},
     "unknown option '--vocabluary'; did you mean '--vocabulary'? see lookback tokens train "
     "--help"},
    {"UnknownOptionBeforeTheCommand",
     {"--treads", "2", "study"},
     "unknown option '--treads'; see lookback --help"},
    {"UnknownOption",
     {"study", "STUDY", "--out", "OUT", "--tokns", "40M"},
     "unknown option '--tokns'; did you mean '--tokens'? see lookback study --help"},
    {"OutByAnotherName",
     {"study", "STUDY", "--output", "OUT"},
     "unknown option '--output'; did you mean '--out'? see lookback study --help"},
    {"OutByAnotherNameWithItsValue",
     {"train", "STUDY", "--arm", "parallel", "--output=OUT"},
     "unknown option '--output'; did you mean '--out'? see lookback train --help"},
    {"OptionLikeNoOther",
     {"study", "STUDY", "--out", "OUT", "--frobnicate"},
     "unknown option '--frobnicate'; see lookback study --help"},
    {"TwoStudies",
     {"study", "STUDY", "other.toml", "--out", "OUT"},
     "unexpected argument 'other.toml'; see lookback study --help"},
    {"NoOut", {"study", "STUDY"}, "--out is required; see lookback study --help"},
    {"NoStudy", {"study", "--out", "OUT"}, "study is required; see lookback study --help"},
    {"OptionWithoutValue",
     {"study", "STUDY", "--out"},
     "--out: 1 required TEXT missing; see lookback study --help"},
    {"TokensThatAreNoNumber",
     {"study", "STUDY", "--out", "OUT", "--tokens", "many"},
     "--tokens: found \"many\", allowed: a whole number below 2^64 such as 16384, 40_000_000 or "
     "40M (suffixes k, M, G)"},
    {"NoTokens",
     {"study", "STUDY", "--out", "OUT", "--tokens", "0"},
     "--tokens: found 0, allowed: 1 or more"},
    {"NoSeeds",
     {"study", "STUDY", "--out", "OUT", "--seeds", "0"},
     "--seeds: found 0, allowed: 1 or more"},
    {"NoThreads",
     {"study", "STUDY", "--out", "OUT", "--threads", "0"},
     "--threads: Value 0 not in range 1 to 1024; see lookback study --help"},
    {"NegativeThreads",
     {"study", "STUDY", "--out", "OUT", "--threads", "-1"},
     "--threads: Value -1 not in range 1 to 1024; see lookback study --help"},
    {"TooManyThreads",
     {"train", "STUDY", "--arm", "parallel", "--out", "OUT", "--threads", "5000"},
     "--threads: Value 5000 not in range 1 to 1024; see lookback train --help"},
    {"UnknownArm",
     {"train", "STUDY", "--arm", "paralel", "--out", "OUT"},
     "--arm: STUDY has no arm 'paralel'; nearest: 'parallel'; its arms are: two-layer, parallel, "
     "sequential"},
    {"SeedAboveAll",
     {"train", "STUDY", "--arm", "parallel", "--out", "OUT", "--seed", "9223372036854775808"},
     "--seed: Value 9223372036854775808 not in range 0 to 9223372036854775807; see lookback "
     "train --help"},
    {"NoDirectoryToServe", {"serve"}, "directory is required; see lookback serve --help"},
    {"PortAboveAll",
     {"serve", "OUT", "--port", "65536"},
     "--port: Value 65536 not in range 0 to 65535; see lookback serve --help"},
    {"UnknownSetup",
     {"bench", "--setup", "three-layer"},
     "--setup: three-layer not in {all,two-layer,one-layer-parallel,one-layer-sequential}; see "
     "lookback bench --help"},
};

INSTANTIATE_TEST_SUITE_P(Each, WrongUsage, testing::ValuesIn(misuses),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Usage, AStudyPrintsThePathOfItsPageAlone) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(1));
  const spec::Ended ended = spec::run(lookback({"study", study, "--out", directory / "out"}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, (directory / "out/report.html").string() + "\n");
  EXPECT_TRUE(std::filesystem::exists(directory / "out/report.html"));
  EXPECT_NE(ended.err.find("two-layer: "), std::string::npos);
  EXPECT_NE(ended.err.find(" parameters\n"), std::string::npos);
}

TEST(Usage, AStudyEndsWithHowToRunItsLargerSizes) {
  const TemporaryDirectory directory;
  const std::string study =
      spec::write_study(directory, spec::three_arms(2) +
                                       "[sizes.tiny.train]\ntokens = 256\n[sizes.large.train]\n"
                                       "tokens = \"2M\"\n[sizes.huge.train]\ntokens = \"1G\"\n");
  const auto last_line = [&](const std::string& size) {
    const spec::Ended ended =
        spec::run(lookback({"study", study, "--size", size, "--out", directory / ("out-" + size)}));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const std::size_t end = ended.err.rfind('\n');
    const std::size_t before = ended.err.rfind('\n', end - 1);
    return ended.err.substr(before + 1, end - before - 1);
  };
  EXPECT_TRUE(test::like(last_line("default"),
                         "*--size large (2M tokens per run) or --size huge (1G tokens per run)"));
  EXPECT_TRUE(test::like(last_line("tiny"),
                         "*--size default (512 tokens per run) or --size large (2M tokens per run) "
                         "or --size huge (1G tokens per run)"));
}

TEST(Usage, AReportIsMadeOfAStudyThatHasNotEndedAndSaysSo) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(1));
  const std::string out = directory / "out";
  ASSERT_EQ(spec::run(lookback({"study", study, "--out", out})).exit_code, 0);
  std::filesystem::remove(out + "/report.html");
  spec::unfinish_study(out);
  spec::unfinish(out + "/parallel/seed-0");
  std::filesystem::remove_all(out + "/sequential");
  const spec::Ended ended = spec::run(lookback({"report", out}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, out + "/report.html\n");
  EXPECT_EQ(ended.err, "");
  const auto page = base::read_file(out + "/report.html", std::size_t{1} << 30U);
  ASSERT_TRUE(page);
  for (const char* status : {"finished", "training", "waiting"}) {
    EXPECT_NE(page->find(R"("status":")" + std::string(status) + "\""), std::string::npos)
        << status;
  }
}

TEST(Usage, ARunPrintsThePathOfItsFindings) {
  const TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, spec::three_arms(1));
  const std::string out = directory / "out";
  const spec::Ended ended =
      spec::run(lookback({"train", study, "--arm", "parallel", "--seed", "7", "--out", out}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, out + "/findings.json\n");
}

TEST(Usage, AResultThatCannotBePrintedIsAFailure) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  spec::Command command = lookback({"--version"});
  command.out_file = "/dev/full";
  const spec::Ended ended = spec::run(command);
  EXPECT_EQ(one_line(ended, 1), "stdout: cannot write");
}

}  // namespace
}  // namespace lookback::program
