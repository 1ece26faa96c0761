#include "tests/program/faults.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <optional>

namespace lookback::program::spec {
namespace {

/// Where a system call says which file it means.
enum class Names { first_path, second_path, descriptor };

struct KnownCall {
  int number;
  const char* name;
  Names names;
};

constexpr KnownCall known_calls[] = {
    {SYS_openat, "open", Names::second_path},       {SYS_newfstatat, "stat", Names::second_path},
    {SYS_statx, "stat", Names::second_path},        {SYS_faccessat, "access", Names::second_path},
    {SYS_faccessat2, "access", Names::second_path}, {SYS_mkdirat, "mkdir", Names::second_path},
    {SYS_unlinkat, "unlink", Names::second_path},   {SYS_renameat, "rename", Names::second_path},
    {SYS_renameat2, "rename", Names::second_path},  {SYS_read, "read", Names::descriptor},
    {SYS_readv, "read", Names::descriptor},         {SYS_pread64, "read", Names::descriptor},
    {SYS_write, "write", Names::descriptor},        {SYS_writev, "write", Names::descriptor},
    {SYS_pwrite64, "write", Names::descriptor},     {SYS_fsync, "sync", Names::descriptor},
    {SYS_fdatasync, "sync", Names::descriptor},     {SYS_fstat, "fstat", Names::descriptor},
    {SYS_close, "close", Names::descriptor},        {SYS_ftruncate, "truncate", Names::descriptor},
    {SYS_flock, "lock", Names::descriptor},         {SYS_lseek, "seek", Names::descriptor},
    {SYS_getdents64, "list", Names::descriptor},
#ifdef SYS_open  // older architectures have these beside those above
    {SYS_open, "open", Names::first_path},          {SYS_stat, "stat", Names::first_path},
    {SYS_lstat, "stat", Names::first_path},         {SYS_access, "access", Names::first_path},
    {SYS_mkdir, "mkdir", Names::first_path},        {SYS_rmdir, "rmdir", Names::first_path},
    {SYS_unlink, "unlink", Names::first_path},      {SYS_rename, "rename", Names::first_path},
#endif
};
constexpr std::size_t call_count = std::size(known_calls);

/// Asks the watcher about the known calls and allows all others.
std::array<sock_filter, 2 * call_count + 2> watching_filter() {
  std::array<sock_filter, 2 * call_count + 2> filter{};
  std::size_t at = 0;
  filter[at++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (const KnownCall& call : known_calls) {
    filter[at++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(call.number), 0, 1);
    filter[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  }
  filter[at] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  return filter;
}

/// Of this very process, from now on and for what it becomes; the descriptor of its calls, or -1.
int start_being_watched(sock_filter* filter, std::size_t size) {
  const sock_fprog program{static_cast<unsigned short>(size), filter};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

/// Room for one descriptor beside one byte.
struct DescriptorMessage {
  DescriptorMessage() {
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  char byte = 0;
  iovec piece{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
};

bool send_descriptor(int socket, int descriptor) {
  DescriptorMessage message;
  cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(control), &descriptor, sizeof(int));
  return ::sendmsg(socket, &message.header, 0) == 1;
}

int receive_descriptor(int socket) {
  DescriptorMessage message;
  if (::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC) != 1) return -1;
  const cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  if (control == nullptr || control->cmsg_type != SCM_RIGHTS) return -1;
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(control), sizeof(int));
  return descriptor;
}

/// The text at an address of another process.
std::string text_at(pid_t process, std::uint64_t address) {
  std::array<char, PATH_MAX> bytes{};
  const iovec here{bytes.data(), bytes.size()};
  // The page after the one where it begins may not be there: what can be read is enough.
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = std::min<std::uint64_t>(page - address % page, bytes.size());
  char* const begin = reinterpret_cast<char*>(address);  // NOLINT: of the other process
  const std::array<iovec, 2> there{{{begin, first}, {begin + first, bytes.size() - first}}};
  const ssize_t got = ::process_vm_readv(process, &here, 1, there.data(), there.size(), 0);
  if (got <= 0) return {};
  return {bytes.data(), ::strnlen(bytes.data(), static_cast<std::size_t>(got))};
}

std::string file_of(pid_t process, std::uint64_t descriptor) {
  std::error_code none;
  return std::filesystem::read_symlink(
             "/proc/" + std::to_string(process) + "/fd/" + std::to_string(descriptor), none)
      .string();
}

std::optional<FileCall> file_call(const seccomp_notif& asked, const std::string& directory) {
  const auto* call = std::ranges::find(known_calls, asked.data.nr, &KnownCall::number);
  if (call == std::end(known_calls)) return std::nullopt;
  const auto process = static_cast<pid_t>(asked.pid);
  std::string file;
  switch (call->names) {
    case Names::first_path:
      file = text_at(process, asked.data.args[0]);
      break;
    case Names::second_path:
      file = text_at(process, asked.data.args[1]);
      if (file.empty()) file = file_of(process, asked.data.args[0]);  // of the descriptor itself
      if (!file.starts_with('/')) {
        file = file_of(process, asked.data.args[0]) + "/" + file;  // of a directory's descriptor
      }
      break;
    case Names::descriptor:
      file = file_of(process, asked.data.args[0]);
      break;
  }
  if (!file.starts_with(directory)) return std::nullopt;
  return std::string(call->name) + " " + file;
}

/// Answers the calls of a process until it has ended.
class Watcher {
 public:
  Watcher(int listener, std::string directory, const Fault* fault)
      : listener_(listener), directory_(std::move(directory)), fault_(fault) {}
  ~Watcher() { ::close(listener_); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  std::vector<FileCall> watch() {
    constexpr int patience = 60'000;  // milliseconds without a call
    pollfd waiting{listener_, POLLIN, 0};
    while (::poll(&waiting, 1, patience) > 0 && (waiting.revents & POLLIN) != 0) {
      if (!answer()) break;
    }
    return std::move(calls_);
  }

 private:
  /// Whether the process goes on.
  bool answer() {
    seccomp_notif asked{};
    if (::ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) return errno == ENOENT;
    seccomp_notif_resp answer{asked.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    if (std::optional<FileCall> call = file_call(asked, directory_)) {
      const bool now = fault_ != nullptr && fault_->call == calls_.size();
      calls_.push_back(*std::move(call));
      if (now && fault_->error == 0) {
        ::kill(static_cast<pid_t>(asked.pid), SIGKILL);
        return false;
      }
      if (now) answer = {asked.id, 0, -fault_->error, 0};
    }
    return ::ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 || errno == ENOENT;
  }

  int listener_;
  std::string directory_;
  const Fault* fault_;
  std::vector<FileCall> calls_;
};

}  // namespace

bool can_watch_calls() {
  int exit_status = 1;
  const pid_t child = ::fork();
  if (child == 0) {
    auto filter = watching_filter();
    ::_exit(start_being_watched(filter.data(), filter.size()) < 0 ? 1 : 0);
  }
  ::waitpid(child, &exit_status, 0);
  return WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0;
}

Watched watch(const Command& command, const std::filesystem::path& directory, const Fault* fault) {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    ADD_FAILURE() << "no sockets: " << std::strerror(errno);
    return {};
  }
  auto filter = watching_filter();
  Process process(command, [&] {
    const int listener = start_being_watched(filter.data(), filter.size());
    return listener >= 0 && send_descriptor(sockets[1], listener);
  });
  ::close(sockets[1]);
  const int listener = receive_descriptor(sockets[0]);
  ::close(sockets[0]);
  Watched watched;
  if (listener < 0) {
    ADD_FAILURE() << "cannot watch the calls of " << command.arguments.front();
  } else {
    watched.calls = Watcher(listener, directory.string() + "/", fault).watch();
  }
  watched.ended = process.wait();
  return watched;
}

}  // namespace lookback::program::spec
