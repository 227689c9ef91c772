// CrashPoint: places at which a test lets the process die, as kill -9 would.

#pragma once

#include <cstdint>

namespace flowstore {

// Each is just behind what it names, and a kill there must not lose anything that was answered.
enum class CrashPoint : std::uint8_t {
  // A file of localfs that is written as a whole.
  temp_piece_written,  // of a body that is too large to wait in memory
  temp_written,
  temp_synced,
  folder_made,
  file_published,  // has its name; the folder has not been synced
  folder_synced,
  // An append.
  append_opened,
  append_piece_written,
  append_written,
  append_synced,
  // A change that goes by way of the write-ahead log.
  log_written,
  log_synced,
  file_rewritten,  // in place; its time has not been set
  log_applied,     // one of the changes of a frame
  log_checkpointed,
  // Removals.
  file_unlinked,
  tree_file_unlinked,  // one of them
  tree_folder_unlinked,
  // The count of a project's bytes.
  growth_announced,
  growth_unsettled,  // the file is there, its announcement still open
  // Context: one transaction of several requests.
  sqlite_written,
  sqlite_committed,
  postgres_begun,
  postgres_committed,
  // Objects of S3.
  object_changed,
  upload_begun,
  part_sent,
  part_copied,
  upload_filled,  // all parts are there
  upload_completed,
};

#ifdef FLOWSTORE_CRASH_POINTS

inline constexpr bool kHasCrashPoints = true;

// Reads FLOWSTORE_CRASH_AT from the environment: "name:N" kills the process when it passes that
// point for the Nth time; "list" prints all names and ends it; anything else ends it with 2. For
// main(), before there are threads.
void arm_crash_points();

// Never returns when its time has come. From any thread.
void crash_point(CrashPoint point) noexcept;

#else

// Other builds contain none of it.
inline constexpr bool kHasCrashPoints = false;
inline void arm_crash_points() {}
inline void crash_point(CrashPoint /*point*/) noexcept {}

#endif

}  // namespace flowstore
