// Files that vocabularies are kept in, whole and spoilt.
#include "lookback/language/read_tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lookback/language/byte_characters.h"
#include "lookback/language/gpt2_files.h"
#include "lookback/language/tiktoken_file.h"
#include "lookback/language/tokenizer_json.h"
#include "tests/base/like.h"
#include "tests/base/temporary_directory.h"
#include "tests/language/shared_data.h"

namespace lookback::language {
namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += i + j > bytes.size() ? '=' : digits[bits >> (18 - 6 * j) & 63];
    }
  }
  return text;
}

/// As tiktoken's files have it: no special tokens.
std::string to_tiktoken(const Vocabulary& vocabulary) {
  std::string text;
  for (Token id = 0; id < vocabulary.size(); ++id) {
    if (id == vocabulary.specials.front().id) continue;
    text += base64(vocabulary.tokens[id]) + " " + std::to_string(id) + "\n";
  }
  return text;
}

class TokenizerFilesTest : public spec::WithGpt2 {};

TEST_F(TokenizerFilesTest, GiveTheSameVocabularyInAllThreeKinds) {
  const Vocabulary& vocabulary = gpt2().vocabulary();
  const auto ranks = parse_tiktoken(to_tiktoken(vocabulary));
  ASSERT_TRUE(ranks) << ranks.error().message;
  EXPECT_EQ(*ranks, vocabulary);  // the merges too, which that file does not have
  const auto huggingface = read_tokenizer(spec::shared_data("tiny-gpt2"));
  ASSERT_TRUE(huggingface) << huggingface.error().message;
  EXPECT_EQ(huggingface->vocabulary(), vocabulary);
  const std::string written = to_tokenizer_json(vocabulary);
  const auto again = parse_tokenizer_json(written);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, vocabulary);
  EXPECT_EQ(to_tokenizer_json(*again), written);
}

/// Replaces one of GPT-2's files in a folder with both; why it is then refused, or "".
std::string refusal_with_merges(const std::filesystem::path& folder, const std::string& merges) {
  std::ofstream(folder / "vocab.bpe", std::ios::binary) << merges;
  const auto tokenizer = read_tokenizer(folder);
  return tokenizer ? std::string() : tokenizer.error().message;
}

TEST_F(TokenizerFilesTest, OfGpt2AreRefusedWhereMergesAreMissing) {
  const test::TemporaryDirectory folder;
  std::filesystem::copy(spec::shared_data("tokenizer") / "encoder.json", folder / "encoder.json");
  const std::string whole = spec::contents(spec::shared_data("tokenizer") / "vocab.bpe");
  EXPECT_EQ(refusal_with_merges(folder.path(), whole), "");
  const std::size_t first = whole.find('\n') + 1, second = whole.find('\n', first) + 1;
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  for (const auto& [merges, token] :
       {std::pair(whole.substr(second), "'Ġt' (id 256)"),
        std::pair(whole.substr(first), "(id 256)"), std::pair(whole.substr(0, last), "(id 50255)"),
        std::pair(whole.substr(0, whole.find('\n', whole.size() / 2)), "no merge makes")}) {
    const std::string refusal = refusal_with_merges(folder.path(), merges);
    EXPECT_TRUE(
        refusal.starts_with((folder / "vocab.bpe").string() + ": no merge makes the token "))
        << refusal;
    EXPECT_NE(refusal.find(token), std::string::npos) << refusal;
  }
}

TEST_F(TokenizerFilesTest, AreFoundByFolderAndByName) {
  const test::TemporaryDirectory folder;
  const auto tokenizer = spec::shared_data("tokenizer");
  EXPECT_TRUE(read_tokenizer(tokenizer / "vocab.bpe"));
  EXPECT_TRUE(read_tokenizer(tokenizer / "encoder.json"));
  std::ofstream(folder / "r50k_base.tiktoken") << to_tiktoken(gpt2().vocabulary());
  EXPECT_TRUE(read_tokenizer(folder / "r50k_base.tiktoken"));
  EXPECT_NE(read_tokenizer(folder.path()).error().message.find("found no tokenizer"),
            std::string::npos);
  std::filesystem::copy(tokenizer / "vocab.bpe", folder / "merges.txt");
  EXPECT_NE(read_tokenizer(folder.path()).error().message.find("vocab.json: cannot open"),
            std::string::npos);
  std::filesystem::copy(tokenizer / "encoder.json", folder / "vocab.json");
  EXPECT_TRUE(read_tokenizer(folder.path()));
}

TEST(ByteCharacters, AreThoseOfGpt2) {
  EXPECT_EQ(to_characters(" \n\xAD!\x7F"), "ĠĊŃ!ġ");
  EXPECT_EQ(bytes_by_character()[0], '!');
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(from_characters(to_characters(all)), all);
  EXPECT_EQ(from_characters("日"), std::nullopt);
  EXPECT_EQ(from_characters(" "), std::nullopt);
  EXPECT_EQ(from_characters("\xC4"), std::nullopt);
}

/// "ab", "abc", a part of a character, a whole one and <|endoftext|>.
Vocabulary small_vocabulary() {
  Vocabulary vocabulary = bytes_alone();
  const auto bytes = byte_tokens(vocabulary);
  const auto merge = [&](Token left, Token right) {
    const auto result = static_cast<Token>(vocabulary.size());
    vocabulary.tokens.push_back(vocabulary.tokens[left] + vocabulary.tokens[right]);
    vocabulary.merges.push_back({left, right, result});
    return result;
  };
  merge(merge(bytes['a'], bytes['b']), bytes['c']);
  merge(merge(bytes[0xE6], bytes[0x97]), bytes[0xA5]);  // 日
  append_special(vocabulary, end_of_text);
  return vocabulary;
}

/// As OpenAI's two files have it, without the merge at `missing`.
Result<Vocabulary> read_as_gpt2(const Vocabulary& vocabulary, std::size_t missing) {
  const auto written = [&](Token id) { return to_characters(vocabulary.tokens[id]); };
  std::string merges = "#version: 0.2\n";
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const Merge& merge = vocabulary.merges[rank];
    if (rank != missing) merges += written(merge.left) + " " + written(merge.right) + "\n";
  }
  nlohmann::json encoder;
  for (Token id = 0; id < vocabulary.size(); ++id) encoder[written(id)] = id;
  return parse_gpt2_files(merges, encoder.dump());
}

std::string refusal_of(const Result<Vocabulary>& vocabulary) {
  if (!vocabulary) return vocabulary.error().message;
  const auto tokenizer = Tokenizer::make(*vocabulary);
  return tokenizer ? std::string() : tokenizer.error().message;
}

TEST(TokenizerFiles, AreRefusedWhereNoMergeMakesAToken) {
  const Vocabulary vocabulary = small_vocabulary();
  const std::size_t none = vocabulary.merges.size();
  EXPECT_EQ(refusal_of(read_as_gpt2(vocabulary, none)), "");
  for (std::size_t missing = 0; missing < none; ++missing) {
    const Token unmade = vocabulary.merges[missing].result;
    const std::string expected = "no merge makes the token '" +
                                 to_characters(vocabulary.tokens[unmade]) + "' (id " +
                                 std::to_string(unmade) + ")*";
    EXPECT_TRUE(test::like(refusal_of(read_as_gpt2(vocabulary, missing)), expected));
    Vocabulary cut = vocabulary;
    cut.merges.erase(cut.merges.begin() + static_cast<std::ptrdiff_t>(missing));
    EXPECT_TRUE(test::like(refusal_of(parse_tokenizer_json(to_tokenizer_json(cut))), expected));
  }
}

TEST(TokenizerFiles, HaveSpecialTokensThatNoMergeMakes) {
  Vocabulary vocabulary = small_vocabulary();
  for (const char* text : {"<s>", "[PAD]", "<|im_start|>", "madeupword0001"}) {
    append_special(vocabulary, text);
  }
  const auto of_gpt2 = read_as_gpt2(vocabulary, vocabulary.merges.size());
  ASSERT_TRUE(of_gpt2) << of_gpt2.error().message;
  EXPECT_EQ(of_gpt2->specials, vocabulary.specials);
  append_special(vocabulary, "ab ab");  // a text that merges could make, but said to be special
  append_special(vocabulary, "special");
  EXPECT_EQ(refusal_of(parse_tokenizer_json(to_tokenizer_json(vocabulary))), "");
}

/// A small tokenizer.json: the bytes, "ab" and <|endoftext|>.
nlohmann::json small_file() {
  Vocabulary vocabulary = bytes_alone();
  const auto bytes = byte_tokens(vocabulary);
  vocabulary.tokens.emplace_back("ab");
  vocabulary.merges.push_back({bytes['a'], bytes['b'], 256});
  append_special(vocabulary, end_of_text);
  return nlohmann::json::parse(to_tokenizer_json(vocabulary));
}

std::string refusal(const nlohmann::json& file) {
  const auto vocabulary = parse_tokenizer_json(file.dump());
  if (!vocabulary) return vocabulary.error().message;
  const auto tokenizer = Tokenizer::make(*vocabulary);
  return tokenizer ? std::string() : tokenizer.error().message;
}

std::string refusal_with(const char* pointer, const nlohmann::json& value) {
  nlohmann::json file = small_file();
  file[nlohmann::json::json_pointer(pointer)] = value;
  return refusal(file);
}

TEST(TokenizerJson, IsReadWithMergesOfEitherKind) {
  EXPECT_EQ(refusal(small_file()), "");
  EXPECT_EQ(refusal_with("/model/merges/0", {"a", "b"}), "");
  EXPECT_EQ(refusal_with("/truncation", {{"max_length", 8}}), "");
}

TEST(TokenizerJson, IsRefusedWhereItWouldGiveOtherTokens) {
  EXPECT_EQ(refusal_with("/model/type", "Unigram"), "model.type: found \"Unigram\", allowed: BPE");
  EXPECT_EQ(refusal_with("/model/dropout", 0.1), "model.dropout: found 0.1, allowed: none");
  EXPECT_EQ(refusal_with("/model/ignore_merges", true),
            "model.ignore_merges: found true, allowed: none");
  EXPECT_EQ(refusal_with("/normalizer", {{"type", "NFC"}}),
            "normalizer: found {\"type\":\"NFC\"}, allowed: none");
  EXPECT_EQ(refusal_with("/pre_tokenizer", nullptr),
            "pre_tokenizer: found null, allowed: ByteLevel");
  EXPECT_EQ(refusal_with("/pre_tokenizer/add_prefix_space", true),
            "pre_tokenizer.add_prefix_space: found true, allowed: none");
  EXPECT_EQ(refusal_with("/pre_tokenizer/use_regex", false),
            "pre_tokenizer.use_regex: found false, allowed: true");
  EXPECT_TRUE(refusal_with("/added_tokens/0/special", false).starts_with("added_tokens: found"));
  EXPECT_TRUE(refusal_with("/added_tokens/0/lstrip", true).starts_with("added_tokens: found"));
}

TEST(TokenizerJson, IsRefusedWhereItIsNotWhole) {
  EXPECT_EQ(parse_tokenizer_json("{").error().message, "not a JSON object");
  EXPECT_TRUE(test::like(parse_tokenizer_json("{}").error().message, "*'model'*"));
  EXPECT_TRUE(
      refusal_with("/model/vocab/ab", 7).ends_with("found the id 7, allowed 0 to 257, each once"));
  EXPECT_EQ(refusal_with("/model/vocab/ab", -1),
            "'ab': found the id -1, allowed 0 to 258, each once");
  EXPECT_EQ(refusal_with("/model/merges/0", "a c"),
            "merge 1: 'a c' needs a token that the vocabulary lacks");
  EXPECT_EQ(refusal_with("/model/merges/0", 3),
            "model.merges 1: found 3, allowed: \"a b\" or [\"a\", \"b\"]");
  EXPECT_EQ(refusal_with("/model/merges/1", "a b"),
            "merge 2: found a pair that an earlier one merges");
  EXPECT_TRUE(test::like(refusal_with("/model/vocab/日", 258), "'日': found a character*"));
  EXPECT_TRUE(refusal_with("/added_tokens/0/id", 3).starts_with("'<|endoftext|>': found the ids"));
  nlohmann::json lacking = small_file();
  lacking["model"]["vocab"].erase("q");
  lacking["model"]["vocab"]["qq"] = byte_tokens(bytes_alone())['q'];
  EXPECT_EQ(refusal(lacking), "found no token for the byte 0x71, allowed: all 256");
}

TEST(TiktokenFile, IsRefusedWhereItIsSpoilt) {
  Vocabulary small = bytes_alone();
  append_special(small, end_of_text);
  const std::string good = to_tiktoken(small);
  const auto refusal = [](const std::string& text) {
    const auto vocabulary = parse_tiktoken(text);
    return vocabulary ? std::string() : vocabulary.error().message;
  };
  EXPECT_EQ(refusal(good), "");
  EXPECT_EQ(refusal(good + "YWI= 256\n"), "");
  EXPECT_EQ(parse_tiktoken(good + "YWI= 257\n")->specials.front().id, 256u);
  EXPECT_EQ(refusal(good + "YWI 256\n"),
            "line 257: found 'YWI 256', allowed: a token in base64, a space, its rank");
  EXPECT_TRUE(refusal(good + "YWI= 259\n").starts_with("found the rank 259, allowed 256"));
  EXPECT_EQ(refusal(good + "YWI= 256\nYWI= 257\n"), "rank 257: found the bytes of an earlier rank");
  EXPECT_TRUE(test::like(refusal(good + "YWJj 256\n"), "rank 256: *3 parts*2"));
  EXPECT_EQ(refusal(""), "found 0 tokens, allowed 1 to 4194304");
  // "(a" is one token in cl100k_base and never one piece of GPT-2's pattern.
  EXPECT_NE(refusal(good + base64("(a") + " 256\n").find("another pattern"), std::string::npos);
}

}  // namespace
}  // namespace lookback::language
