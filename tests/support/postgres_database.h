// What the tests of the context driver for PostgreSQL share.

#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "context/postgres/postgres_store.h"
#include "metrics/registry.h"
#include "support/postgres_session.h"
#include "support/sample.h"

namespace flowstore::context::postgres {

// A value that counts, and the mutation that makes it one more.
inline std::string numbered(std::uint64_t number) {
  return "{\"n\":" + std::to_string(number) + "}";
}
inline std::uint64_t number_in(std::string_view text) {
  return std::stoull(std::string(text.substr(text.find(':') + 1)));
}
inline Result<NewValues> add_one(std::optional<std::string_view> present) {
  return NewValues(numbered(present ? number_in(*present) + 1 : 1));
}

// The projects whose row in flowstore_usage is not what a fresh count gives; empty is right.
inline std::vector<Session::Row> wrong_usage(Session& session) {
  return session.query(R"(
    SELECT COALESCE(u.project, c.project), u.chars, c.chars, u.rows, c.rows FROM
      (SELECT * FROM flowstore_usage WHERE rows > 0 OR chars > 0) AS u
      FULL JOIN (SELECT project, SUM(LENGTH("values"::text)) AS chars, COUNT(*) AS rows
                 FROM "Contexts" GROUP BY project) AS c ON c.project = u.project
    WHERE u.chars IS DISTINCT FROM c.chars OR u.rows IS DISTINCT FROM c.rows)");
}

// What a store needs to live, and the store: one flowstore process.
class Process {
 public:
  // `log`: where its lines go; it has none, if that is no file.
  explicit Process(const Options& options, int log = -1)
      : log_(log < 0 ? LogLevel::silent : LogLevel::info, LogFormat::json, clock_,
             log < 0 ? 1 : log) {
    auto made = make_store(options, clock_, log_, registry_);
    if (!made) throw std::runtime_error(made.error().message());
    store_ = *std::move(made);
  }

  ContextStore& store() { return *store_; }
  ContextStore* operator->() { return store_.get(); }
  double metric(const std::string& sample) const { return sample_in(registry_.text(), sample); }

 private:
  SystemClock clock_;
  Log log_;
  metrics::Registry registry_;
  std::unique_ptr<ContextStore> store_;
};

// Sets the only row of the project.
inline Status replace(Process& process, const std::string& project, const std::string& values) {
  const Caller caller;
  const RowKey key(project, "s");
  return run(process->replace(caller, key, values, std::nullopt));
}

// Of what is expected to fail: internal if it did not.
inline ErrorKind kind_of(const Status& status) {
  return status ? ErrorKind::internal : status.error().kind();
}

}  // namespace flowstore::context::postgres
