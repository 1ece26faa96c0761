#include "lookback/model/program.h"

#include <algorithm>

#include "lookback/base/random.h"

namespace lookback::model {

std::size_t Program::parameter_count() const {
  std::size_t count = 0;
  for (const ParameterInfo& parameter : parameters) count += parameter.size();
  return count;
}

const ParameterInfo* Program::find_parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &ParameterInfo::name);
  return found == parameters.end() ? nullptr : &*found;
}

std::vector<float> initialize(const Program& program, std::uint64_t seed) {
  std::vector<float> buffer(program.buffer_size);
  for (std::size_t p = 0; p < program.parameters.size(); ++p) {
    const ParameterInfo& info = program.parameters[p];
    const auto begin = buffer.begin() + static_cast<std::ptrdiff_t>(info.offset);
    if (info.start == ParameterInfo::Start::ones) std::fill_n(begin, info.size(), 1.0F);
    if (info.start != ParameterInfo::Start::normal) continue;
    base::RandomStream stream(seed, base::StreamPurpose::initialization, p);
    std::generate_n(begin, info.size(),
                    [&] { return static_cast<float>(info.deviation * stream.normal()); });
  }
  return buffer;
}

}  // namespace lookback::model
