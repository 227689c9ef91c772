// Pool: the connections, how many there are, and whether the database is there at all.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "base/outage_log.h"
#include "base/task.h"
#include "metrics/registry.h"
#include "postgres/canceller.h"
#include "postgres/connection.h"
#include "postgres/endpoint.h"
#include "postgres/options.h"
#include "postgres/purpose.h"

namespace flowstore::postgres {

// Opens connections as they are asked for, one after the other, and keeps them. While there is none
// it tries again and again. A connection is lent to one writer, or shared by readers. Used on the
// thread of `loop` only.
class Pool {
 public:
  using Lent = std::shared_ptr<Connection>;

  // References must outlive the pool. `on_change`: a connection may be free, or there is none.
  Pool(boost::asio::io_context& loop, const Options& options, Endpoint endpoint, Purpose& purpose,
       const Clock& clock, Log& log, metrics::Registry& registry, std::function<void()> on_change);

  // Begins to connect.
  void start();
  // Closes every connection and opens no more.
  void stop();

  // Null: none is free; `on_change` tells when to ask again. A lent connection comes back by
  // give_back(), whatever has become of it.
  Lent lend_to_writer();
  void give_back(const Lent& connection);
  // To be used at once, for one pipeline; when it is through, say so by done_reading().
  Lent share_with_reader();
  void done_reading() { on_change_(); }
  // Writers that could be served now, without opening a connection.
  std::size_t free_for_writers() const;
  // At a time, with the connections that there are.
  std::size_t most_writers() const;
  // While they wait and none is served, no more readers are let in.
  void say_writers_wait(bool do_wait) noexcept { do_writers_wait_ = do_wait; }

  // Set while the database is known to be down: nothing should wait for it.
  bool is_down() const noexcept { return is_down_; }
  bool use_names() const noexcept { return use_names_; }

  const OutageLog& outage() const noexcept { return outage_log_; }

  // Does what a failed statement asks for: forgets named statements, or looks at the tables again.
  void learn_from(const Trouble& trouble);

  // Deadlines and callers of what is under way. Called now and then.
  void look_after(Instant now);

 private:
  struct Member {
    bool is_free() const {
      return !is_lent && connection->in_flight() == 0 && !connection->is_spent();
    }

    Lent connection;
    bool is_lent = false;
  };

  Task<> keep();
  bool needs_more() const;
  std::size_t most_readers() const;
  std::string reason_of(const Trouble& trouble) const;
  Task<std::optional<Trouble>> open_one();
  Task<std::optional<Trouble>> connect(Lent connection);
  Task<std::optional<Trouble>> get_ready(Connection& connection);
  Task<> pause();
  void add(const Lent& connection);
  void remove(const Connection* connection);
  void ask_for_more();
  void close_all(const Trouble& trouble);
  void count();

  boost::asio::io_context& loop_;
  std::size_t most_;
  Endpoint endpoint_;
  Secret password_;
  Purpose& purpose_;
  std::function<void()> on_change_;
  OutageLog outage_log_;
  Canceller canceller_;
  std::vector<Member> members_;
  Lent opening_;  // not a member yet
  bool use_names_ = true;
  bool is_down_ = false;
  bool is_stopping_ = false;
  bool wants_more_ = false;
  bool do_writers_wait_ = false;
  int failures_ = 0;       // in a row
  Instant next_set_up_{};  // when a failed statement may cause one again
  Wake changed_;
  boost::asio::steady_timer pause_;
  metrics::Gauge& idle_;
  metrics::Gauge& busy_;
  metrics::Counter& connected_;
  metrics::Counter& failed_;
};

}  // namespace flowstore::postgres
