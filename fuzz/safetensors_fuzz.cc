// Any bytes as a safetensors file: refused in one line, or read into tensors that hold what they say.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lookback/base/safetensors.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_one_line(const std::string& message) {
  return !message.empty() && message.find('\n') == std::string::npos;
}

void check_tensor(const lookback::Result<lookback::base::Tensor>& tensor, const std::string& name) {
  if (!tensor) return require(is_one_line(tensor.error().message));  // a dtype that is not read
  require(tensor->name == name);
  std::size_t product = 1;
  for (const std::size_t size : tensor->shape) product *= size;
  require(product == tensor->values.size());
  float sum = 0;
  for (const float value : tensor->values) sum += value;  // every value lies in memory
  volatile float seen = sum;
  static_cast<void>(seen);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto file = lookback::base::SafetensorsFile::parse(bytes, "fuzz.safetensors");
  if (!file) {
    require(is_one_line(file.error().message));
    return 0;
  }
  for (const std::string& name : file->names()) {
    require(file->contains(name));
    check_tensor(file->find(name), name);
  }
  require(!file->find("a tensor that no file has, or its name is found"));
  return 0;
}
