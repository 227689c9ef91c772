#include "http/session.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "http/head_buffer.h"
#include "http/header_words.h"
#include "http/request_body.h"
#include "http/request_parser.h"
#include "http/response_writer.h"

namespace flowstore::http {
namespace {

// How long an idle connection keeps its buffers. A client that is busy comes back within it; ten
// thousand that are not cost little memory.
constexpr Clock::Duration kBufferPatience = std::chrono::seconds(5);

// Co_awaits here stand in statements of their own: g++ 12 gives a coroutine that awaits in a
// condition, and has no local variable in its outermost block, a frame that cannot be resumed.
class Session {
 public:
  Session(EventLoop& loop, Connection::Socket socket)
      : loop_(loop),
        environment_(loop.environment()),
        connection_(loop, std::move(socket)),
        parser_(environment_.limits) {}

  Task<> run() {
    bool goes_on = true;
    while (goes_on) goes_on = co_await serve_one();
  }

 private:
  enum class Head : std::uint8_t { ready, ended, rejected };

  // One request and its answer; false when the connection is over.
  Task<bool> serve_one() {
    parser_.reset();
    const Head head = co_await read_head();
    if (head == Head::ended) co_return false;
    if (head == Head::rejected) {
      environment_.observer.rejected(rejection_);
      co_await say_goodbye(parser_level_answer(rejection_));
      co_return false;
    }
    if (parser_.is_connect()) co_return false;  // as Node.js without a connect listener
    parser_.headers(buffer_.data(), headers_);
    if (!parser_.is_http_1_0() && !find_header(headers_, "host")) {
      co_await reject_without_host();
      co_return false;
    }
    co_return co_await exchange();
  }

  Task<Head> read_head() {
    outcome_ = Outcome::need_more;
    if (buffer_.unparsed() > 0) {
      // The beginning of a pipelined request; it came with the one before.
      start_head_timer();
      parse_head();
    }
    while (outcome_ == Outcome::need_more && !parser_.is_head_complete()) {
      if (!buffer_.grow(environment_.limits.head_bytes)) co_return refuse(431);
      const bool is_new = buffer_.size() == 0;
      std::size_t received = 0;
      Io io = Io::ok;
      if (is_new) {
        io = co_await receive_first(received);
      } else {
        io = co_await connection_.receive(buffer_.space(), received);
      }
      if (io == Io::expired && !is_new) co_return refuse(408);
      if (io != Io::ok) co_return Head::ended;
      if (is_new) start_head_timer();
      buffer_.add(received);
      parse_head();
    }
    if (outcome_ == Outcome::head_too_large) co_return refuse(431);
    if (outcome_ == Outcome::malformed) co_return refuse(400);
    co_return Head::ready;
  }

  // Waits for the first bytes of a request, soon without holding memory for them.
  Task<Io> receive_first(std::size_t& received) {
    if (loop_.is_draining()) co_return Io::closed;
    const Clock::Duration all = environment_.limits.idle_timeout;
    const Clock::Duration patience = std::min(all, kBufferPatience);
    connection_.set_deadline(Connection::Phase::idle, patience);
    Io io = co_await connection_.receive(buffer_.space(), received);
    if (io != Io::expired || loop_.is_draining()) co_return io;

    buffer_.release();
    parser_.release();
    headers_ = std::vector<Header>();
    connection_.set_deadline(Connection::Phase::idle, all - patience);
    io = co_await connection_.wait_readable();
    if (io != Io::ok) co_return io;
    buffer_.grow(environment_.limits.head_bytes);
    co_return co_await connection_.receive(buffer_.space(), received);
  }

  // The time for a head starts with its first byte and is not renewed by the ones that follow.
  void start_head_timer() {
    connection_.set_deadline(Connection::Phase::reading, environment_.limits.head_timeout);
  }

  void parse_head() {
    outcome_ = parser_.parse(buffer_.data(), buffer_.parsed(), buffer_.size());
    buffer_.set_parsed(buffer_.size());
  }

  Head refuse(int status) {
    rejection_ = status;
    return Head::rejected;
  }

  Task<bool> exchange() {
    connection_.set_working();
    const auto started = environment_.clock.now();
    const bool is_complete = outcome_ == Outcome::message_complete;
    const std::size_t request_end = parser_.consumed();
    const auto expectation = find_header(headers_, "expect");
    const bool is_expecting = expectation && !parser_.is_http_1_0();
    const bool expects_continue = is_expecting && is_continue(*expectation);
    RequestBody body(connection_, parser_, is_complete, expects_continue);
    Request request(parser_.method(), parser_.target(buffer_.data()), headers_, connection_.peer(),
                    body);
    Exchange record = describe(request);
    environment_.observer.started(record);

    Response response(417);
    if (!is_expecting || expects_continue) response = co_await call_handler(request, record);
    record.route = response.route;
    if (body.fault() != RequestBody::Fault::none) {
      co_await answer_fault(record, body, started);
      co_return false;
    }
    const Framing framing = framing_for(request, response, body);
    record.status = response.status;
    const Io io = co_await write(response, framing, record);
    record.is_complete = io == Io::ok;
    record.duration = environment_.clock.now() - started;
    bool is_read = false;
    if (io == Io::ok) is_read = co_await body.discard_rest();
    finish(record, body);

    const std::size_t consumed = is_complete ? request_end : buffer_.size();
    const bool has_surplus = consumed < buffer_.size() || !body.surplus().empty();
    if (is_read && framing.keeps_alive) {
      buffer_.keep_surplus(consumed, body.surplus());
      co_return true;
    }
    if (io == Io::ok && (!is_read || has_surplus)) co_await connection_.linger();
    co_return false;
  }

  // A handler that throws is a bug: the client gets a 500 that says nothing and the connection
  // ends.
  Task<Response> call_handler(Request& request, const Exchange& record) {
    try {
      co_return co_await environment_.handler.handle(request);
    } catch (const std::exception& error) {
      environment_.observer.handler_threw(record, error.what());
    }
    Response response(500);
    response.content_type = "application/json; charset=utf-8";
    response.content = Content::constant(
        R"({"statusCode":500,"error":"Internal Server Error","message":"Internal Server Error"})");
    response.close = true;
    co_return response;
  }

  // Content that throws while it is sent is the same bug, too late for a 500.
  Task<Io> write(Response& response, const Framing& framing, Exchange& record) {
    try {
      co_return co_await write_response(connection_, response, framing, record.bytes_out);
    } catch (const std::exception& error) {
      environment_.observer.handler_threw(record, error.what());
    }
    co_return Io::closed;
  }

  // The body broke off, so the handler's answer is about something that the client never sent.
  Task<> answer_fault(Exchange& record, const RequestBody& body, Clock::Instant started) {
    const auto fault = body.fault();
    if (fault == RequestBody::Fault::malformed) record.status = 400;
    if (fault == RequestBody::Fault::too_slow) record.status = 408;
    record.duration = environment_.clock.now() - started;
    finish(record, body);
    if (fault != RequestBody::Fault::closed) {
      co_await say_goodbye(parser_level_answer(record.status));
    }
  }

  Exchange describe(const Request& request) {
    Exchange record;
    record.id = environment_.next_request_id.fetch_add(1, std::memory_order_relaxed);
    record.method = request.method();
    record.target = request.target();
    record.host = request.header("host").value_or(std::string_view());
    record.peer = &request.peer();
    record.forwarded_for = request.header("x-forwarded-for").value_or(std::string_view());
    return record;
  }

  void finish(Exchange& record, const RequestBody& body) {
    record.bytes_in = body.received();
    environment_.observer.finished(record);
  }

  Framing framing_for(const Request& request, const Response& response,
                      const RequestBody& body) const {
    Framing framing;
    framing.is_head_request = request.method() == "HEAD";
    framing.is_http_1_0 = parser_.is_http_1_0();
    // Without chunks only the end of the connection ends content of unknown length.
    const bool is_delimited = !framing.is_http_1_0 || response.content.size();
    framing.keeps_alive = parser_.wants_keep_alive() && !response.close && is_delimited &&
                          !loop_.is_draining() && body.is_rest_small();
    return framing;
  }

  // Node.js' own words for HTTP/1.1 without Host: an empty chunked body.
  Task<> reject_without_host() {
    environment_.observer.rejected(400);
    std::string answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nDate: ";
    answer.append(loop_.date()).append("\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    co_await say_goodbye(answer);
  }

  // The last answer of the connection. `answer` lives until it is sent.
  Task<> say_goodbye(std::string_view answer) {
    const Io io = co_await connection_.send(answer, false);
    if (io == Io::ok) co_await connection_.linger();
  }

  using Outcome = RequestParser::Outcome;

  EventLoop& loop_;
  Environment& environment_;
  Connection connection_;
  RequestParser parser_;
  HeadBuffer buffer_;
  std::vector<Header> headers_;
  Outcome outcome_ = Outcome::need_more;
  int rejection_ = 0;
};

}  // namespace

Task<> serve(EventLoop& loop, Connection::Socket socket) {
  Session session(loop, std::move(socket));
  co_await session.run();
}

}  // namespace flowstore::http
