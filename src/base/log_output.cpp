#include "base/log_output.h"

#include <algorithm>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace flowstore {
namespace {

// As many whole lines as a pipe takes without mixing them with those of other processes; a longer
// line is cut. After poll() such a piece does not block either.
std::string_view first_piece(std::string_view text) {
  if (text.size() <= PIPE_BUF) return text;
  const std::size_t last_feed = text.rfind('\n', PIPE_BUF - 1);
  return text.substr(0, last_feed == std::string_view::npos ? PIPE_BUF : last_feed + 1);
}

}  // namespace

LogOutput::LogOutput(int descriptor) : descriptor_(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)) {}

void LogOutput::write() {
  std::string_view rest(buffer_);
  while (!rest.empty()) {
    const std::size_t written = write_some(first_piece(rest));
    if (written == 0) break;
    rest.remove_prefix(written);
  }
  is_working_ = rest.empty();
  const auto lines = std::count(rest.begin(), rest.end(), '\n');
  lost_.fetch_add(static_cast<std::uint64_t>(lines), std::memory_order_relaxed);
  // A line that was cut ends before the next one begins.
  const std::size_t written = buffer_.size() - rest.size();
  const bool is_cut = !rest.empty() && written > 0 && buffer_[written - 1] != '\n';
  buffer_.assign(is_cut ? "\n" : "");
}

// How much of the piece was taken; 0 if nothing will be.
std::size_t LogOutput::write_some(std::string_view piece) {
  while (descriptor_) {
    if (!wait_for_room()) return 0;
    const ssize_t written = ::write(descriptor_.get(), piece.data(), piece.size());
    if (written > 0) return static_cast<std::size_t>(written);
    // A terminal or pipe that others made non-blocking says EAGAIN.
    if (written == 0 || (errno != EINTR && errno != EAGAIN)) return 0;
  }
  return 0;
}

// False if it has waited long enough. Also true when the reader has gone: write() says so.
bool LogOutput::wait_for_room() {
  pollfd output{descriptor_.get(), POLLOUT, 0};
  // Short waits, so that close() is noticed.
  while (::poll(&output, 1, waits_left_ > 0 ? 100 : 0) == 0) {
    if (waits_left_ == 0) return false;
    if (is_closing_.load(std::memory_order_relaxed)) --waits_left_;
  }
  return true;
}

}  // namespace flowstore
