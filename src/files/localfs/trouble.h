// Trouble: what errno means for a client, and what an operator reads about it.

#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/log_pace.h"
#include "files/file_key.h"

namespace flowstore::files::localfs {

// The one place that turns errno into an Error. Trouble that is not the client's is logged with its
// cause, at most a few lines a second. Safe to use from any thread.
class Trouble {
 public:
  // Both must outlive it.
  Trouble(Log& log, const Clock& clock) : log_(log), pace_(clock) {}

  // `operation` is the word of Node.js' messages: "open", "unlink", "scandir".
  Error translate(int error, const FileKey& key, std::string_view operation);

  // The same where no file is concerned; `path` is for the log only.
  Error translate(int error, std::string_view path, std::string_view operation);

 private:
  void report(int error, std::string_view path, std::string_view operation);

  Log& log_;
  LogPace pace_;
};

}  // namespace flowstore::files::localfs
