#include "base/crash_point.h"

#ifdef FLOWSTORE_CRASH_POINTS

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <unistd.h>

namespace flowstore {
namespace {

// In the order of CrashPoint.
constexpr std::array<std::string_view, 30> kNames = {
    "temp_piece_written", "temp_written",         "temp_synced",      "folder_made",
    "file_published",     "folder_synced",        "append_opened",    "append_piece_written",
    "append_written",     "append_synced",        "log_written",      "log_synced",
    "file_rewritten",     "log_applied",          "log_checkpointed", "file_unlinked",
    "tree_file_unlinked", "tree_folder_unlinked", "growth_announced", "growth_unsettled",
    "sqlite_written",     "sqlite_committed",     "postgres_begun",   "postgres_committed",
    "object_changed",     "upload_begun",         "part_sent",        "part_copied",
    "upload_filled",      "upload_completed"};
static_assert(kNames.size() == static_cast<std::size_t>(CrashPoint::upload_completed) + 1);

constexpr std::size_t kNowhere = kNames.size();

std::atomic<std::size_t> armed = kNowhere;
std::atomic<int> passes_left = 0;

// Which point and at which pass; kNowhere if it is nothing of that kind.
std::size_t parse(std::string_view text, int& passes) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return kNowhere;
  const std::string_view number = text.substr(colon + 1);
  const char* const end = number.data() + number.size();
  const auto [rest, error] = std::from_chars(number.data(), end, passes);
  if (error != std::errc() || rest != end || passes < 1) return kNowhere;
  std::size_t point = 0;
  while (point < kNames.size() && kNames.at(point) != text.substr(0, colon)) ++point;
  return point;
}

[[noreturn]] void list_and_exit() {
  for (const std::string_view name : kNames) std::cout << name << '\n';
  std::exit(0);
}

}  // namespace

void arm_crash_points() {
  const char* const wanted = std::getenv("FLOWSTORE_CRASH_AT");
  if (wanted == nullptr) return;
  if (std::string_view(wanted) == "list") list_and_exit();
  int passes = 0;
  const std::size_t point = parse(wanted, passes);
  if (point == kNowhere) {
    std::cerr << "FLOWSTORE_CRASH_AT=" << wanted << " is not NAME:N; \"list\" prints the names\n";
    std::exit(2);
  }
  passes_left = passes;
  armed = point;
}

void crash_point(CrashPoint point) noexcept {
  if (static_cast<std::size_t>(point) != armed.load(std::memory_order_relaxed)) return;
  if (passes_left.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

}  // namespace flowstore

#endif
