// What a report shows of a checkpoint, read from it once: the models that the report does not know.
#pragma once

#include "lookback/report/load_study.h"

namespace lookback::cli {

/// Maps on the first held-out sequence of the study's first arm, and the corners of the circuits. An
/// arm that cannot run the sequence (its context is shorter, or its vocabulary smaller), or has so
/// many heads that no page could hold their maps, has a fault in the place of maps.
report::StudyReaders study_readers();

}  // namespace lookback::cli
