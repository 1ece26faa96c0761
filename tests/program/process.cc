#include "tests/program/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <utility>

#include "lookback/base/file.h"

namespace lookback::program::spec {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds glance(1);

/// "NAME=value", the test's own with the command's over them.
std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!command.environment.contains(text.substr(0, text.find('=')))) entries.push_back(text);
  }
  for (const auto& [name, value] : command.environment) {
    entries.push_back(fmt::format("{}={}", name, value));
  }
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// In the child.
bool send_stderr(Stderr where) {
  if (where == Stderr::closed) return ::close(2) == 0;
  int ends[2] = {-1, -1};
  if (where == Stderr::kept) return true;
  return ::pipe(ends) == 0 && ::dup2(ends[1], 2) == 2 && ::close(ends[0]) == 0 &&
         ::close(ends[1]) == 0;
}

/// In the child, before the program: nothing here allocates.
[[noreturn]] void become(char* const* arguments, char* const* environment, const char* out,
                         const char* err, const Command& command,
                         const std::function<bool()>& prepare) {
  // Whatever started the tests may ignore them.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signal, SIG_DFL);
  const int from = ::open("/dev/null", O_RDONLY);
  const int to = ::open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int errors = ::open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  bool ready = from >= 0 && to >= 0 && errors >= 0 && ::dup2(from, 0) == 0 && ::dup2(to, 1) == 1 &&
               ::dup2(errors, 2) == 2;
  if (command.largest_file) {
    const rlimit limit{*command.largest_file, *command.largest_file};
    ready = ready && ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
  }
  ready = ready && send_stderr(command.err) && (!prepare || prepare());
  if (ready) ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

std::string text_of(const std::filesystem::path& file) {
  const Result<std::string> text = base::read_file(file, std::size_t{1} << 26);
  return text ? *text : std::string();
}

}  // namespace

Command lookback(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), LOOKBACK_PROGRAM);
  return {std::move(arguments), {}, {}, {}, Stderr::kept};
}

Process::Process(const Command& command, const std::function<bool()>& prepare)
    : out_(command.out_file.empty() ? output_ / "out" : command.out_file), err_(output_ / "err") {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = environment_of(command);
  const std::vector<char*> argument_list = pointers(arguments);
  const std::vector<char*> environment_list = pointers(environment);
  pid_ = ::fork();
  if (pid_ == 0) {
    become(argument_list.data(), environment_list.data(), out_.c_str(), err_.c_str(), command,
           prepare);
  }
  EXPECT_GT(pid_, 0) << "cannot fork";
}

Process::~Process() {
  if (pid_ <= 0 || has_ended()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::send(int signal) const {
  if (pid_ > 0 && !status_) ::kill(pid_, signal);
}

bool Process::has_ended() {
  int status = 0;
  if (!status_ && pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_.has_value();
}

bool Process::runs_for(std::chrono::microseconds time) {
  const Clock::time_point end = Clock::now() + time;
  while (!has_ended()) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - Clock::now());
    if (left.count() <= 0) return true;
    std::this_thread::sleep_for(std::min<std::chrono::microseconds>(left, glance));
  }
  return false;
}

Ended Process::wait(std::chrono::seconds limit) {
  if (pid_ <= 0) return {};
  if (runs_for(limit)) {
    ADD_FAILURE() << "still running after " << limit.count() << " s; stderr:\n" << text_of(err_);
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    status_ = status;
  }
  Ended ended;
  if (WIFEXITED(*status_)) ended.exit_code = WEXITSTATUS(*status_);
  if (WIFSIGNALED(*status_)) ended.signal = WTERMSIG(*status_);
  if (out_.parent_path() == output_.path()) ended.out = text_of(out_);
  ended.err = text_of(err_);
  return ended;
}

Ended run(const Command& command) { return Process(command).wait(); }

}  // namespace lookback::program::spec
