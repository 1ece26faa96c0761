#include "lookback/report/page_template.h"

// Defined by an assembler source that the build makes around the page's bytes (cmake/Page.cmake).
extern "C" const char lookback_page_begin[];
extern "C" const char lookback_page_end[];

namespace lookback::report {

std::string_view page_template() { return {lookback_page_begin, lookback_page_end}; }

}  // namespace lookback::report
