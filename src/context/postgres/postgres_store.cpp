#include "context/postgres/postgres_store.h"

#include <cstdlib>
#include <utility>

#include "context/characters.h"
#include "context/postgres/engine.h"
#include "context/postgres/pages.h"
#include "context/postgres/statements.h"

namespace flowstore::context::postgres {
namespace {

// The length of both columns.
constexpr std::uint64_t kMostCharacters = 255;

Error too_long() {
  return {ErrorKind::invalid, "", "value too long for type character varying(255)"};
}

// The server would say the same, but of a whole transaction.
Status check_bytes(const std::string& name) {
  if (name.find('\0') == std::string::npos) return Status();
  return Error(ErrorKind::invalid, "", "invalid byte sequence for encoding \"UTF8\": 0x00");
}

Status check_bytes(const RowKey& key) {
  FLOWSTORE_TRY_STATUS(check_bytes(key.project));
  return check_bytes(key.scope);
}

// There is no row with a longer name, and there can be none.
bool fits_columns(const RowKey& key) {
  return characters(key.project) <= kMostCharacters && characters(key.scope) <= kMostCharacters;
}

class Store final : public ContextStore {
 public:
  Store(const Options& options, Tls tls, const Clock& clock, Log& log, metrics::Registry& registry)
      : patience_(options.patience), engine_(options, std::move(tls), clock, log, registry) {}

  Task<Result<std::optional<std::string>>> read(const Caller& caller, const RowKey& key) override {
    FLOWSTORE_CO_TRY_STATUS(check_bytes(key));
    const Runner::Asker asker(&caller, deadline());
    Pipeline pipeline;
    pipeline.add(sql::kRead, key.project, key.scope);
    auto work = [&] { return engine_.read(pipeline, asker); };
    FLOWSTORE_CO_TRY(const auto results, co_await engine_.call(key.project, 0, work));
    const Rows& rows = results.front();
    std::optional<std::string> values;
    if (rows.count() > 0) values = rows.text(0, 0);
    co_return values;
  }

  Task<Status> replace(const Caller& caller, const RowKey& key, NewValues values,
                       CharacterLimit limit) override {
    FLOWSTORE_CO_TRY_STATUS(check_bytes(key));
    if (!fits_columns(key)) {
      if (!values) co_return Status();
      co_return too_long();
    }
    Write write(Write::Kind::replace, caller, key, deadline());
    write.characters = values ? characters(*values) : 0;
    write.values = std::move(values);
    write.limit = limit;
    co_return co_await run(write);
  }

  Task<Status> update(const Caller& caller, const RowKey& key, Mutation mutation,
                      CharacterLimit limit) override {
    FLOWSTORE_CO_TRY_STATUS(check_bytes(key));
    if (!fits_columns(key)) {
      FLOWSTORE_CO_TRY(const NewValues values, mutation(std::nullopt));
      if (!values) co_return Status();
      co_return too_long();
    }
    Write write(Write::Kind::update, caller, key, deadline());
    write.mutation = std::move(mutation);
    write.limit = limit;
    co_return co_await run(write);
  }

  Task<Result<Page>> list(const Caller& caller, const std::string& project, std::int64_t after,
                          std::int64_t most) override {
    if (most < 0) co_return Error(ErrorKind::invalid, "", "LIMIT must not be negative");
    FLOWSTORE_CO_TRY_STATUS(check_bytes(project));
    const Runner::Asker asker(&caller, deadline());
    auto work = [&] { return read_page(engine_, asker, project, after, most, patience_); };
    co_return co_await engine_.call(project, 0, work);
  }

  Task<Status> clean(const Caller& caller, const std::string& project,
                     std::function<bool(std::string_view scope)> is_kept) override {
    FLOWSTORE_CO_TRY_STATUS(check_bytes(project));
    const RowKey key(project, "");
    Write write(Write::Kind::clean, caller, key, deadline());
    write.is_kept = std::move(is_kept);
    co_return co_await run(write);
  }

  Task<Result<std::vector<ProjectUse>>> projects(const std::string& after) override {
    const Runner::Asker asker(nullptr, deadline());
    const std::string nobody;
    auto work = [&]() -> Task<Result<std::vector<Rows>>> {
      Pipeline pipeline;
      pipeline.add(engine_.schema().counts_usage ? sql::kProjects : sql::kSumProjects, after);
      co_return co_await engine_.read(pipeline, asker);
    };
    FLOWSTORE_CO_TRY(const auto results, co_await engine_.call(nobody, 0, work));
    const Rows& rows = results.front();
    std::vector<ProjectUse> found(static_cast<std::size_t>(rows.count()));
    for (int i = 0; i < rows.count(); ++i) {
      ProjectUse& use = found.at(static_cast<std::size_t>(i));
      use.project = rows.text(i, 0);
      use.rows = static_cast<std::uint64_t>(rows.number(i, 1));
      use.characters = static_cast<std::uint64_t>(rows.number(i, 2));
    }
    co_return found;
  }

  Task<Result<std::optional<std::chrono::system_clock::time_point>>> last_change(
      const std::string& project) override {
    FLOWSTORE_CO_TRY_STATUS(check_bytes(project));
    const Runner::Asker asker(nullptr, deadline());
    Pipeline pipeline;
    pipeline.add(sql::kLastChange, project);
    auto work = [&] { return engine_.read(pipeline, asker); };
    FLOWSTORE_CO_TRY(const auto results, co_await engine_.call(project, 0, work));
    const Rows& rows = results.front();
    std::optional<std::chrono::system_clock::time_point> latest;
    if (rows.count() > 0) {
      latest = std::chrono::system_clock::time_point(std::chrono::seconds(rows.number(0, 0)));
    }
    co_return latest;
  }

  Task<Status> probe() override {
    const Runner::Asker asker(nullptr, deadline());
    const std::string nobody;
    Pipeline pipeline;
    pipeline.add(sql::kProbe);
    auto work = [&] { return engine_.read(pipeline, asker); };
    const auto answer = co_await engine_.call(nobody, 0, work);
    if (answer) co_return Status();
    // What clients are told is of no use to whoever can mend it.
    const std::string reason = outage()->reason();
    if (answer.error().kind() != ErrorKind::unavailable || reason.empty()) co_return answer.error();
    co_return Error(ErrorKind::unavailable, answer.error().code(),
                    "PostgreSQL cannot be used: " + reason);
  }

  const OutageLog* outage() const override { return &engine_.outage(); }

  void stop() override { engine_.stop(); }

 private:
  Instant deadline() const { return std::chrono::steady_clock::now() + patience_; }

  Task<Status> run(Write& write) {
    auto work = [&] { return engine_.writer().write(write); };
    co_return co_await engine_.call(write.key.project, write.bytes(), work);
  }

  std::chrono::milliseconds patience_;
  Engine engine_;
};

}  // namespace

Result<std::unique_ptr<ContextStore>> make_store(Options options, const Clock& clock, Log& log,
                                                 metrics::Registry& registry) {
  FLOWSTORE_TRY(auto tls, Tls::make(options, std::getenv("NODE_EXTRA_CA_CERTS")));
  if (!tls.warning().empty()) log.warn(tls.warning());
  return std::unique_ptr<ContextStore>(
      std::make_unique<Store>(options, std::move(tls), clock, log, registry));
}

}  // namespace flowstore::context::postgres
