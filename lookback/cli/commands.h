// The commands of the program, one file each.
#pragma once

#include <CLI/CLI.hpp>

namespace lookback::cli {

/// The program's exit codes.
inline constexpr int success = 0;
inline constexpr int failure = 1;
inline constexpr int wrong_usage = 2;

/// Each adds its command to `app`; `exit_code` is set when the command has run.
void add_study(CLI::App& app, int& exit_code);
void add_train(CLI::App& app, int& exit_code);
void add_inspect(CLI::App& app, int& exit_code);
void add_ledger(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_serve(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);
void add_construct(CLI::App& app, int& exit_code);
void add_eval(CLI::App& app, int& exit_code);
void add_generate(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);
void add_import(CLI::App& app, int& exit_code);
void add_tokens(CLI::App& app, int& exit_code);
void add_verify(CLI::App& app, int& exit_code);

}  // namespace lookback::cli
