#include "context/postgres/pages.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "context/postgres/statements.h"

namespace flowstore::context::postgres {
namespace {

// Values that are in memory at a time, unless one alone is longer. An ordinary page fits.
constexpr std::int64_t kBytesAtOnce = 128 << 10;
// Ids and scopes that are kept of a page; the rest of a longer one is asked for in its turn.
constexpr std::int64_t kRowsAtOnce = 500;

// A row whose values may not have been asked for yet.
struct Place {
  Place() = default;
  Row row;
  std::int64_t size = 0;
  bool is_complete = false;
};

std::deque<Place> places_of(const Rows& rows) {
  std::deque<Place> places;
  for (int i = 0; i < rows.count(); ++i) {
    Place& place = places.emplace_back();
    place.row.id = rows.number(i, 0);
    place.row.scope = rows.text(i, 1);
    place.size = rows.number(i, 2);
    place.is_complete = !rows.is_null(i, 3);
    place.row.values = rows.text(i, 3);
  }
  return places;
}

class Source final : public RowSource {
 public:
  // `places`: the first rows of the page; `most`: all of them; `last`: the id of its last row,
  // where that is known.
  Source(Engine& engine, std::string project, std::chrono::milliseconds patience,
         std::deque<Place> places, std::int64_t most, std::optional<std::int64_t> last)
      : engine_(engine),
        project_(std::move(project)),
        patience_(patience),
        places_(std::move(places)),
        // What came back short has nothing behind it.
        left_(std::ssize(places_) == kRowsAtOnce ? most - kRowsAtOnce : 0),
        last_(last.value_or(INT64_MAX)) {
    if (!places_.empty()) after_ = places_.back().row.id;
  }

  Task<Result<std::optional<Row>>> next() override {
    while (!is_ready()) {
      if (places_.empty() && left_ == 0) co_return std::optional<Row>();
      auto work = [this] { return fetch(); };
      FLOWSTORE_CO_TRY_STATUS(co_await engine_.call(project_, 0, work));
    }
    std::optional<Row> row(std::move(places_.front().row));
    places_.pop_front();
    co_return row;
  }

 private:
  bool is_ready() const { return !places_.empty() && places_.front().is_complete; }

  Task<Status> fetch() {
    const Runner::Asker asker(nullptr, std::chrono::steady_clock::now() + patience_);
    if (places_.empty()) co_return co_await fetch_places(asker);
    co_return co_await fetch_values(asker);
  }

  Task<Status> fetch_places(Runner::Asker asker) {
    Pipeline pipeline;
    pipeline.add(sql::kPage, project_, after_, std::min(left_, kRowsAtOnce), kBytesAtOnce);
    FLOWSTORE_CO_TRY(auto results, co_await engine_.read(pipeline, asker));
    places_ = places_of(results.front());
    left_ = std::ssize(places_) == kRowsAtOnce ? left_ - kRowsAtOnce : 0;
    // Rows that were added since belong to the next page.
    while (!places_.empty() && places_.back().row.id > last_) places_.pop_back();
    if (places_.empty()) left_ = 0;
    if (!places_.empty()) after_ = places_.back().row.id;
    co_return Status();
  }

  // The first row, and as many behind it as are small together.
  Task<Status> fetch_values(Runner::Asker asker) {
    std::vector<std::int64_t> ids;
    std::int64_t size = 0;
    for (const Place& place : places_) {
      size += place.size;
      if (place.is_complete || (!ids.empty() && size > kBytesAtOnce)) break;
      ids.push_back(place.row.id);
    }
    Pipeline pipeline;
    pipeline.add(sql::kValues, project_, Parameter::numbers(ids));
    FLOWSTORE_CO_TRY(auto results, co_await engine_.read(pipeline, asker));
    const Rows& rows = results.front();
    std::unordered_map<std::int64_t, int> found;
    for (int i = 0; i < rows.count(); ++i) found.emplace(rows.number(i, 0), i);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto at = found.find(places_.at(i).row.id);
      if (at == found.end()) continue;
      places_.at(i).row.values = rows.text(at->second, 1);
      places_.at(i).is_complete = true;
    }
    // What is not there was removed meanwhile.
    const auto end = places_.begin() + std::ssize(ids);
    const auto is_gone = [](const Place& place) { return !place.is_complete; };
    places_.erase(std::remove_if(places_.begin(), end, is_gone), end);
    co_return Status();
  }

  Engine& engine_;
  std::string project_;
  std::chrono::milliseconds patience_;
  std::deque<Place> places_;
  std::int64_t left_;
  std::int64_t last_;
  std::int64_t after_ = 0;
};

}  // namespace

Task<Result<Page>> read_page(Engine& engine, Runner::Asker asker, const std::string& project,
                             std::int64_t after, std::int64_t most,
                             std::chrono::milliseconds patience) {
  const bool is_long = most > kRowsAtOnce;
  Pipeline pipeline;
  pipeline.add(sql::kPage, project, after, std::min(most, kRowsAtOnce), kBytesAtOnce);
  pipeline.add(engine.schema().counts_usage ? sql::kCount : sql::kCountRows, project);
  if (is_long) pipeline.add(sql::kNth, project, after, most);
  FLOWSTORE_CO_TRY(auto results, co_await engine.read(pipeline, asker));

  auto places = places_of(results.at(0));
  Page page;
  if (results.at(1).count() > 0) {
    page.count = static_cast<std::uint64_t>(results.at(1).number(0, 0));
  }
  if (is_long && results.at(2).count() > 0) page.next_cursor = results.at(2).number(0, 0);
  if (!is_long && most > 0 && std::ssize(places) == most) page.next_cursor = places.back().row.id;
  page.rows = std::make_unique<Source>(engine, project, patience, std::move(places), most,
                                       page.next_cursor);
  co_return page;
}

}  // namespace flowstore::context::postgres
