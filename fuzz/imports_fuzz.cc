// Any text as the config.json of another program's model: refused in one line, or read into an
// architecture that this program's own configuration gives back, and whose tensors hold every
// parameter.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "fuzz/input_directory.h"
#include "lookback/exchange/huggingface.h"
#include "lookback/exchange/json_config.h"
#include "lookback/exchange/transformer_lens.h"
#include "lookback/model/program.h"

namespace lookback::fuzz {
namespace {

using exchange::JsonConfig;
using exchange::Layout;
using model::Architecture;

struct Form {
  Result<Architecture> (*read)(const JsonConfig&);
  Result<Architecture> (*as_seen)(const Architecture&);
  nlohmann::ordered_json (*write)(const Architecture&);
  Layout (*layout)(const model::Program&);
};

constexpr Form transformer_lens{exchange::read_transformer_lens_config,
                                exchange::as_transformer_lens, exchange::transformer_lens_config,
                                exchange::transformer_lens_layout};
constexpr Form huggingface{
    exchange::read_huggingface_config, exchange::as_huggingface,
    [](const Architecture& a) { return exchange::huggingface_config(a, std::nullopt); },
    [](const model::Program& program) { return exchange::huggingface_layout(program, ""); }};

const InputDirectory& files() {
  static const InputDirectory directory;
  return directory;
}

Result<JsonConfig> read_config(std::string_view text) {
  return exchange::read_json_config(files().write("config.json", text));
}

/// Every number of the parameters lies in a tensor: written and read back, all of them are there.
void check_layout(const Form& form, const Architecture& architecture) {
  constexpr std::size_t most = 100'000;  // more would be slow, and no different
  const auto program = model::compile(architecture);
  require(bool(program));
  if (program->buffer_size > most) return;
  std::vector<float> numbers(program->buffer_size);
  for (const model::ParameterInfo& one : program->parameters) {
    std::fill_n(numbers.begin() + static_cast<std::ptrdiff_t>(one.offset), one.size(), 1.0F);
  }
  const Layout layout = form.layout(*program);
  std::deque<std::vector<float>> storage;
  const std::vector<base::Tensor> tensors = exchange::gather(layout, numbers, storage);
  const auto path = files().path() / "model.safetensors";
  require(bool(base::write_safetensors(path, tensors, {})));
  const auto file = base::SafetensorsFile::read(path);
  require(bool(file));
  const auto again = exchange::scatter(layout, *file, "model.safetensors", program->buffer_size,
                                       [](std::string_view) { return false; });
  require(again && *again == numbers);
}

void feed(std::string_view text) {
  const auto config = read_config(text);
  if (!config) return require(is_one_line(config.error().message));
  for (const Form& form : {transformer_lens, huggingface}) {
    const auto read = form.read(*config);
    if (!read) {
      require(is_one_line(read.error().message));
      continue;
    }
    const auto seen = form.as_seen(*read);
    require(seen && *seen == *read);
    const auto written = read_config(form.write(*read).dump());
    require(bool(written));
    const auto again = form.read(*written);
    require(again && *again == *read);
    check_layout(form, *read);
  }
}

}  // namespace
}  // namespace lookback::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lookback::fuzz::feed({reinterpret_cast<const char*>(data), size});
  return 0;
}
