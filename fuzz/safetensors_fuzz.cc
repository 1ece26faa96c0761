// Any bytes as a safetensors file: refused in one line, or read into tensors that hold what they say.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "lookback/base/safetensors.h"

namespace lookback::fuzz {
namespace {

void check_tensor(const Result<base::Tensor>& tensor, const std::string& name) {
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

/// One input: as parse() takes it.
void feed(std::string_view bytes) {
  const auto file = base::SafetensorsFile::parse(bytes, "fuzz.safetensors");
  if (!file) return require(is_one_line(file.error().message));
  for (const std::string& name : file->names()) {
    require(file->contains(name));
    check_tensor(file->find(name), name);
  }
}

}  // namespace
}  // namespace lookback::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lookback::fuzz::feed({reinterpret_cast<const char*>(data), size});
  return 0;
}
