// Writer: brings what is to be written and the connections together.

#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/log.h"
#include "base/task.h"
#include "context/postgres/database.h"
#include "context/postgres/tables.h"
#include "context/postgres/transaction.h"
#include "context/postgres/write.h"
#include "context/postgres/write_queue.h"
#include "metrics/registry.h"
#include "postgres/pool.h"

namespace flowstore::context::postgres {

// A write waits for its project's turn, then for a connection; while connections are scarce, writes
// of several projects share a transaction. What fails for a reason that may be gone is tried again.
// Used on the thread of `loop` only.
class Writer {
 public:
  // References must outlive this.
  Writer(boost::asio::io_context& loop, Pool& pool, const Tables& tables,
         std::chrono::milliseconds patience, Log& log, metrics::Registry& registry);

  // Answers within the deadline.
  Task<Status> write(Write& write);

  // Sends what can be sent. Called when something may have changed.
  void pump();

  // Lets go of what nobody waits for any more. Called now and then.
  void look_after(Instant now);

 private:
  std::size_t most_singles() const;
  Task<> run(Pool::Lent connection, std::vector<Write*> writes, bool is_single);
  void settle(Write& write, const Transaction::Outcome& outcome, bool was_single);
  Task<> try_again_later(Write& write);
  void finish(Write& write, Status status);
  bool has_time(const Write& write, Instant now) const;
  void complain(const Trouble& trouble);

  boost::asio::io_context& loop_;
  Pool& pool_;
  const Tables& tables_;
  std::chrono::milliseconds least_;  // a write with less time left is not begun
  Log& log_;
  WriteQueue queue_;
  std::size_t singles_ = 0;  // that are being written
  // Projects somebody else holds on to: their writes share no transaction until then.
  std::unordered_map<std::string, Instant> held_;
  Instant next_complaint_{};
  metrics::Histogram& batch_size_;
  metrics::Histogram& duration_;
  metrics::Gauge& queue_length_;
};

}  // namespace flowstore::context::postgres
