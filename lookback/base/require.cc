#include "lookback/base/require.h"

#include <cstdio>
#include <cstdlib>

namespace lookback::base {

void abort_on_breach(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: requires %s\n", file, line, condition);
  std::abort();
}

}  // namespace lookback::base
