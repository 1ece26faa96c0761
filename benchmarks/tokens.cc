// Text to tokens: bytes a second on one core. LOOKBACK_DATA names a folder with books/*.txt and
// GPT-2's vocabulary in tokenizer/; without it only what needs no text is measured.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "lookback/language/bpe_training.h"
#include "lookback/language/documents.h"
#include "lookback/language/read_tokenizer.h"

namespace lookback::language {
namespace {

std::filesystem::path data_folder() {
  const char* named = std::getenv("LOOKBACK_DATA");
  return named == nullptr ? std::filesystem::path() : std::filesystem::path(named);
}

std::string all_books() {
  std::string text;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(data_folder() / "books", absent)) {
    const Result<SourceText> book = read_text(entry.path(), DocumentKind::files);
    if (book) text += book->cleaned;
  }
  return text;
}

void count_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void encode_books(benchmark::State& state) {
  const Result<Tokenizer> gpt2 = read_tokenizer(data_folder() / "tokenizer");
  const std::string text = all_books();
  if (!gpt2 || text.empty()) return state.SkipWithError("LOOKBACK_DATA has no books or tokenizer");
  for (auto step : state) benchmark::DoNotOptimize(gpt2->encode(text));
  count_bytes(state, text.size());
}

/// Each request alone, as an evaluation encodes them: no piece was seen before.
void encode_short_texts(benchmark::State& state) {
  const Result<Tokenizer> gpt2 = read_tokenizer(data_folder() / "tokenizer");
  const std::string text = all_books();
  if (!gpt2 || text.empty()) return state.SkipWithError("LOOKBACK_DATA has no books or tokenizer");
  const std::vector<std::string_view> lines = split_documents(text, DocumentKind::lines);
  std::size_t bytes = 0;
  for (const std::string_view line : lines) bytes += line.size();
  for (auto step : state) {
    for (const std::string_view line : lines) benchmark::DoNotOptimize(gpt2->encode(line));
  }
  count_bytes(state, bytes);
}

void learn_books(benchmark::State& state) {
  const std::string text = all_books();
  if (text.empty()) return state.SkipWithError("LOOKBACK_DATA has no books");
  for (auto step : state) {
    BpeTraining training(*PreTokenizer::make());
    training.add(text);
    benchmark::DoNotOptimize(training.train(static_cast<std::size_t>(state.range(0))));
  }
  count_bytes(state, text.size());
}

/// A piece without end: bytes a second must not fall with its length.
void encode_one_piece(benchmark::State& state) {
  Vocabulary vocabulary = bytes_alone();
  const std::array<Token, 256> bytes = byte_tokens(vocabulary);
  Token last = bytes['a'];
  for (int i = 0; i < 6; ++i) {  // a a, then twice as many each time
    vocabulary.tokens.push_back(vocabulary.tokens[last] + vocabulary.tokens[last]);
    vocabulary.merges.push_back({last, last, static_cast<Token>(vocabulary.size() - 1)});
    last = static_cast<Token>(vocabulary.size() - 1);
  }
  const Tokenizer tokenizer = *Tokenizer::make(vocabulary);
  const std::string text(static_cast<std::size_t>(state.range(0)), 'a');
  for (auto step : state) benchmark::DoNotOptimize(tokenizer.encode(text));
  count_bytes(state, text.size());
}

BENCHMARK(encode_books)->Name("tokens/encode_books")->Unit(benchmark::kMillisecond);
BENCHMARK(encode_short_texts)->Name("tokens/encode_lines")->Unit(benchmark::kMillisecond);
BENCHMARK(learn_books)->Name("tokens/learn")->Arg(4096)->Unit(benchmark::kMillisecond);
BENCHMARK(encode_one_piece)
    ->Name("tokens/one_piece")
    ->Arg(1 << 10)
    ->Arg(1 << 16)
    ->Arg(1 << 22)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace lookback::language
