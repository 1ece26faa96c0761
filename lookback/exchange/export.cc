#include "lookback/exchange/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"
#include "lookback/exchange/huggingface.h"
#include "lookback/exchange/layout.h"
#include "lookback/exchange/note.h"
#include "lookback/exchange/scripts.h"
#include "lookback/exchange/torch_module.h"
#include "lookback/exchange/transformer_lens.h"
#include "lookback/language/tokenizer_json.h"
#include "lookback/study/output_place.h"

namespace lookback::exchange {
namespace {

const std::array<std::string, 3> names{"transformer-lens", "torch", "huggingface"};

/// The contents of the directory.
struct Files {
  nlohmann::ordered_json config;
  Layout layout;
  std::vector<std::pair<std::string, std::string>> others;
};

std::string text_of(const nlohmann::ordered_json& json) { return json.dump(2) + "\n"; }

Result<Files> files_for_huggingface(const model::Program& program,
                                    const language::Tokenizer* tokenizer) {
  const model::Architecture& a = program.architecture;
  if (const auto expressible = as_huggingface(a); !expressible) return expressible.error();
  const auto end = tokenizer ? tokenizer->special() : std::nullopt;
  Files files{huggingface_config(a, end), huggingface_layout(program, "transformer."), {}};
  if (tokenizer == nullptr) return files;
  files.others = {
      {"tokenizer.json", language::to_tokenizer_json(tokenizer->vocabulary())},
      {"tokenizer_config.json", text_of(huggingface_tokenizer_config(a, end.has_value()))}};
  if (end) {
    files.others.emplace_back("generation_config.json",
                              text_of(huggingface_generation_config(*end)));
  }
  return files;
}

Result<Files> files_for(const model::Program& program, Target target,
                        const language::Tokenizer* tokenizer) {
  const model::Architecture& a = program.architecture;
  if (target == Target::torch) {
    Result<nlohmann::ordered_json> config = torch_config(a);
    if (!config) return config.error();
    return Files{
        std::move(*config), torch_layout(program), {{"model.py", std::string(torch_script())}}};
  }
  if (target == Target::huggingface) return files_for_huggingface(program, tokenizer);
  if (const auto expressible = as_transformer_lens(a); !expressible) return expressible.error();
  return Files{transformer_lens_config(a),
               transformer_lens_layout(program),
               {{"load.py", std::string(transformer_lens_script())}}};
}

/// transformers would take a tokenizer in the directory for the model's.
Status check_no_tokenizer(const std::filesystem::path& directory) {
  std::error_code ignored;
  const std::filesystem::path file = directory / "tokenizer.json";
  if (!std::filesystem::exists(file, ignored)) return {};
  return Error{
      fmt::format("{}: transformers would load this tokenizer with the model, whose own tokenizer "
                  "is unknown; name that with --tokenizer, or use another --out",
                  file.string())};
}

}  // namespace

std::span<const std::string> target_names() { return names; }

Result<Target> parse_target(std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<Target>(found - names.begin());
  return Error{fmt::format("found the target '{}', allowed: {}", base::printable(name),
                           fmt::join(names, ", "))};
}

Status write_export(const study::SavedModel& model, Target target,
                    const std::filesystem::path& directory, const language::Tokenizer* tokenizer) {
  const Result<Files> files = files_for(model.program, target, tokenizer);
  if (!files) return files.error();
  Status fits = study::check_directory(directory, study::DirectoryKind::exported);
  if (!fits) return fits;
  if (target == Target::huggingface && tokenizer == nullptr) {
    if (Status none = check_no_tokenizer(directory); !none) return none;
  }
  if (Status made = base::make_directories(directory); !made) return made;
  std::deque<std::vector<float>> storage;
  const std::vector<base::Tensor> tensors = gather(files->layout, model.parameters, storage);
  Status written =
      base::write_safetensors(directory / "model.safetensors", tensors, note_of(model.header));
  if (!written) return written;
  for (const auto& [name, text] : files->others) {
    if (written = base::write_file_atomically(directory / name, text); !written) return written;
  }
  return base::write_file_atomically(directory / "config.json", text_of(files->config));
}

}  // namespace lookback::exchange
