// How much memory there is, and running out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>

namespace lookback::base {

/// Memory ran out, and how much more was needed. Handlers of std::bad_alloc catch it too.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::size_t bytes) : bytes_(bytes) {}
  const char* what() const noexcept override { return "not enough memory"; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
};

/// The bytes that this process can still get: what the machine has free (including swap space and
/// caches it would give up), limited by its control group and address space. None if the system
/// does not say. It changes all the time.
std::optional<std::uint64_t> available_memory();

/// "312 MiB", "5.8 GiB".
std::string memory_text(std::uint64_t bytes);

}  // namespace lookback::base
