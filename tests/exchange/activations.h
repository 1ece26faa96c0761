// Every activation of a model on a few sequences, in a file for programs in Python.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"
#include "lookback/study/saved_model.h"

namespace lookback::exchange::spec {

/// Runs two sequences of random tokens, shorter than the context. F32 tensors: "tokens" [B,T], and
/// every activation under its name: [B,T,D] for streams ("logits" too), [B,H,T,...] for heads, H
/// counted over the steps of a layer.
Status write_activations(const study::SavedModel& model, const std::filesystem::path& file);

}  // namespace lookback::exchange::spec
