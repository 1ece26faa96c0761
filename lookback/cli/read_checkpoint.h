// Reads what a report shows of a checkpoint, once: the part that needs models, which the report
// does not know about.
#pragma once

#include "lookback/report/load_study.h"

namespace lookback::cli {

/// Maps on the first held-out sequence of the study's first arm, and the corners of the circuits.
/// An arm that cannot run the sequence (its context is shorter, or its vocabulary smaller), or has
/// too many heads for their maps to fit a page, has a fault instead of maps.
report::StudyReaders study_readers();

}  // namespace lookback::cli
