// What the commands share: printing errors, reading counts and standard input, threads, and the signals that stop them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "lookback/base/result.h"
#include "lookback/study/study.h"

namespace lookback::cli {

inline constexpr int most_threads = 1024;

/// Prints a text on stderr. Failing to print (a pipe without a reader, a log on a full disk) ends
/// nothing.
void tell(const std::string& text);

/// What the program exits with after an error of this kind: docs/formats.md, "Exit codes".
int exit_code_of(ErrorKind kind);

/// Prints "lookback: MESSAGE" on stderr and returns the exit code.
int fail(const Error& error);

/// The same for runs; after a stop the message says how to go on.
int fail_run(const Error& error);

/// Seconds of a clock that only runs forward.
double seconds_now();

/// "40M" and the like; an option that was not given is empty. Errors name the option.
Result<std::optional<std::uint64_t>> read_count(const std::string& option, const std::string& text);

/// Standard input to its end. Errors begin with `name`: more than `max_bytes`; it cannot be read.
Result<std::string> read_input(const std::string& name, std::size_t max_bytes);

/// The number given, or every processor this process may use.
std::size_t threads_of(const std::optional<std::size_t>& given);

/// Ctrl-C, SIGTERM and SIGHUP (a terminal that is closed; not under nohup) request a stop instead of
/// ending the process, as long as the object lives. A second Ctrl-C or SIGTERM, a second later or more,
/// ends the process. To be made before any other thread starts.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  std::stop_token token() const { return source_.get_token(); }

 private:
  void wait_for_signals(const std::stop_token& ended);

  std::stop_source source_;
  std::jthread waiting_;
};

/// "run 3 of 12, two-layer seed 0: 1.6M of 2M tokens, loss 2.345, 170000 tokens/s, 4 min 10 s left";
/// without a study the runs are not counted.
std::string progress_line(const study::Progress& progress, const study::Study* study);

/// Prints the progress of runs and of evaluations on stderr: one line that is rewritten if stderr
/// is a terminal, otherwise plain lines now and then.
class ConsoleProgress : public study::Listener {
 public:
  /// `study`, if there is one, is whose runs are counted; it must outlive this.
  explicit ConsoleProgress(const StopSignal& stop, const study::Study* study = nullptr)
      : stop_(stop.token()), study_(study) {}
  ~ConsoleProgress() override;
  ConsoleProgress(const ConsoleProgress&) = delete;
  ConsoleProgress& operator=(const ConsoleProgress&) = delete;
  void message(const std::string& line) override;
  void progress(const study::Progress& progress) override;
  /// For an evaluation: requests done out of all requests of `task`.
  void progress(const std::string& task, std::size_t done, std::size_t all);
  std::stop_token stop_token() const override { return stop_; }

 private:
  void clear_line();
  /// Whether enough time has passed since the last line.
  bool is_due();
  void show_progress(const std::string& line);

  std::stop_token stop_;
  const study::Study* study_;
  double last_printed_ = -1e9;
  bool line_open_ = false;
  struct {
    std::string name;
    double begun = 0;            // when we first heard of it,
    std::size_t first_done = 0;  // with so many requests done,
    std::size_t done = 0;        // and how many there are now
  } task_;
};

}  // namespace lookback::cli
