#include "context/sqlite/sqlite_store.h"

#include <utility>
#include <vector>

#include "context/sqlite/readers.h"
#include "context/sqlite/trouble.h"
#include "context/sqlite/writer.h"

namespace flowstore::context::sqlite {
namespace {

// The rest of a page is read in pieces, with no transaction open between them.
class PageRows final : public RowSource {
 public:
  PageRows(Readers& readers, BlockingPool& io, std::string project, PageStart page)
      : readers_(readers), io_(io), project_(std::move(project)), page_(std::move(page)) {}

  Task<Result<std::optional<Row>>> next() override {
    while (at_ == page_.rows.size()) {
      if (page_.next_id == page_.ids.size()) co_return std::optional<Row>();
      auto read = [this] { return readers_.rows(project_, page_.ids, page_.next_id); };
      FLOWSTORE_CO_TRY(page_.rows, co_await io_.run(read));
      at_ = 0;
    }
    co_return std::optional<Row>(std::move(page_.rows[at_++]));
  }

 private:
  Readers& readers_;
  BlockingPool& io_;
  std::string project_;
  PageStart page_;
  std::size_t at_ = 0;  // in page_.rows
};

class Store final : public ContextStore {
 public:
  Store(Options options, BlockingPool& io, const Clock& clock, Log& log,
        metrics::Registry& registry)
      : options_(std::move(options)),
        io_(io),
        readers_(options_, clock, log),
        writer_(options_, clock, log, registry) {}

  ~Store() override { stop(); }

  Status start() { return writer_.start(); }

  Task<Result<std::optional<std::string>>> read(const Caller& caller, const RowKey& key) override {
    if (caller.has_left()) co_return left();
    auto read = [this, &key] { return readers_.values(key); };
    co_return co_await io_.run(read);
  }

  Task<Status> replace(const Caller& caller, const RowKey& key, NewValues values,
                       CharacterLimit limit) override {
    Change change = [&key, &values, limit](Table& table) {
      return table.replace(key, values, limit);
    };
    const std::size_t bytes = values ? values->size() : 0;
    co_return co_await writer_.write(caller, key.project, bytes, std::move(change));
  }

  Task<Status> update(const Caller& caller, const RowKey& key, Mutation mutation,
                      CharacterLimit limit) override {
    Change change = [&key, &mutation, limit](Table& table) {
      return table.update(key, mutation, limit);
    };
    co_return co_await writer_.write(caller, key.project, kUpdateBytes, std::move(change));
  }

  Task<Result<Page>> list(const Caller& caller, const std::string& project, std::int64_t after,
                          std::int64_t most) override {
    if (caller.has_left()) co_return left();
    auto read = [this, &project, after, most] { return readers_.page(project, after, most); };
    FLOWSTORE_CO_TRY(PageStart start, co_await io_.run(read));
    Page page;
    page.count = start.count;
    const bool is_full = most > 0 && start.ids.size() == static_cast<std::uint64_t>(most);
    if (is_full) page.next_cursor = start.ids.back();
    page.rows = std::make_unique<PageRows>(readers_, io_, project, std::move(start));
    co_return page;
  }

  Task<Status> clean(const Caller& caller, const std::string& project,
                     std::function<bool(std::string_view)> is_kept) override {
    Change change = [&project, &is_kept](Table& table) { return table.clean(project, is_kept); };
    co_return co_await writer_.write(caller, project, 0, std::move(change));
  }

  Task<Result<std::vector<ProjectUse>>> projects(const std::string& after) override {
    auto read = [this, &after] { return readers_.projects(after); };
    co_return co_await io_.run(read);
  }

  Task<Result<std::optional<std::chrono::system_clock::time_point>>> last_change(
      const std::string& project) override {
    auto read = [this, &project] { return readers_.last_change(project); };
    co_return co_await io_.run(read);
  }

  Task<Status> probe() override {
    auto ask = [this] { return readers_.probe(); };
    co_return co_await io_.run(ask);
  }

  const OutageLog* outage() const override { return &writer_.outage(); }

  // Those who wait for a read are resumed by the pool that it runs on.
  void stop() override {
    readers_.stop();
    writer_.stop();
  }

 private:
  // What a mutation brings along is not known here; a request body is rarely larger.
  static constexpr std::size_t kUpdateBytes = 4096;

  Options options_;
  BlockingPool& io_;
  Readers readers_;
  Writer writer_;
};

}  // namespace

Result<std::unique_ptr<ContextStore>> make_store(Options options, BlockingPool& io,
                                                 const Clock& clock, Log& log,
                                                 metrics::Registry& registry) {
  auto store = std::make_unique<Store>(std::move(options), io, clock, log, registry);
  FLOWSTORE_TRY_STATUS(store->start());
  return std::unique_ptr<ContextStore>(std::move(store));
}

}  // namespace flowstore::context::sqlite
