#include "postgres/connection.h"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <libpq-fe.h>

namespace flowstore::postgres {
namespace {

using Descriptor = boost::asio::posix::stream_descriptor;
using Token = boost::asio::use_awaitable_t<>;

void ignore_notice(void* /*nobody*/, const char* /*text*/) {}

// The last of what libpq says, without the advice that it indents below; what stands before it are
// other addresses that were tried.
std::string last_reason(std::string_view text) {
  std::string_view reason;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    if (!line.empty() && !line.starts_with('\t')) reason = line;
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return std::string(reason);
}

// Why the server did not let us in, of `...failed: FATAL:  28P01: password authentication failed`
// and a line with the place in its source: words depend on its language, so the code is asked for.
Trouble refusal(std::string_view text) {
  constexpr std::string_view kGap = ":  ";
  constexpr std::size_t kCode = 5;
  const auto is_code = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  for (auto gap = text.find(kGap); gap != std::string_view::npos; gap = text.find(kGap, gap + 1)) {
    const auto code = text.substr(gap + kGap.size(), kCode);
    const auto rest = text.substr(std::min(text.size(), gap + kGap.size() + kCode));
    if (!rest.starts_with(": ") || !std::all_of(code.begin(), code.end(), is_code)) continue;
    const auto message = rest.substr(2);
    return {std::string(code), std::string(message.substr(0, message.find('\n')))};
  }
  return {"", last_reason(text)};
}

Trouble trouble_of(const PGresult* result) {
  const auto field = [result](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text == nullptr ? "" : text);
  };
  Trouble trouble(field(PG_DIAG_SQLSTATE), field(PG_DIAG_MESSAGE_PRIMARY));
  if (trouble.message.empty()) trouble.message = last_reason(PQresultErrorMessage(result));
  return trouble;
}

}  // namespace

Connection::Connection(boost::asio::io_context& loop, Canceller& canceller)
    : loop_(loop), canceller_(canceller), socket_(loop) {}

Connection::~Connection() { end(Trouble()); }

Task<std::optional<Trouble>> Connection::connect(ConnectWords words, Instant deadline) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : words) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  conn_ = PQconnectStartParams(names.data(), values.data(), 0);
  if (conn_ == nullptr) co_return Trouble("", "out of memory");
  PQsetNoticeProcessor(conn_, ignore_notice, nullptr);
  PQsetErrorVerbosity(conn_, PQERRORS_VERBOSE);  // see refusal()

  boost::asio::steady_timer timer(loop_, deadline);
  timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return;
    self->is_late_ = true;
    self->socket_.cancel();
  });
  auto trouble = co_await poll_until_connected();
  timer.cancel();
  if (trouble) {
    end(Trouble());
    co_return trouble;
  }
  PQsetnonblocking(conn_, 1);
  PQenterPipelineMode(conn_);
  socket_.assign(PQsocket(conn_));
  is_open_ = true;
  await_input();
  co_return std::nullopt;
}

Task<std::optional<Trouble>> Connection::poll_until_connected() {
  if (PQstatus(conn_) == CONNECTION_BAD) co_return trouble_now();
  bool to_write = true;
  while (true) {
    co_await wait_for_socket(to_write);
    if (is_late_) co_return Trouble("", "connecting took too long");
    const auto state = PQconnectPoll(conn_);
    if (state == PGRES_POLLING_OK) co_return std::nullopt;
    if (state == PGRES_POLLING_FAILED) co_return refusal(PQerrorMessage(conn_));
    to_write = state == PGRES_POLLING_WRITING;
  }
}

// libpq may open another socket with each step, so it is taken and given back around each.
Task<> Connection::wait_for_socket(bool to_write) {
  if (is_late_) co_return;
  socket_.assign(PQsocket(conn_));
  boost::system::error_code error;
  const Token token;
  const auto what = to_write ? Descriptor::wait_write : Descriptor::wait_read;
  co_await socket_.async_wait(what, boost::asio::redirect_error(token, error));
  if (socket_.is_open()) socket_.release();
}

Task<std::optional<Trouble>> Connection::prepare(std::vector<const Sql*> statements,
                                                 Instant deadline) {
  // Each in a pipeline of its own, so that one which is there already does not stop the others.
  std::deque<Flight> flights(statements.size());
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (!is_open_) co_return Trouble("", "the connection was lost");
    flights[i].terms.deadline = deadline;
    flights_.push_back(&flights[i]);
    if (PQsendPrepare(conn_, statements[i]->name(), statements[i]->text(), 0, nullptr) != 1 ||
        PQpipelineSync(conn_) != 1) {
      lose();
    }
  }
  flush();
  std::optional<Trouble> trouble;
  for (Flight& flight : flights) {
    co_await flight.done.wait();
    if (!trouble) trouble = flight.answer.trouble;
  }
  co_return trouble;
}

void Connection::send(const Pipeline& pipeline, Flight& flight) {
  if (!is_open_) {
    flight.answer.trouble = Trouble("", "the connection was lost");
    flight.answer.trouble->is_lost = true;
    return flight.done.wake();
  }
  flight.answer.results.reserve(pipeline.size());
  flights_.push_back(&flight);
  put_out(pipeline, flight.terms.use_names) ? flush() : lose();
}

Task<Answer> Connection::run(const Pipeline& pipeline, Terms terms) {
  Flight flight;
  flight.terms = std::move(terms);
  send(pipeline, flight);
  co_await flight.done.wait();
  co_return std::move(flight.answer);
}

bool Connection::put_out(const Pipeline& pipeline, bool use_names) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
  for (const Pipeline::Statement& statement : pipeline.statements()) {
    values.clear();
    lengths.clear();
    for (const Parameter& parameter : statement.parameters) {
      values.push_back(parameter.data());
      lengths.push_back(parameter.size());
    }
    formats.assign(values.size(), 1);  // binary
    const int count = static_cast<int>(values.size());
    const int sent = use_names
                         ? PQsendQueryPrepared(conn_, statement.sql->name(), count, values.data(),
                                               lengths.data(), formats.data(), 0)
                         : PQsendQueryParams(conn_, statement.sql->text(), count, nullptr,
                                             values.data(), lengths.data(), formats.data(), 0);
    if (sent != 1) return false;
  }
  return PQpipelineSync(conn_) == 1;
}

void Connection::flush() {
  if (!is_open_) return;
  const int left = PQflush(conn_);
  if (left < 0) return lose();
  if (left == 1 && !is_awaiting_output_) await_output();
}

void Connection::await_output() {
  is_awaiting_output_ = true;
  auto ready = [self = shared_from_this()](const boost::system::error_code& error) {
    self->is_awaiting_output_ = false;
    if (!error && self->is_open_) self->flush();
  };
  socket_.async_wait(Descriptor::wait_write, std::move(ready));
}

// Always waiting, so that a server that goes away is noticed at once, also while nothing is asked.
void Connection::await_input() {
  auto ready = [self = shared_from_this()](const boost::system::error_code& error) {
    if (error || !self->is_open_) return;
    self->read_answers();
    if (self->is_open_) self->await_input();
  };
  socket_.async_wait(Descriptor::wait_read, std::move(ready));
}

void Connection::read_answers() {
  if (PQconsumeInput(conn_) != 1) return lose();
  if (is_awaiting_output_) flush();  // the server may have waited for us to read
  bool was_null = false;
  while (is_open_ && !flights_.empty() && PQisBusy(conn_) == 0) {
    PGresult* result = PQgetResult(conn_);
    // Null stands between the statements. One after the other: libpq has given the connection up
    // and has nothing more to say of what is under way.
    if (result == nullptr && std::exchange(was_null, true)) return lose();
    if (result == nullptr) continue;
    was_null = false;
    take(result);
  }
}

void Connection::take(PGresult* result) {
  Rows rows(result);
  Flight& flight = *flights_.front();
  switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC:
      flights_.pop_front();
      flight.done.wake();
      return;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
      flight.answer.results.push_back(std::move(rows));
      return;
    case PGRES_PIPELINE_ABORTED:
      return;
    default:
      if (!flight.answer.trouble) flight.answer.trouble = trouble_of(result);
      // Shutting down and the like: the end of the connection follows, sooner or later. What has no
      // code is libpq's own word: it could not write, or does not understand the server.
      const std::string& code = flight.answer.trouble->sqlstate;
      if (code.empty() || code.starts_with("57P")) lose();
  }
}

bool Connection::look_after(Instant now) {
  if (flights_.empty() || !is_open_) return true;
  const auto is_overdue = [now](const Flight* one) { return one->terms.deadline <= now; };
  if (std::any_of(flights_.begin(), flights_.end(), is_overdue)) {
    canceller_.cancel(conn_);
    close(Trouble("", "no answer in time"));
    return false;
  }
  // Only the first can be running. What else is hit in its place is sent again.
  const Terms& running = flights_.front()->terms;
  if (is_spent_ || !running.has_left || !running.has_left()) return true;
  is_spent_ = true;
  canceller_.cancel(conn_);
  return true;
}

Trouble Connection::trouble_now() const {
  return {"", conn_ == nullptr ? "not connected" : last_reason(PQerrorMessage(conn_))};
}

void Connection::lose() { close(trouble_now()); }

void Connection::close(Trouble trouble) {
  if (!is_open_) {
    is_late_ = true;  // for connect(), which then returns
    if (socket_.is_open()) socket_.cancel();
    return;
  }
  end(std::move(trouble));
  if (on_close_) on_close_();
}

void Connection::end(Trouble trouble) {
  is_open_ = false;
  // libpq closes the socket, so Asio must have let go of it.
  if (socket_.is_open()) socket_.release();
  if (conn_ != nullptr) PQfinish(std::exchange(conn_, nullptr));
  trouble.is_lost = true;
  for (Flight* flight : std::exchange(flights_, {})) {
    // What the server has said about it is better than that it has gone.
    if (!flight->answer.trouble) flight->answer.trouble = trouble;
    flight->answer.trouble->is_lost = true;
    flight->done.wake();
  }
}

}  // namespace flowstore::postgres
