#include "http/connector.h"

#include <algorithm>
#include <array>

#include <boost/asio/this_coro.hpp>

#include "http/chunk_decoder.h"
#include "http/response_parser.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// One read of a large body; a body that is smaller takes less.
constexpr std::size_t kPiece = 64U << 10;
constexpr std::size_t kHead = 8U << 10;
// A chunk's extension, and all trailers together.
constexpr std::size_t kMostLine = 16U << 10;

Error error_of(std::string_view code, std::string reason) {
  return {ErrorKind::unavailable, std::string(code), std::move(reason)};
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

bool is_clean(const OutgoingRequest& request) {
  const bool is_line_clean = !has_control_character(request.method) &&
                             !has_control_character(request.target) &&
                             request.target.find(' ') == std::string::npos;
  return is_line_clean &&
         std::none_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
           return has_control_character(header.first) || has_control_character(header.second);
         });
}

std::string head_of(const OutgoingRequest& request) {
  std::string head;
  head.reserve(kHead);
  head.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  for (const auto& [name, value] : request.headers) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  const std::uint64_t size = request.source ? *request.source->size() : request.body.size();
  const bool wants_length = size > 0 || request.method == "PUT" || request.method == "POST";
  if (wants_length) head.append("content-length: ").append(std::to_string(size)).append("\r\n");
  return head.append("\r\n");
}

Instant next_deadline(const OutgoingRequest& request) {
  return std::min(request.deadline, steady_clock::now() + request.timeout);
}

// False: the peer answers before it has got everything.
Task<Result<bool>> send_source(Wire& wire, const OutgoingRequest& request, std::size_t& sent) {
  std::uint64_t left = *request.source->size();
  while (left > 0) {
    FLOWSTORE_CO_TRY(const std::string_view piece, co_await request.source->next());
    if (piece.empty() || piece.size() > left) {
      co_return Error(ErrorKind::internal, "source", "a body has another size than it said");
    }
    if (wire.has_input()) co_return false;
    const auto written =
        co_await wire.write(piece, std::string_view(), next_deadline(request), sent);
    if (!written) co_return error_of(kNoAnswer, written.error().message());
    if (!*written) co_return false;
    left -= piece.size();
  }
  co_return true;
}

// The same; not_sent if nothing was taken.
Task<Result<bool>> send_all(Wire& wire, const OutgoingRequest& request) {
  const std::string head = head_of(request);
  std::size_t sent = 0;
  const std::string_view body = request.source != nullptr ? std::string_view() : request.body;
  const auto written = co_await wire.write(head, body, next_deadline(request), sent);
  if (!written) co_return error_of(sent == 0 ? kNotSent : kNoAnswer, written.error().message());
  if (!*written || request.source == nullptr) co_return *written;
  co_return co_await send_source(wire, request, sent);
}

}  // namespace

class Connector::KeptReply final : public Reply {
 public:
  KeptReply(Connector& connector, const Origin& origin, Turn turn, const OutgoingRequest& request)
      : connector_(connector),
        origin_(origin),
        turn_(std::move(turn)),
        timeout_(request.timeout),
        parser_(request.method == "HEAD"),
        chunks_(kMostLine) {}
  ~KeptReply() override {
    if (is_through_ && can_be_kept_) connector_.keep(origin_, turn_.wire->release());
  }

  int status() const override { return parser_.status(); }
  std::string_view header(std::string_view name) const override { return parser_.header(name); }
  std::optional<std::uint64_t> size() const override { return parser_.length(); }

  // Up to the head of the answer.
  Task<Status> read_head(const OutgoingRequest& request, bool is_whole_request) {
    buffer_.resize(kHead);
    while (true) {
      const auto got = co_await turn_.wire->read(buffer_, next_deadline(request));
      if (!got) co_return error_of(kNoAnswer, got.error().message());
      if (*got == 0) co_return error_of(kNoAnswer, "the connection was closed without an answer");
      const auto outcome = parser_.parse(std::string_view(buffer_.data(), *got));
      if (outcome == ResponseParser::Outcome::malformed) {
        co_return error_of(kNoAnswer, "the answer is no HTTP");
      }
      if (outcome == ResponseParser::Outcome::need_more) continue;
      begin_ = parser_.consumed();
      end_ = *got;
      break;
    }
    left_ = parser_.length().value_or(0);
    can_be_kept_ = parser_.can_be_kept() && is_whole_request;
    is_through_ = parser_.length() == 0U;
    // What comes behind an answer belongs to none.
    if (is_through_ && begin_ < end_) can_be_kept_ = false;
    co_return Status();
  }

  Task<Result<std::string_view>> next() override {
    while (!is_through_) {
      if (begin_ == end_) {
        FLOWSTORE_CO_TRY(const bool is_end, co_await fill());
        if (is_end) co_return std::string_view();
      }
      FLOWSTORE_CO_TRY(const std::string_view piece, take());
      if (!piece.empty()) co_return piece;
    }
    co_return std::string_view();
  }

 private:
  // True at the end of a body that only the end of the connection ends.
  Task<Result<bool>> fill() {
    const bool has_length = parser_.length().has_value();
    const std::size_t wanted = has_length ? std::min<std::uint64_t>(left_, kPiece) : kPiece;
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    const std::span<char> space(buffer_.data(), has_length ? wanted : buffer_.size());
    const auto got = co_await turn_.wire->read(space, steady_clock::now() + timeout_);
    if (!got) co_return error_of(kCutShort, got.error().message());
    begin_ = 0;
    end_ = *got;
    if (*got > 0) co_return false;
    is_through_ = !has_length && !parser_.is_chunked();
    can_be_kept_ = false;
    if (!is_through_) co_return error_of(kCutShort, "the connection was closed within the answer");
    co_return true;
  }

  Result<std::string_view> take() {
    if (parser_.is_chunked()) return take_chunk();
    std::size_t size = end_ - begin_;
    if (parser_.length()) {
      if (size > left_) can_be_kept_ = false;
      size = std::min<std::uint64_t>(size, left_);
      left_ -= size;
      is_through_ = left_ == 0;
    }
    const std::string_view piece(buffer_.data() + begin_, size);
    begin_ = end_ = 0;
    return piece;
  }

  Result<std::string_view> take_chunk() {
    const auto outcome = chunks_.decode(std::span(buffer_.data() + begin_, end_ - begin_));
    if (outcome == ChunkDecoder::Outcome::malformed) {
      return error_of(kCutShort, "the answer's chunks are malformed");
    }
    is_through_ = outcome == ChunkDecoder::Outcome::complete;
    if (is_through_ && begin_ + chunks_.consumed() < end_) can_be_kept_ = false;
    begin_ = end_ = 0;
    return chunks_.piece();
  }

  Connector& connector_;
  const Origin origin_;
  Turn turn_;
  const milliseconds timeout_;
  ResponseParser parser_;
  ChunkDecoder chunks_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what has been read and not taken
  std::size_t end_ = 0;
  std::uint64_t left_ = 0;   // of a body whose length is known
  bool is_through_ = false;  // all of the body has been taken
  bool can_be_kept_ = false;
};

Connector::Connector(const Trust& trust, ConnectorOptions options)
    : options_(options), dialler_(trust), places_(options.max_connections) {}

Connector::~Connector() = default;

Task<Result<std::unique_ptr<Reply>>> Connector::send(const Origin& origin,
                                                     OutgoingRequest request) {
  if (!is_clean(request)) {
    co_return Error(ErrorKind::invalid, "control_character",
                    "a control character cannot be sent in a request's head");
  }
  FLOWSTORE_CO_TRY(Turn turn, co_await take(origin, request));
  Wire& wire = *turn.wire;
  auto reply = std::make_unique<KeptReply>(*this, origin, std::move(turn), request);
  FLOWSTORE_CO_TRY(const bool is_whole, co_await send_all(wire, request));
  FLOWSTORE_CO_TRY_STATUS(co_await reply->read_head(request, is_whole));
  co_return std::unique_ptr<Reply>(std::move(reply));
}

Task<Result<Connector::Turn>> Connector::take(const Origin& origin,
                                              const OutgoingRequest& request) {
  const auto deadline = std::min(request.deadline, steady_clock::now() + request.connect_timeout);
  Turn turn;
  turn.place = co_await places_.take(deadline);
  if (!turn.place) co_return error_of(kNotSent, "all connections are in use");
  if (auto line = take_idle(origin)) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    turn.wire = std::make_unique<Wire>(executor, *std::move(line));
    co_return turn;
  }
  auto dialled = co_await dialler_.dial(origin, deadline);
  if (!dialled) co_return error_of(kNotSent, dialled.error().message());
  turn.wire = *std::move(dialled);
  co_return turn;
}

std::optional<Line> Connector::take_idle(const Origin& origin) {
  const auto oldest = steady_clock::now() - options_.idle_timeout;
  std::deque<Idle> gone;  // closed without the lock
  const std::lock_guard lock(mutex_);
  while (!idle_.empty() && idle_.front().since < oldest) {
    gone.push_back(std::move(idle_.front()));
    idle_.pop_front();
  }
  while (true) {
    const auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                                    [&](const Idle& idle) { return idle.origin == origin; });
    if (found == idle_.rend()) return std::nullopt;
    Line line = std::move(found->line);
    idle_.erase(std::next(found).base());
    if (!has_said_something(line)) return line;
    gone.emplace_back().line = std::move(line);
  }
}

void Connector::keep(const Origin& origin, Line line) {
  Idle idle;
  idle.origin = origin;
  idle.line = std::move(line);
  idle.since = steady_clock::now();
  std::optional<Idle> oldest;
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(idle));
  if (idle_.size() <= options_.max_idle) return;
  oldest = std::move(idle_.front());
  idle_.pop_front();
}

}  // namespace flowstore::http
