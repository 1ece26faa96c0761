// Vectors of numbers that start at a cache line.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "lookback/base/memory.h"

namespace lookback::base {

/// The longest vector register of any instruction set we run on, and a cache line.
inline constexpr std::size_t cache_line = 64;

/// malloc aligns to 16 bytes, and for memory it maps it returns the 16th byte of a page: then every
/// 64-byte load and every second 32-byte load would straddle two cache lines.
template <class T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <class Other>
  AlignedAllocator(const AlignedAllocator<Other>& /*all are alike*/) {}

  /// Throws OutOfMemory.
  T* allocate(std::size_t count) {
    void* const memory =
        ::operator new (count * sizeof(T), std::align_val_t{cache_line}, std::nothrow);
    if (memory == nullptr) throw OutOfMemory(count * sizeof(T));
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t /*count*/) {
    ::operator delete (memory, std::align_val_t{cache_line});
  }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace lookback::base
