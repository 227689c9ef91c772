#include "context/context_service.h"

#include <algorithm>
#include <utility>

#include "context/characters.h"
#include "json/document.h"
#include "json/text.h"

namespace flowstore::context {
namespace {

constexpr metrics::OperationFamily kTimes = {"flowstore_context_operation_duration_seconds",
                                             "Time that operations on the context store take."};

// Text of this length takes about 0.1 ms to read; more would be noticed by the other connections of
// the loop.
constexpr std::size_t kLongText = std::size_t{64} * 1024;

// What {"name":""} has around its value; the name counts as far as it is of a usual length.
std::uint64_t frame_of(const SetItem& item) {
  constexpr std::size_t kUsualName = 255;
  return 7 + std::min(item.expression ? item.expression->size() : 0, kUsualName);
}

// Where the old server compares the value alone with context.quota, one text may be as long as
// that. The frame around it is let through, and nothing else: the limit is what a project holds
// that has this text and no other. See docs/compatibility.md#context-quota.
CharacterLimit with_room_for_frame(CharacterLimit limit, const std::vector<SetItem>& items) {
  if (!limit || items.size() != 1 || !items[0].value) return limit;
  const std::string& value = *items[0].value;
  if (json::kind_of(value) != json::Kind::string) return limit;
  const std::uint64_t length = characters(value) - 2;
  return length <= *limit ? std::max(*limit, length + frame_of(items[0])) : limit;
}

RowKey key_of(const ScopeName& name) { return RowKey(name.project, stored_scope(name.scope)); }

Result<Values> evaluate(const Caller& caller, std::string object,
                        const std::vector<std::u16string>& expressions) {
  json::Document document(std::move(object));
  Values values;
  values.reserve(expressions.size());
  for (const std::u16string& expression : expressions) {
    if (caller.has_left()) return Error(ErrorKind::aborted, "", "the client has left");
    FLOWSTORE_TRY(auto value, document.get(expression));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

Task<Result<std::optional<ShownRow>>> ShownRows::next() {
  while (true) {
    FLOWSTORE_CO_TRY(auto row, co_await rows_->next());
    if (!row) co_return std::optional<ShownRow>();
    auto check = [&row] { return canonical_object(row->values); };
    auto values = co_await pool_.run_if(row->values.size() > kLongText, check);
    if (!values) {
      bad_rows_.report(project_, row->scope, values.error().message());
      continue;
    }
    ShownRow shown;
    shown.scope = shown_scope(row->scope);
    shown.values = *std::move(values);
    co_return std::optional<ShownRow>(std::move(shown));
  }
}

ContextService::ContextService(ContextStore& store, std::string_view driver,
                               CharacterLimit default_limit, BlockingPool& pool, const Clock& clock,
                               Log& log, metrics::Registry& registry)
    : store_(store),
      default_limit_(default_limit),
      pool_(pool),
      bad_rows_(log, clock),
      read_time_(kTimes, driver, "read", clock, registry),
      update_time_(kTimes, driver, "update", clock, registry),
      replace_time_(kTimes, driver, "replace", clock, registry),
      list_time_(kTimes, driver, "list", clock, registry),
      clean_time_(kTimes, driver, "clean", clock, registry),
      quota_rejections_(registry.counter("flowstore_context_quota_rejections_total",
                                         "Writes refused because of a context quota.")) {}

Task<Status> ContextService::set(const Caller& caller, const ScopeName& name,
                                 std::vector<SetItem> items, CharacterLimit granted) {
  if (items.empty()) co_return Status();
  const CharacterLimit named = limit_for(granted);
  const CharacterLimit limit = granted ? named : with_room_for_frame(named, items);
  // The store may run it again, and copies it.
  const auto shared = std::make_shared<const std::vector<SetItem>>(std::move(items));
  Mutation change = [shared, limit](std::optional<std::string_view> present) {
    return set_values(present, *shared, limit);
  };
  const RowKey key = key_of(name);
  const auto measured = update_time_.measure();
  co_return settle(co_await store_.update(caller, key, std::move(change), limit), named);
}

Task<Status> ContextService::replace(const Caller& caller, const ScopeName& name,
                                     std::string object, CharacterLimit granted) {
  NewValues values;
  if (object != "{}") values = std::move(object);
  const RowKey key = key_of(name);
  const auto measured = replace_time_.measure();
  const CharacterLimit limit = limit_for(granted);
  co_return settle(co_await store_.replace(caller, key, std::move(values), limit), limit);
}

Task<Result<std::optional<Values>>> ContextService::get(const Caller& caller, const ScopeName& name,
                                                        std::vector<std::u16string> expressions) {
  FLOWSTORE_CO_TRY(auto object, co_await read(caller, name));
  if (!object) co_return std::optional<Values>();
  const bool is_long = object->size() > kLongText;
  auto work = [&] { return evaluate(caller, *std::move(object), expressions); };
  FLOWSTORE_CO_TRY(auto values, co_await pool_.run_if(is_long, work));
  co_return std::optional<Values>(std::move(values));
}

Task<Result<std::string>> ContextService::keys(const Caller& caller, const ScopeName& name) {
  FLOWSTORE_CO_TRY(auto object, co_await read(caller, name));
  if (!object) co_return std::string("[]");
  const bool is_long = object->size() > kLongText;
  auto work = [&] { return json::Document(*std::move(object)).keys(); };
  co_return co_await pool_.run_if(is_long, work);
}

Task<Status> ContextService::remove(const Caller& caller, const ScopeName& name) {
  const RowKey key = key_of(name);
  const auto measured = replace_time_.measure();
  co_return co_await store_.replace(caller, key, NewValues(), CharacterLimit());
}

Task<Result<ShownPage>> ContextService::list(const Caller& caller, const std::string& project,
                                             std::int64_t after, std::int64_t most) {
  const auto measured = list_time_.measure();
  FLOWSTORE_CO_TRY(auto page, co_await store_.list(caller, project, after, most));
  ShownPage shown;
  shown.count = page.count;
  shown.next_cursor = page.next_cursor;
  shown.rows = std::make_unique<ShownRows>(project, std::move(page.rows), pool_, bad_rows_);
  co_return shown;
}

Task<Status> ContextService::clean(const Caller& caller, const std::string& project,
                                   ActiveIds ids) {
  const auto shared = std::make_shared<const ActiveIds>(std::move(ids));
  auto is_kept = [shared](std::string_view scope) { return shared->keeps(scope); };
  const auto measured = clean_time_.measure();
  co_return co_await store_.clean(caller, project, is_kept);
}

Task<Result<std::optional<std::string>>> ContextService::read(const Caller& caller,
                                                              const ScopeName& name) {
  const RowKey key = key_of(name);
  std::optional<std::string> stored;
  {
    const auto measured = read_time_.measure();
    FLOWSTORE_CO_TRY(stored, co_await store_.read(caller, key));
  }
  if (!stored) co_return std::optional<std::string>();
  auto work = [&stored] { return canonical_object(*stored); };
  FLOWSTORE_CO_TRY(auto object, co_await pool_.run_if(stored->size() > kLongText, work));
  co_return std::optional<std::string>(std::move(object));
}

CharacterLimit ContextService::limit_for(CharacterLimit granted) const noexcept {
  return granted ? granted : default_limit_;
}

Status ContextService::settle(Status outcome, CharacterLimit limit) {
  if (outcome || outcome.error().kind() != ErrorKind::over_quota) return outcome;
  quota_rejections_.add();
  return limit ? Status(Error::over_quota(*limit)) : std::move(outcome);
}

}  // namespace flowstore::context
