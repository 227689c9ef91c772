// Problem: one thing wrong with the configuration, said so that its author can mend it.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flowstore::config {

struct Problem {
  std::string file;     // a path, "FF_FS_TEST_CONFIG", "environment" or "command line"
  int line = 0;         // from 1; 0 where there is none
  std::string key;      // such as "driver.type"; empty if the file as a whole cannot be read
  std::string message;  // what is wrong and what to do; never holds a secret
  bool is_fatal = true;

  bool operator==(const Problem&) const = default;
};

// One line: `etc/flowforge-storage.yml:12: driver.type: "s4" is no driver; use localfs or memory`.
std::string to_text(const Problem& problem);

// Text of the file, fit for a message: in quotes, on one line, and cut where it gets long.
std::string in_quotes(std::string_view text);

// Collects what is wrong with one file. Keeps the first hundred and says that there is more, so
// that no file can make it long or slow.
class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  // Something in the file. `line` 0: none.
  void reject(std::string key, int line, std::string message);
  void warn(std::string key, int line, std::string message);
  // Something elsewhere.
  void add(Problem problem);

  // Nothing more is kept; whoever works hard on a message may leave it.
  bool is_full() const noexcept { return problems_.size() >= kLimit; }
  const std::string& file() const noexcept { return file_; }
  const std::vector<Problem>& all() const noexcept { return problems_; }

 private:
  static constexpr std::size_t kLimit = 100;

  std::string file_;
  std::vector<Problem> problems_;
};

}  // namespace flowstore::config
