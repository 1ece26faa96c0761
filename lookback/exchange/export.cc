#include "lookback/exchange/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <deque>
#include <nlohmann/json.hpp>
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
#include "lookback/study/output_place.h"

namespace lookback::exchange {
namespace {

const std::array<std::string, 3> names{"transformer-lens", "torch", "huggingface"};

/// What goes into the directory.
struct Files {
  nlohmann::ordered_json config;
  Layout layout;
  std::vector<std::pair<std::string, std::string_view>> scripts;
};

Result<Files> files_for(const model::Program& program, Target target) {
  const model::Architecture& a = program.architecture;
  if (target == Target::torch) {
    Result<nlohmann::ordered_json> config = torch_config(a);
    if (!config) return config.error();
    return Files{std::move(*config), torch_layout(program), {{"model.py", torch_script()}}};
  }
  if (target == Target::huggingface) {
    if (const auto expressible = as_huggingface(a); !expressible) return expressible.error();
    return Files{huggingface_config(a), huggingface_layout(program, "transformer."), {}};
  }
  if (const auto expressible = as_transformer_lens(a); !expressible) return expressible.error();
  return Files{transformer_lens_config(a),
               transformer_lens_layout(program),
               {{"load.py", transformer_lens_script()}}};
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
                    const std::filesystem::path& directory) {
  const Result<Files> files = files_for(model.program, target);
  if (!files) return files.error();
  Status fits = study::check_directory(directory, study::DirectoryKind::exported);
  if (!fits) return fits;
  if (Status made = base::make_directories(directory); !made) return made;
  std::deque<std::vector<float>> storage;
  const std::vector<base::Tensor> tensors = gather(files->layout, model.parameters, storage);
  Status written =
      base::write_safetensors(directory / "model.safetensors", tensors, note_of(model.header));
  if (!written) return written;
  for (const auto& [name, text] : files->scripts) {
    if (written = base::write_file_atomically(directory / name, text); !written) return written;
  }
  return base::write_file_atomically(directory / "config.json", files->config.dump(2) + "\n");
}

}  // namespace lookback::exchange
