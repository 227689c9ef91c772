// Connection: one conversation with the server, many pipelines at a time.

#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/task.h"
#include "postgres/canceller.h"
#include "postgres/pipeline.h"
#include "postgres/trouble.h"
#include "postgres/wake.h"

struct pg_conn;
struct pg_result;

namespace flowstore::postgres {

// libpq lives in real time, so this does too and takes no Clock.
using Instant = std::chrono::steady_clock::time_point;

// libpq's keywords and values ("host", "10.0.0.1").
using ConnectWords = std::vector<std::pair<std::string, std::string>>;

// Used on the thread of `loop` only. Kept by shared_ptr: an event may still be on its way when the
// owner lets go.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Who waits for a pipeline. `has_left` is empty or says that nobody does any more.
  struct Terms {
    Terms() = default;
    Terms(Instant until, std::function<bool()> left) : deadline(until), has_left(std::move(left)) {}

    Instant deadline = Instant::max();
    std::function<bool()> has_left;
    // Sends names in place of texts; prepare() must have succeeded.
    bool use_names = false;
  };

  // A pipeline under way. Whoever sends it keeps it until `done`.
  struct Flight {
    Flight() = default;

    Terms terms;
    Answer answer;
    Wake done;
  };

  // Both must outlive the connection.
  Connection(boost::asio::io_context& loop, Canceller& canceller);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Connects and logs in, once. Host names must have been resolved ("hostaddr"): libpq would block.
  Task<std::optional<Trouble>> connect(ConnectWords words, Instant deadline);

  // Gives the statements their names. They are prepared one by one; all are tried.
  Task<std::optional<Trouble>> prepare(std::vector<const Sql*> statements, Instant deadline);

  // Sends the statements; `flight.done` is awoken when its answer is complete. They form one
  // transaction, unless they say BEGIN; after an error the rest is skipped. Pipelines are answered
  // in the order of the calls. One that is not answered by its deadline ends the connection.
  void send(const Pipeline& pipeline, Flight& flight);

  // Sends the statements and waits for their answer.
  Task<Answer> run(const Pipeline& pipeline, Terms terms);

  // Looks at the deadlines and the callers of what is under way. Called now and then. False: it was
  // closed, because the server has said nothing in time.
  bool look_after(Instant now);

  // Ends the connection; what is under way fails with this.
  void close(Trouble trouble);

  bool is_open() const noexcept { return is_open_; }
  // Must be closed when what is under way has been answered: a request to cancel may arrive late
  // and hit what would come next.
  bool is_spent() const noexcept { return is_spent_; }
  std::size_t in_flight() const noexcept { return flights_.size(); }

  // Called when the connection has been lost or closed.
  void on_close(std::function<void()> call) { on_close_ = std::move(call); }

 private:
  Task<std::optional<Trouble>> poll_until_connected();
  Task<> wait_for_socket(bool to_write);
  bool put_out(const Pipeline& pipeline, bool use_names);
  void flush();
  void await_input();
  void await_output();
  void read_answers();
  void take(pg_result* result);
  void lose();
  Trouble trouble_now() const;
  void end(Trouble trouble);

  boost::asio::io_context& loop_;
  Canceller& canceller_;
  pg_conn* conn_ = nullptr;
  boost::asio::posix::stream_descriptor socket_;
  std::deque<Flight*> flights_;
  std::function<void()> on_close_;
  bool is_open_ = false;
  bool is_spent_ = false;
  bool is_late_ = false;  // the time to connect is over
  bool is_awaiting_output_ = false;
};

}  // namespace flowstore::postgres
