// lookback tokens: text to tokens and back, vocabularies, token files.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"
#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/language/bpe_training.h"
#include "lookback/language/prepare.h"
#include "lookback/language/read_tokenizer.h"
#include "lookback/study/output_place.h"

namespace lookback::cli {
namespace {

struct TokensOptions {
  std::string input, tokenizer, out, documents = "parts", vocabulary;
  std::vector<std::string> files;
  std::uint64_t seed = 0;
  std::optional<std::size_t> threads;
  double validation_share = 0.05;
  bool specials = false;
};

constexpr const char* tokenizer_help =
    "a directory with tokenizer.json or with vocab.bpe and encoder.json, or one of these files, or "
    "a .tiktoken file";

/// The whole contents of a file, or of standard input for "-".
Result<std::string> read_given(const std::string& name) {
  if (name != "-") return base::read_file(name, language::largest_text);
  return read_input("stdin", language::largest_text);
}

/// Ids separated by white space.
Result<std::vector<language::Token>> parse_ids(const std::string& text) {
  std::vector<language::Token> ids;
  constexpr const char* blanks = " \t\r\n";
  for (std::size_t at = text.find_first_not_of(blanks); at != std::string::npos;
       at = text.find_first_not_of(blanks, at)) {
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    language::Token id = 0;
    const auto [stop, code] = std::from_chars(text.data() + at, text.data() + end, id);
    if (code != std::errc() || stop != text.data() + end) {
      return Error{fmt::format("token {}: found '{}', allowed: ids separated by blanks",
                               ids.size() + 1, base::printable(text.substr(at, end - at)))};
    }
    ids.push_back(id);
    at = end;
  }
  return ids;
}

int run_encode(const TokensOptions& options) {
  const Result<language::Tokenizer> tokenizer = language::read_tokenizer(options.tokenizer);
  if (!tokenizer) return fail(tokenizer.error());
  const Result<std::string> text = read_given(options.input);
  if (!text) return fail(text.error());
  const auto specials =
      options.specials ? language::Specials::as_tokens : language::Specials::as_text;
  fmt::memory_buffer line;
  for (const language::Token id : tokenizer->encode(*text, specials)) {
    fmt::format_to(std::back_inserter(line), "{}{}", line.size() == 0 ? "" : " ", id);
  }
  line.push_back('\n');
  std::fwrite(line.data(), 1, line.size(), stdout);
  return success;
}

int run_decode(const TokensOptions& options) {
  const Result<language::Tokenizer> tokenizer = language::read_tokenizer(options.tokenizer);
  if (!tokenizer) return fail(tokenizer.error());
  const Result<std::string> input = read_given(options.input);
  if (!input) return fail(input.error());
  const Result<std::vector<language::Token>> ids = parse_ids(*input);
  if (!ids) return fail(ids.error().at(options.input));
  const Result<std::string> text = tokenizer->decode(*ids);
  if (!text) return fail(text.error().at(options.input));
  std::fwrite(text->data(), 1, text->size(), stdout);
  return success;
}

std::filesystem::path directory_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

/// Whether a trained tokenizer can be written there and found again, checked before the training.
/// `there` and `parent` are the status of the path and of its directory.
Status check_tokenizer_place(const std::string& out, std::filesystem::file_status there,
                             std::filesystem::file_status parent) {
  const std::filesystem::path path = out;
  if (std::filesystem::is_directory(there)) {
    return Error{fmt::format("--out: found the directory {}, allowed: a file to write, {}", out,
                             (path / "tokenizer.json").string())};
  }
  if (path.extension() != ".json") {
    return Error{
        fmt::format("--out: found '{}', allowed: a name ending in .json", base::printable(out))};
  }
  if (path.filename() == "encoder.json" || path.filename() == "vocab.json") {
    return Error{
        fmt::format("--out: found '{}', one of GPT-2's two file names, allowed: another name, such "
                    "as tokenizer.json",
                    base::printable(out))};
  }
  if (std::filesystem::is_directory(parent)) return {};
  return Error{fmt::format("--out: there is no directory {}", path.parent_path().string())};
}

int run_train(const TokensOptions& options) {
  const auto there = base::status_of(options.out);
  if (!there) return fail(there.error());
  const auto parent = base::status_of(directory_of(options.out));
  if (!parent) return fail(parent.error());
  if (Status place = check_tokenizer_place(options.out, *there, *parent); !place) {
    return fail(place.error());
  }
  if (Status free = study::check_json_file(options.out); !free) return fail(free.error());
  const auto size = read_count("--vocabulary", options.vocabulary);
  if (!size) return fail(size.error());
  Result<language::PreTokenizer> splitter = language::PreTokenizer::make();
  if (!splitter) return fail(splitter.error());
  language::BpeTraining training(std::move(*splitter));
  for (const std::string& file : options.files) {
    const Result<language::SourceText> text =
        language::read_text(file, language::DocumentKind::files);
    if (!text) return fail(text.error());
    training.add(text->cleaned);
  }
  Result<language::Vocabulary> vocabulary = training.train(size->value_or(4096));
  if (!vocabulary) return fail(vocabulary.error().at("--vocabulary"));
  const Result<language::Tokenizer> made = language::Tokenizer::make(std::move(*vocabulary));
  if (!made) return fail(made.error());
  if (Status written = language::write_tokenizer(options.out, *made); !written) {
    return fail(written.error());
  }
  fmt::print("{}: {} tokens, including {} merges\n", options.out, made->size(),
             made->vocabulary().merges.size());
  return success;
}

int run_prepare(const TokensOptions& options) {
  const auto kind = language::parse_document_kind(options.documents);
  const Result<language::Tokenizer> tokenizer = language::read_tokenizer(options.tokenizer);
  if (!tokenizer) return fail(tokenizer.error());
  const std::vector<std::filesystem::path> files(options.files.begin(), options.files.end());
  const auto prepared = language::prepare_tokens(
      files, *tokenizer, options.out,
      {kind.value_or(language::DocumentKind::parts), options.validation_share, options.seed,
       threads_of(options.threads)});
  if (!prepared) return fail(prepared.error());
  fmt::print("{}: {} training tokens in {} documents, {} validation tokens in {} documents\n",
             options.out, prepared->train.tokens, prepared->train.documents,
             prepared->validation.tokens, prepared->validation.documents);
  if (prepared->stray_bytes > 0) {
    tell(
        fmt::format("lookback: {} bytes of the texts are not UTF-8, so each became its own token; "
                    "{}/data.json lists how many per text\n",
                    prepared->stray_bytes, options.out));
  }
  return success;
}

using SharedOptions = std::shared_ptr<TokensOptions>;

void add_encode(CLI::App& tokens, const SharedOptions& options, int& exit_code) {
  CLI::App* command = tokens.add_subcommand("encode", "print the ids of a text's tokens");
  command->add_option("file", options->input, "text file, or - for standard input")->required();
  command->add_option("--tokenizer", options->tokenizer, tokenizer_help)->required();
  command->add_flag("--specials", options->specials,
                    "read <|endoftext|> and the like as special tokens, not as text");
  command->footer("Example: lookback tokens encode novel.txt --tokenizer gpt2");
  command->callback([options, &exit_code] { exit_code = run_encode(*options); });
}

void add_decode(CLI::App& tokens, const SharedOptions& options, int& exit_code) {
  CLI::App* command = tokens.add_subcommand("decode", "print the text of token ids");
  command
      ->add_option("file", options->input,
                   "file of ids separated by blanks, or - for standard input")
      ->required();
  command->add_option("--tokenizer", options->tokenizer, tokenizer_help)->required();
  command->footer("Example: lookback tokens decode ids.txt --tokenizer gpt2");
  command->callback([options, &exit_code] { exit_code = run_decode(*options); });
}

void add_training(CLI::App& tokens, const SharedOptions& options, int& exit_code) {
  CLI::App* command = tokens.add_subcommand("train", "learn a byte-level BPE vocabulary from text");
  command->add_option("files", options->files, "texts in UTF-8")->required();
  command->add_option("--vocabulary", options->vocabulary,
                      "V: 256 bytes, merges and <|endoftext|> (default 4096)");
  command->add_option("--out", options->out, "file to write, tokenizer.json or another .json")
      ->required();
  command->footer(
      "Example: lookback tokens train books/*.txt --vocabulary 4096 --out tokenizer.json");
  command->callback([options, &exit_code] { exit_code = run_train(*options); });
}

void add_prepare(CLI::App& tokens, const SharedOptions& options, int& exit_code) {
  CLI::App* command =
      tokens.add_subcommand("prepare", "write shuffled token files to train and validate on");
  command->add_option("files", options->files, "texts in UTF-8")->required();
  command->add_option("--tokenizer", options->tokenizer, tokenizer_help)->required();
  command->add_option("--out", options->out, "directory to create")->required();
  command
      ->add_option(
          "--documents", options->documents,
          "unit that is shuffled, ended by <|endoftext|> and held out as a whole: parts (default: "
          "a file cut at the first blank line after every 32 KiB, so that one book is "
          "enough), files, texts (separated by two or more empty lines), paragraphs or lines")
      ->check(CLI::IsMember(
          std::vector<std::string>{"parts", "files", "texts", "paragraphs", "lines"}));
  command->add_option("--validation-share", options->validation_share,
                      "share of the documents to hold out, at least one (default 0.05)");
  command->add_option("--seed", options->seed, "seed of the order of the documents (default 0)");
  command->add_option("--threads", options->threads, "worker threads (default: every processor)")
      ->check(CLI::Range(1, most_threads));
  command->footer(
      "Example: lookback tokens prepare books/*.txt --tokenizer tokenizer.json --out data/books");
  command->callback([options, &exit_code] { exit_code = run_prepare(*options); });
}

}  // namespace

void add_tokens(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<TokensOptions>();
  CLI::App* command =
      app.add_subcommand("tokens", "turn text into tokens and back, and make token files");
  command->require_subcommand(1);
  command->footer("Example: lookback tokens prepare --help");
  add_encode(*command, options, exit_code);
  add_decode(*command, options, exit_code);
  add_training(*command, options, exit_code);
  add_prepare(*command, options, exit_code);
}

}  // namespace lookback::cli
