#include "http/session.h"

#include <cstring>
#include <exception>
#include <memory>
#include <utility>

#include "base/offload.h"
#include "http/header_words.h"
#include "http/request_body.h"
#include "http/request_memory.h"
#include "http/response_writer.h"

namespace flowstore::http {
namespace {

// Co_awaits here stand in statements of their own: g++ 12 gives a coroutine that awaits in a
// condition, and has no local variable in its outermost block, a frame that cannot be resumed.
class Session {
 public:
  Session(EventLoop& loop, Connection::Socket socket)
      : loop_(loop), environment_(loop.environment()), connection_(loop, std::move(socket)) {}

  // A request, or its beginning, has been received.
  bool has_input() const noexcept { return memory_ != nullptr; }

  // Agrees on TLS where the listener has it; false if the client does not.
  Task<bool> begin() {
    if (environment_.tls == nullptr) co_return true;
    const Io io = co_await connection_.secure(*environment_.tls);
    co_return io == Io::ok;
  }

  // Waits for a request, holding no memory for it. Not to be called with has_input().
  Task<Io> wait() {
    connection_.set_deadline(Connection::Phase::idle, environment_.limits.idle_timeout);
    return connection_.wait_readable();
  }

  // Takes what has arrived, which after a wait is rarely nothing. False if the client has left.
  bool receive_first() {
    auto memory = loop_.lend_memory();
    memory->buffer.grow(environment_.limits.head_bytes);
    std::size_t received = 0;
    const Io io = connection_.receive_now(memory->buffer.space(), received);
    memory->buffer.add(received);
    if (received > 0) {
      memory_ = std::move(memory);
    } else {
      loop_.take_back(std::move(memory));
    }
    return io == Io::ok;
  }

  // One request and its answer; false when the connection is over. Needs has_input(). No coroutine
  // itself: a head that has come whole, as nearly all do, costs the exchange's frame and no other.
  Task<bool> serve_one() {
    parser().reset();
    parse_head();
    return needs_more_head() ? wait_for_head() : serve_head(Io::ok);
  }

  // Gives the memory of a request back if nothing of the next one has come.
  void rest() {
    if (memory_ && buffer().size() == 0) loop_.take_back(std::move(memory_));
  }

 private:
  Task<bool> wait_for_head() {
    const Io io = co_await read_rest_of_head();
    co_return co_await serve_head(io);
  }

  // Goes on from a head that is complete, or never will be.
  Task<bool> serve_head(Io io) {
    if (io == Io::closed) return give_up();
    if (const int status = rejection(io); status != 0) return reject(status);
    if (parser().is_connect()) return give_up();  // as Node.js without a connect listener
    parser().headers(buffer().data(), memory_->headers);
    const bool has_host = parser().is_http_1_0() || find_header(memory_->headers, "host");
    return has_host ? exchange() : reject_without_host();
  }

  Task<bool> give_up() { co_return false; }

  Task<bool> reject(int status) {
    environment_.observer.rejected(status);
    co_await say_goodbye(parser_level_answer(status));
    co_return false;
  }

  Task<Io> read_rest_of_head() {
    // The time for a head is not renewed by every byte.
    connection_.set_deadline(Connection::Phase::reading, environment_.limits.head_timeout);
    Io io = Io::ok;
    while (io == Io::ok && needs_more_head()) {
      std::size_t received = 0;
      io = co_await connection_.receive(buffer().space(), received);
      buffer().add(received);
      if (io == Io::ok) parse_head();
    }
    co_return io;
  }

  bool needs_more_head() const {
    return outcome_ == Outcome::need_more && !parser().is_head_complete();
  }

  void parse_head() {
    outcome_ = parser().parse(buffer().data(), buffer().parsed(), buffer().size());
    buffer().set_parsed(buffer().size());
    const bool has_room = !needs_more_head() || buffer().grow(environment_.limits.head_bytes);
    if (!has_room) outcome_ = Outcome::head_too_large;
  }

  // The status of the parser-level answer to what was read, 0 if it is a request.
  int rejection(Io io) const {
    if (io == Io::expired) return 408;
    if (outcome_ == Outcome::head_too_large) return 431;
    return outcome_ == Outcome::malformed ? 400 : 0;
  }

  Task<bool> exchange() {
    connection_.set_working();
    yield_soon_to_offloaded_work(loop_.context());
    const auto started = environment_.clock.now();
    const bool is_complete = outcome_ == Outcome::message_complete;
    if (is_complete) connection_.set_answering();
    const std::size_t request_end = parser().consumed();
    const auto expectation = find_header(memory_->headers, "expect");
    const bool is_expecting = expectation && !parser().is_http_1_0();
    const bool expects_continue = is_expecting && is_continue(*expectation);
    RequestBody body(connection_, parser(), is_complete, expects_continue);
    Request request(parser().method(), parser().target(buffer().data()), memory_->headers,
                    connection_.peer(), body, connection_.caller());
    Exchange record = describe(request);
    environment_.observer.started(record);

    Response response(417);
    try {
      if (!is_expecting || expects_continue) {
        response = co_await environment_.handler.handle(request);
      }
    } catch (const std::exception& error) {
      environment_.observer.handler_threw(record, error.what());
      response = answer_to_a_bug();
    }
    record.route = request.route();
    if (body.fault() != RequestBody::Fault::none) {
      co_await answer_fault(record, body, started);
      co_return false;
    }
    const Framing framing = framing_for(request, response, body);
    record.status = response.status;
    ResponseWriter writer(connection_, response, framing);
    Io io = Io::ok;
    if (!writer.send_at_once()) io = co_await send_rest(writer, record);
    if (io == Io::ok && connection_.has_unsent()) {
      io = co_await connection_.send(std::string_view(), false);
    }
    if (io != Io::ok) connection_.break_off();
    record.is_complete = io == Io::ok;
    record.bytes_out = writer.sent();
    record.duration = environment_.clock.now() - started;
    bool is_read = io == Io::ok && body.is_complete();
    if (io == Io::ok && !is_read) is_read = co_await body.discard_rest();
    finish(record, body);

    const std::size_t consumed = is_complete ? request_end : buffer().size();
    const bool has_surplus = consumed < buffer().size() || !body.surplus().empty();
    if (is_read && framing.keeps_alive) {
      buffer().keep_surplus(consumed, body.surplus());
      co_return true;
    }
    if (io == Io::ok && (!is_read || has_surplus)) co_await connection_.linger();
    co_return false;
  }

  // A handler that throws is a bug: the client gets a 500 that says nothing and the connection
  // ends.
  static Response answer_to_a_bug() {
    Response response(500);
    response.content_type = "application/json; charset=utf-8";
    response.content = Content::constant(
        R"({"statusCode":500,"error":"Internal Server Error","message":"Internal Server Error"})");
    response.close = true;
    return response;
  }

  // Content that throws while it is sent is the same bug, too late for a 500.
  Task<Io> send_rest(ResponseWriter& writer, const Exchange& record) {
    try {
      co_return co_await writer.send_rest();
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

  // The memory of the head goes on to other requests; a token does not stay in what they leave
  // free.
  void forget_token() {
    for (const Header& header : memory_->headers) {
      if (!equals_ignoring_case(header.name, "authorization")) continue;
      const auto place = header.value.data() - buffer().data();
      ::explicit_bzero(buffer().data() + place, header.value.size());
    }
  }

  void finish(Exchange& record, const RequestBody& body) {
    record.bytes_in = body.received();
    environment_.observer.finished(record);
    forget_token();
  }

  Framing framing_for(const Request& request, const Response& response,
                      const RequestBody& body) const {
    Framing framing;
    framing.is_head_request = request.method() == "HEAD";
    framing.is_http_1_0 = parser().is_http_1_0();
    // Without chunks only the end of the connection ends content of unknown length.
    const bool is_delimited = !framing.is_http_1_0 || response.content.size();
    framing.keeps_alive = parser().wants_keep_alive() && !response.close && is_delimited &&
                          !loop_.is_draining() && body.is_rest_small();
    return framing;
  }

  // Node.js' own words for HTTP/1.1 without Host: an empty chunked body.
  Task<bool> reject_without_host() {
    environment_.observer.rejected(400);
    std::string answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nDate: ";
    answer.append(loop_.date()).append("\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    co_await say_goodbye(answer);
    co_return false;
  }

  // The last answer of the connection. `answer` lives until it is sent.
  Task<> say_goodbye(std::string_view answer) {
    const Io io = co_await connection_.send(answer, false);
    if (io == Io::ok) co_await connection_.linger();
  }

  using Outcome = RequestParser::Outcome;

  RequestParser& parser() const noexcept { return memory_->parser; }
  HeadBuffer& buffer() const noexcept { return memory_->buffer; }

  EventLoop& loop_;
  Environment& environment_;
  Connection connection_;
  std::unique_ptr<RequestMemory> memory_;  // from the first byte of a request to its answer
  Outcome outcome_ = Outcome::need_more;
};

}  // namespace

Task<> serve(EventLoop& loop, Connection::Socket socket) {
  Session session(loop, std::move(socket));
  // The waiting is done here, where the fewest coroutine frames are alive: idle connections are
  // many.
  bool goes_on = co_await session.begin();
  while (goes_on) {
    if (session.has_input()) {
      goes_on = co_await session.serve_one();
      session.rest();
    } else if (loop.is_draining()) {
      goes_on = false;
    } else {
      const Io io = co_await session.wait();
      goes_on = io == Io::ok && session.receive_first();
    }
  }
}

}  // namespace flowstore::http
