#include "config/problem.h"

#include <algorithm>

namespace flowstore::config {

std::string to_text(const Problem& problem) {
  std::string where = problem.file;
  if (problem.line > 0) where += ":" + std::to_string(problem.line);
  if (problem.key.empty()) return "Failed to read config file " + where + ": " + problem.message;
  return where + ": " + problem.key + ": " + problem.message;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  std::string shown(text.substr(0, kLongest));
  // A character cut in two would make the whole line invalid UTF-8.
  if (text.size() > kLongest) {
    while (!shown.empty() && (shown.back() & 0x80) != 0) shown.pop_back();
    shown += "...";
  }
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return '"' + shown + '"';
}

void Problems::reject(std::string key, int line, std::string message) {
  add(Problem{file_, line, std::move(key), std::move(message), true});
}

void Problems::warn(std::string key, int line, std::string message) {
  add(Problem{file_, line, std::move(key), std::move(message), false});
}

void Problems::add(Problem problem) {
  if (!is_full()) {
    problems_.push_back(std::move(problem));
    return;
  }
  Problem& last = problems_.back();
  last = Problem{file_, 0, "(more)", "there are more problems than are shown; start with these",
                 last.is_fatal || problem.is_fatal};
}

}  // namespace flowstore::config
