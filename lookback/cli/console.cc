#include "lookback/cli/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <vector>

#include "lookback/base/count.h"
#include "lookback/base/workers.h"
#include "lookback/cli/commands.h"

namespace lookback::cli {
namespace {

/// Those that request a stop. nohup ignores SIGHUP, and a blocked signal waits even where it is ignored.
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    sigaddset(&set, SIGHUP);
  }
  return set;
}

std::string duration_text(double seconds) {
  const long whole = std::lround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

}  // namespace

void tell(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

int exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_input:
    case ErrorKind::not_found:
      return 2;
    case ErrorKind::stopped:
      return 3;
    case ErrorKind::busy:
      return 4;
    case ErrorKind::failed:
      break;
  }
  return failure;
}

int fail(const Error& error) {
  tell(fmt::format("lookback: {}\n", error.message));
  return exit_code_of(error.kind);
}

int fail_run(const Error& error) {
  if (error.kind != ErrorKind::stopped) return fail(error);
  return fail({"stopped; the same command with --resume continues to the same result", error.kind});
}

double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

Result<std::optional<std::uint64_t>> read_count(const std::string& option,
                                                const std::string& text) {
  if (text.empty()) return std::optional<std::uint64_t>{};
  const Result<std::uint64_t> count = base::parse_count(text);
  if (!count) return count.error().at(option);
  if (*count == 0) return Error{fmt::format("{}: found 0, allowed: 1 or more", option)};
  return std::optional<std::uint64_t>(*count);
}

Result<std::string> read_input(const std::string& name, std::size_t max_bytes) {
  std::string text;
  std::vector<char> block(std::size_t{1} << 16);
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), stdin)) {
    text.append(block.data(), got);
    if (text.size() > max_bytes) {
      return Error{fmt::format("{}: found more than {} bytes on standard input, which is the limit",
                               name, max_bytes)};
    }
  }
  if (std::ferror(stdin) != 0) {
    return Error{fmt::format("{}: cannot read standard input: {}", name, std::strerror(errno)),
                 ErrorKind::failed};
  }
  return text;
}

std::size_t threads_of(const std::optional<std::size_t>& given) {
  return given ? *given : base::usable_processors();
}

// request_stop() is not for signal handlers: it locks, and calls callbacks. So the signals are blocked in
// every thread, and one waits for them.
StopSignal::StopSignal() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiting_ = std::jthread([this](const std::stop_token& ended) { wait_for_signals(ended); });
}

StopSignal::~StopSignal() {
  waiting_.request_stop();
  // To that thread alone, which waits for it and sees that it is over. Not SIGHUP or SIGINT: where those are
  // ignored, as under nohup, it would never come.
  // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread): it is blocked, and ends nothing
  pthread_kill(waiting_.native_handle(), SIGTERM);
  waiting_.join();
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void StopSignal::wait_for_signals(const std::stop_token& ended) {
  constexpr double one_wish =
      1;  // seconds in which a wrapper may pass on what the terminal sent too
  const sigset_t set = stop_signals();
  double asked = 0;
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0 || ended.stop_requested()) return;
    if (source_.request_stop()) {
      asked = seconds_now();
    } else if (signal != SIGHUP && seconds_now() - asked > one_wish) {
      std::signal(signal, SIG_DFL);  // a shell lets its background jobs ignore Ctrl-C
      pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
      std::raise(signal);
    }
  }
}

std::string progress_line(const study::Progress& p, const study::Study* study) {
  const std::string place =
      study == nullptr
          ? ""
          : fmt::format("run {} of {}, ", study->run_number(p.arm, p.seed), study->run_count());
  return fmt::format("{}{} seed {}: {} of {} tokens, loss {:.3f}, {:.0f} tokens/s, {} left", place,
                     p.arm, p.seed, base::count_text(p.tokens), base::count_text(p.tokens_of_run),
                     p.loss, p.tokens_per_second, duration_text(p.seconds_left));
}

ConsoleProgress::~ConsoleProgress() { clear_line(); }

void ConsoleProgress::clear_line() {
  if (line_open_) tell("\r\033[K");
  line_open_ = false;
}

void ConsoleProgress::message(const std::string& line) {
  clear_line();
  tell(line + '\n');
}

bool ConsoleProgress::is_due() {
  const double now = seconds_now();
  if (now - last_printed_ < (isatty(STDERR_FILENO) != 0 ? 0.2 : 15.0)) return false;
  last_printed_ = now;
  return true;
}

void ConsoleProgress::show_progress(const std::string& line) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  tell(terminal ? "\r\033[K" + line : line + '\n');
  line_open_ = terminal;
}

void ConsoleProgress::progress(const study::Progress& p) {
  if (!is_due()) return;
  show_progress(progress_line(p, study_));
}

void ConsoleProgress::progress(const std::string& task, std::size_t done, std::size_t all) {
  if (task != task_.name || done <= task_.done) {           // or the same of another model
    if (task_.name.empty()) last_printed_ = seconds_now();  // what is soon done needs no line
    task_ = {task, seconds_now(), done, done};
    return;
  }
  task_.done = done;
  if (!is_due()) return;
  const double rate = static_cast<double>(done - task_.first_done) / (seconds_now() - task_.begun);
  show_progress(fmt::format("{}: {} of {} requests, {:.{}f}/s, {} left", task, done, all, rate,
                            rate < 10 ? 1 : 0,
                            duration_text(static_cast<double>(all - done) / rate)));
}

}  // namespace lookback::cli
