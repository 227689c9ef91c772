#include "context/bad_rows.h"

namespace flowstore::context {
namespace {

constexpr std::chrono::minutes kPause{1};

}  // namespace

void BadRows::report(std::string_view project, std::string_view scope, std::string_view reason) {
  const auto now = clock_.now().time_since_epoch();
  std::int64_t due = next_line_.load();
  const bool is_due = now.count() >= due;
  if (!is_due ||
      !next_line_.compare_exchange_strong(due, (now + Clock::Duration(kPause)).count())) {
    silenced_.fetch_add(1);
    return;
  }
  LogFields fields;
  fields.text("project", project).text("scope", scope).text("reason", reason);
  fields.number("notReported", static_cast<std::int64_t>(silenced_.exchange(0)));
  log_.error("context: a row holds no JSON object and is left out", fields);
}

}  // namespace flowstore::context
