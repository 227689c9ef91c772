#include "postgres/pool.h"

#include <algorithm>
#include <random>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flowstore::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A server that needs longer to let us in cannot serve anybody in time either.
constexpr milliseconds kConnectTime{2000};
// Between the tries while the database is down, doubled each time.
constexpr milliseconds kShortestPause{50};
constexpr milliseconds kLongestPause{1000};
// Pipelines of readers on one connection: beyond this the server is busy, and one large value holds
// up more of the others.
constexpr std::size_t kReadersPerConnection = 8;
constexpr const char* kConnections = "flowstore_postgres_connections";
constexpr const char* kConnectionsHelp = "Connections to PostgreSQL.";
constexpr const char* kConnects = "flowstore_postgres_connects_total";
constexpr const char* kConnectsHelp = "Attempts to connect to PostgreSQL.";

// Between half of it and all of it, so that many processes do not come at once.
milliseconds with_jitter(milliseconds pause) {
  thread_local std::minstd_rand random{std::random_device()()};
  std::uniform_int_distribution<milliseconds::rep> half(0, pause.count() / 2);
  return pause - milliseconds(half(random));
}

// What a reason must not show, though libpq is not known to.
std::string without_password(std::string text, const Secret& password) {
  if (password.empty()) return text;
  for (auto at = text.find(password.reveal()); at != std::string::npos;
       at = text.find(password.reveal(), at + 3)) {
    text.replace(at, password.reveal().size(), "***");
  }
  return text;
}

}  // namespace

Pool::Pool(boost::asio::io_context& loop, const Options& options, Endpoint endpoint,
           Purpose& purpose, const Clock& clock, Log& log, metrics::Registry& registry,
           std::function<void()> on_change)
    : loop_(loop),
      // One for reading while another writes.
      most_(std::max<std::size_t>(options.connections, 2)),
      endpoint_(std::move(endpoint)),
      password_(options.password),
      purpose_(purpose),
      on_change_(std::move(on_change)),
      outage_log_(clock, log,
                  "PostgreSQL at " + endpoint_.name() + " cannot be used; " +
                      std::string(purpose.loss()) + " until it can.",
                  "PostgreSQL at " + endpoint_.name() + " can be used again."),
      pause_(loop),
      idle_(registry.gauge(kConnections, kConnectionsHelp,
                           {{"state", "idle"}, {"use", purpose.name()}})),
      busy_(registry.gauge(kConnections, kConnectionsHelp,
                           {{"state", "busy"}, {"use", purpose.name()}})),
      connected_(
          registry.counter(kConnects, kConnectsHelp, {{"result", "ok"}, {"use", purpose.name()}})),
      failed_(registry.counter(kConnects, kConnectsHelp,
                               {{"result", "failed"}, {"use", purpose.name()}})) {}

void Pool::start() { spawn(loop_.get_executor(), "postgres connections", keep()); }

void Pool::stop() {
  is_stopping_ = true;
  is_down_ = true;
  pause_.cancel();
  changed_.wake();
  if (opening_) opening_->close(Trouble("", "stopping"));
  close_all(Trouble("", "stopping"));
}

Task<> Pool::keep() {
  while (!is_stopping_) {
    if (!needs_more()) {
      co_await changed_.wait();
      continue;
    }
    const auto trouble = co_await open_one();
    if (is_stopping_) co_return;
    if (trouble) {
      failed_.add();
      ++failures_;
      if (members_.empty()) {
        is_down_ = true;
        outage_log_.failed(reason_of(*trouble));
        on_change_();
      }
      co_await pause();
      continue;
    }
    connected_.add();
    failures_ = 0;
    is_down_ = false;
    outage_log_.answered();
    on_change_();
  }
}

std::string Pool::reason_of(const Trouble& trouble) const {
  return without_password(trouble.message, password_) + "; " + std::string(advice_for(trouble));
}

bool Pool::needs_more() const {
  return members_.empty() || (wants_more_ && members_.size() < most_);
}

// While others work, a server that lets nobody else in is asked less often.
Task<> Pool::pause() {
  auto length = std::min(kLongestPause, kShortestPause * (1 << std::min(failures_ - 1, 10)));
  if (!members_.empty()) length = kLongestPause;
  pause_.expires_after(with_jitter(length));
  boost::system::error_code ignored;
  const boost::asio::use_awaitable_t<> token;
  co_await pause_.async_wait(boost::asio::redirect_error(token, ignored));
}

Task<std::optional<Trouble>> Pool::open_one() {
  wants_more_ = false;
  opening_ = std::make_shared<Connection>(loop_, canceller_);
  const Lent connection = opening_;
  auto trouble = co_await connect(connection);
  if (!trouble) trouble = co_await get_ready(*connection);
  opening_.reset();
  if (!trouble && !connection->is_open()) trouble = Trouble("", "the connection was lost");
  if (trouble || is_stopping_) {
    connection->close(Trouble());
    co_return trouble;
  }
  add(connection);
  co_return std::nullopt;
}

Task<std::optional<Trouble>> Pool::connect(Lent connection) {
  ConnectWords words;
  auto trouble = co_await endpoint_.resolve(loop_, words);
  if (trouble || is_stopping_) co_return trouble;
  co_return co_await connection->connect(std::move(words), steady_clock::now() + kConnectTime);
}

// The first connection looks at the tables: the database may be another one than before.
Task<std::optional<Trouble>> Pool::get_ready(Connection& connection) {
  if (members_.empty()) {
    auto failure = co_await purpose_.set_up(connection);
    if (failure) co_return failure;
  }
  if (!use_names_) co_return std::nullopt;
  auto statements = purpose_.statements();
  auto trouble =
      co_await connection.prepare(std::move(statements), steady_clock::now() + kConnectTime);
  if (trouble && remedy_for(*trouble) == Remedy::unprepare) {
    use_names_ = false;
    co_return std::nullopt;
  }
  co_return trouble;
}

void Pool::add(const Lent& connection) {
  connection->on_close([this, raw = connection.get()] { remove(raw); });
  Member member;
  member.connection = connection;
  members_.push_back(std::move(member));
  count();
}

void Pool::remove(const Connection* connection) {
  std::erase_if(members_, [connection](const Member& member) {
    return member.connection.get() == connection;
  });
  count();
  changed_.wake();
}

void Pool::ask_for_more() {
  wants_more_ = true;
  if (needs_more()) changed_.wake();
}

std::size_t Pool::most_readers() const { return std::max<std::size_t>(members_.size() / 3, 1); }

// With one connection, readers and writers take turns.
std::size_t Pool::most_writers() const {
  return std::max<std::size_t>(members_.size() - std::min(members_.size(), most_readers()), 1);
}

std::size_t Pool::free_for_writers() const {
  const auto lent = static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [](const Member& m) { return m.is_lent; }));
  const auto free = static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [](const Member& m) { return m.is_free(); }));
  const std::size_t most = most_writers();
  return std::min(free, most - std::min(most, lent));
}

Pool::Lent Pool::lend_to_writer() {
  if (members_.empty() || free_for_writers() == 0) {
    ask_for_more();
    return nullptr;
  }
  const auto free = std::find_if(members_.begin(), members_.end(),
                                 [](const Member& member) { return member.is_free(); });
  free->is_lent = true;
  return free->connection;
}

void Pool::give_back(const Lent& connection) {
  for (Member& member : members_) {
    if (member.connection == connection) member.is_lent = false;
  }
  if (connection->is_spent()) connection->close(Trouble());
  on_change_();
}

Pool::Lent Pool::share_with_reader() {
  Member* free = nullptr;
  Member* shared = nullptr;
  std::size_t readers = 0;
  bool is_any_lent = false;
  for (Member& member : members_) {
    is_any_lent = is_any_lent || member.is_lent;
    if (member.is_lent || member.connection->is_spent()) continue;
    const std::size_t in_flight = member.connection->in_flight();
    if (in_flight == 0) {
      free = &member;
      continue;
    }
    ++readers;
    if (in_flight < kReadersPerConnection &&
        (shared == nullptr || in_flight < shared->connection->in_flight())) {
      shared = &member;
    }
  }
  if (do_writers_wait_ && !is_any_lent) return nullptr;
  if (free != nullptr && readers < most_readers()) return free->connection;
  ask_for_more();
  return shared == nullptr ? nullptr : shared->connection;
}

void Pool::learn_from(const Trouble& trouble) {
  const Remedy remedy = remedy_for(trouble);
  if (remedy == Remedy::unprepare) use_names_ = false;
  // Not again and again, should the statement fail for another reason.
  const Instant now = steady_clock::now();
  if (remedy != Remedy::set_up || now < next_set_up_) return;
  next_set_up_ = now + std::chrono::seconds(1);
  close_all(trouble);
}

void Pool::close_all(const Trouble& trouble) {
  for (const Member& member : std::vector<Member>(members_)) member.connection->close(trouble);
}

void Pool::look_after(Instant now) {
  if (opening_) opening_->look_after(now);
  bool is_silent = false;
  for (const Member& member : std::vector<Member>(members_)) {
    is_silent = !member.connection->look_after(now) || is_silent;
  }
  // Where one connection goes nowhere the idle ones may not either, and nobody should find out by
  // waiting: new ones prove themselves before they are used.
  for (const Member& member : std::vector<Member>(members_)) {
    const bool is_idle = !member.is_lent && member.connection->in_flight() == 0;
    const bool is_of_use = !is_silent && !member.connection->is_spent();
    if (is_idle && !is_of_use) member.connection->close(Trouble());
  }
  count();
}

void Pool::count() {
  const auto idle =
      std::count_if(members_.begin(), members_.end(), [](const Member& m) { return m.is_free(); });
  idle_.set(idle);
  busy_.set(static_cast<std::int64_t>(members_.size()) - idle);
}

}  // namespace flowstore::postgres
