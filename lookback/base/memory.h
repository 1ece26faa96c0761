// How much memory there is, and running out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>

namespace lookback::base {

/// Memory ran out, and how much more was needed. Whoever catches std::bad_alloc catches it too.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::size_t bytes) : bytes_(bytes) {}
  const char* what() const noexcept override { return "not enough memory"; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
};

/// The bytes that this process can still get: what the machine has free (caches that it would give up
/// and swap space included), and no more than its control group and its address space leave it. None
/// where the system does not say. It changes all the time.
std::optional<std::uint64_t> available_memory();

/// "312 MiB", "5.8 GiB".
std::string memory_text(std::uint64_t bytes);

}  // namespace lookback::base
