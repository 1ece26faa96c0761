#include "tests/serve/served.h"

#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "tests/serve/client.h"

namespace lookback::serve::spec {

const char* const page_text =
    "<!doctype html><title>page</title><script type=\"application/json\">{\"live\":true}</script>"
    "<script>alert(1)</script>";

void FakeStudy::set(const std::string& name, const std::string& text) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t version = parts_.contains(name) ? parts_[name]->version + 1 : 1;
  parts_[name] = std::make_shared<const report::PagePart>(report::PagePart{version, text});
}

void FakeStudy::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  parts_.erase(name);
}

void FakeStudy::fail(const std::optional<std::string>& message) {
  const std::lock_guard lock(mutex_);
  failure_ = message;
}

std::size_t FakeStudy::refreshes() const {
  const std::lock_guard lock(mutex_);
  return refreshes_;
}

Result<report::PageParts> FakeStudy::refresh() {
  const std::lock_guard lock(mutex_);
  ++refreshes_;
  if (failure_) return Error{*failure_};
  return parts_;
}

Served::Served(const Limits& limits, const std::string& host) {
  Options options;
  options.host = host;
  options.port = 0;
  options.directory = directory_.path();
  options.page = page_text;
  options.refresh = [study = study_] { return study->refresh(); };
  options.refresh_pause = std::chrono::milliseconds(5);
  options.tell = [told = told_](const Error& error) {
    const std::lock_guard lock(told->mutex);
    told->messages.push_back(error.message);
  };
  options.limits = limits;
  Result<std::unique_ptr<Server>> started = Server::start(std::move(options));
  if (!started) throw std::runtime_error(started.error().message);
  server_ = std::move(*started);
}

std::vector<std::string> Served::told() const {
  const std::lock_guard lock(told_->mutex);
  return told_->messages;
}

void Served::write(const std::string& path, const std::string& text) const {
  const std::filesystem::path file = directory_ / path;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

bool Served::answers() const {
  const auto until = std::chrono::steady_clock::now() + generous;
  while (std::chrono::steady_clock::now() < until) {
    const Answer answer = ask(port(), get("/"));
    if (answer.status == 200) return answer.body == page_text;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

void Served::wait_for_refresh() const {
  // The first that ends may have begun before; the one after it begins when that one is posted.
  const std::size_t wanted = study_->refreshes() + 2;
  while (study_->refreshes() < wanted) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace lookback::serve::spec
