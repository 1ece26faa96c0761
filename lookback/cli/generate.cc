// lookback generate: lets a language model continue a prompt.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "lookback/base/random.h"
#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/find_tokenizer.h"
#include "lookback/model/decoder.h"
#include "lookback/model/sampling.h"
#include "lookback/study/saved_model.h"

namespace lookback::cli {
namespace {

struct GenerateOptions {
  std::string path, prompt, tokenizer;
  std::size_t tokens = 200;
  double temperature = 0.8;
  std::size_t top_k = 40;
  std::uint64_t seed = 0;
};

/// The prompt's tokens; a new text begins after the end of another.
Result<std::vector<data::Token>> prompt_tokens(const GenerateOptions& options,
                                               const language::Tokenizer& tokenizer,
                                               std::size_t context) {
  std::string text = options.prompt;
  if (text == "-") {
    Result<std::string> read = read_input("--prompt", std::size_t{1} << 24);
    if (!read) return read.error();
    text = std::move(*read);
  }
  std::vector<data::Token> tokens = tokenizer.encode(text);
  if (tokens.empty()) {
    const auto end = tokenizer.special();
    if (!end) return Error{"--prompt: is empty, allowed: at least one character"};
    tokens.push_back(*end);
  }
  if (tokens.size() <= context) return tokens;
  return Error{fmt::format("--prompt: found {} tokens, allowed: at most {}, the model's context",
                           tokens.size(), context)};
}

/// Prints tokens as they come, until the text ends, the context is full or the requested number is
/// reached.
Status generate(const GenerateOptions& options, const study::SavedModel& model,
                const language::Tokenizer& tokenizer, std::vector<data::Token> fresh) {
  model::Decoder<float> decoder(model.program);
  base::RandomStream random(options.seed, base::StreamPurpose::generation, 0);
  const model::Sampling sampling{options.temperature, options.top_k};
  const auto end = tokenizer.special();
  for (std::size_t count = 0; count < options.tokens; ++count) {
    if (decoder.room() < fresh.size()) {
      tell(fmt::format("\nthe model's context of {} tokens is full",
                       model.program.architecture.context));
      break;
    }
    const auto logits = decoder.feed(model.parameters, fresh);
    if (std::ranges::any_of(logits, [](float logit) { return !std::isfinite(logit); })) {
      return Error{"the model returns non-finite logits"};
    }
    // In a vocabulary that was rounded up some tokens may have no text.
    const data::Token next = model::sample(logits.first(tokenizer.size()), sampling, random);
    if (end && next == *end) break;
    const Result<std::string> text = tokenizer.decode(std::span(&next, 1));
    if (!text) return text.error();
    fmt::print("{}", *text);
    std::fflush(stdout);
    fresh.assign(1, next);
  }
  fmt::print("\n");
  return {};
}

int run(const GenerateOptions& options) {
  const Result<std::filesystem::path> file = study::find_checkpoint(options.path);
  if (!file) return fail(file.error());
  const Result<study::SavedModel> model = study::read_model(*file);
  if (!model) return fail(model.error());
  const Result<language::Tokenizer> tokenizer = find_tokenizer(options.tokenizer, *file, *model);
  if (!tokenizer) return fail(tokenizer.error());
  Result<std::vector<data::Token>> prompt =
      prompt_tokens(options, *tokenizer, model->program.architecture.context);
  if (!prompt) return fail(prompt.error());
  if (options.prompt != "-") fmt::print("{}", options.prompt);
  Status done = generate(options, *model, *tokenizer, std::move(*prompt));
  return done ? success : fail(done.error());
}

}  // namespace

void add_generate(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<GenerateOptions>();
  CLI::App* command = app.add_subcommand("generate", "let a language model continue a text");
  command->add_option("checkpoint", options->path, "checkpoint, or a run's directory")->required();
  command->add_option("--prompt", options->prompt,
                      "text to continue; - reads it from stdin (default: start a new text)");
  command->add_option("--tokenizer", options->tokenizer,
                      "tokenizer file or directory (default: the run's tokenizer.json)");
  command->add_option("--tokens", options->tokens, "the most tokens to generate (default: 200)")
      ->check(CLI::Range(1, 1 << 20));
  command
      ->add_option("--temperature", options->temperature,
                   "divides the logits; 0 takes the most likely token (default: 0.8)")
      ->check(CLI::Range(0.0, 100.0));
  command
      ->add_option("--top-k", options->top_k,
                   "draw from this many of the most likely tokens; 0: all (default: 40)")
      ->check(CLI::Range(0, 1 << 22));
  command->add_option("--seed", options->seed, "seed of the random draws (default: 0)");
  command->footer("Example: lookback generate runs/language-small/ov/seed-0 --prompt \"It was a\"");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
