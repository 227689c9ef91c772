#include "http/response_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include <sys/uio.h>
#include <unistd.h>

namespace flowstore::http {
namespace {

// Up to here a file is read right behind the head and goes out with it in one system call; above,
// sendfile wins (bench/README.md, GET 1 KiB and 64 KiB).
constexpr std::uint64_t kInlineFileBytes = 16 * 1024;

// A file is warmed and sent in steps of this size.
constexpr std::uint64_t kFileStep = 1 << 20;

std::span<const iovec> pieces_of(std::array<iovec, 2>& pieces, std::string_view first,
                                 std::string_view second) {
  pieces[0] = iovec{const_cast<char*>(first.data()), first.size()};
  pieces[1] = iovec{const_cast<char*>(second.data()), second.size()};
  return std::span(pieces.data(), second.empty() ? 1 : 2);
}

// Reads a whole range; false if the file is shorter or cannot be read. Blocks: runs on the pool.
bool read_fully(int file, std::uint64_t offset, std::span<char> into) {
  while (!into.empty()) {
    const ssize_t got = ::pread(file, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

// Reads what the page cache has, without waiting for a disk; the bytes read, or -1.
ssize_t read_cached(int file, std::uint64_t offset, std::span<char> into) {
  const iovec piece = {into.data(), into.size()};
  const ssize_t got = ::preadv2(file, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  // A file system that cannot tell (EOPNOTSUPP) is one that lives in memory or is not local.
  if (got < 0 && errno == EOPNOTSUPP) {
    return ::pread(file, into.data(), into.size(), static_cast<off_t>(offset));
  }
  return got;
}

bool is_cached(int file, std::uint64_t offset) {
  char byte;
  const ssize_t got = read_cached(file, offset, std::span(&byte, 1));
  return got >= 0 || errno != EAGAIN;
}

// Sends one answer; made for the call.
class Writer {
 public:
  Writer(Connection& connection, const Framing& framing, std::uint64_t& sent)
      : connection_(connection), framing_(framing), sent_(sent) {}

  Task<Io> write(Response& response) {
    const auto size = response.content.size();
    std::string& head = connection_.loop().scratch();
    head.clear();
    const auto& limits = connection_.loop().environment().limits;
    append_head(head, response, size, framing_, connection_.loop().date(), limits.idle_timeout);
    const bool has_content = may_have_content(response.status) && !framing_.is_head_request;
    if (!has_content || size == 0) co_return co_await send_both(head, {});

    Content::Form& form = response.content.form();
    if (auto* bytes = std::get_if<std::string>(&form)) co_return co_await send_both(head, *bytes);
    if (auto* bytes = std::get_if<std::string_view>(&form)) {
      co_return co_await send_both(head, *bytes);
    }
    if (auto* shared = std::get_if<Content::Shared>(&form)) {
      const auto all = std::string_view(*shared->bytes);
      co_return co_await send_both(head, all.substr(shared->offset, shared->length));
    }
    if (auto* file = std::get_if<Content::File>(&form)) co_return co_await send_file(head, *file);
    co_return co_await send_stream(head, *std::get<Content::Stream>(form).source, size);
  }

 private:
  // `head` is the loop's scratch: what the kernel does not take at once is copied before waiting.
  Task<Io> send_both(std::string_view head, std::string_view body) {
    std::array<iovec, 2> pieces;
    const ssize_t sent = connection_.send_now(pieces_of(pieces, head, body), false);
    if (sent < 0) co_return Io::closed;
    const auto done = static_cast<std::size_t>(sent);
    if (done < head.size()) {
      const std::string rest(head.substr(done));
      const Io io = co_await connection_.send(rest, !body.empty());
      if (io != Io::ok) co_return io;
      co_return co_await send_body(body);
    }
    sent_ += done - head.size();
    co_return co_await send_body(body.substr(done - head.size()));
  }

  Task<Io> send_body(std::string_view body) {
    if (body.empty()) co_return Io::ok;
    const Io io = co_await connection_.send(body, false);
    if (io == Io::ok) sent_ += body.size();
    co_return io;
  }

  Task<Io> send_file(std::string& head, const Content::File& file) {
    const int fd = file.descriptor.get();
    if (file.length <= kInlineFileBytes) {
      const std::size_t head_size = head.size();
      head.resize(head_size + file.length);
      const std::span<char> body(head.data() + head_size, file.length);
      const ssize_t got = read_cached(fd, file.offset, body);
      if (got == static_cast<ssize_t>(file.length)) {
        const std::string_view all(head);
        co_return co_await send_both(all.substr(0, head_size), all.substr(head_size));
      }
      head.resize(head_size);
    }
    const std::string own_head(head);
    const Io io = co_await connection_.send(own_head, true);
    if (io != Io::ok) co_return io;
    co_return co_await send_in_steps(fd, file.offset, file.length);
  }

  Task<Io> send_in_steps(int fd, std::uint64_t offset, std::uint64_t length) {
    while (length > 0) {
      const std::uint64_t step = std::min(length, kFileStep);
      if (!is_cached(fd, offset) || !is_cached(fd, offset + step - 1)) {
        const bool is_warm = co_await warm(fd, offset, step);
        if (!is_warm) co_return Io::closed;
      }
      const Io io = co_await connection_.send_file(fd, offset, step);
      if (io != Io::ok) co_return io;
      sent_ += step;
      offset += step;
      length -= step;
    }
    co_return Io::ok;
  }

  // Brings the range into the page cache on the pool, so that sendfile does not make the loop wait
  // for the disk.
  Task<bool> warm(int fd, std::uint64_t offset, std::uint64_t length) {
    auto work = [fd, offset, length] {
      const auto trash = std::make_unique_for_overwrite<char[]>(length);
      return read_fully(fd, offset, std::span(trash.get(), length));
    };
    co_return co_await connection_.loop().environment().disk.run(work);
  }

  Task<Io> send_stream(std::string_view head, ByteSource& source,
                       std::optional<std::uint64_t> size) {
    const std::string own_head(head);
    Io io = co_await connection_.send(own_head, true);
    const bool is_chunked = !size && !framing_.is_http_1_0;
    while (io == Io::ok) {
      const auto piece = co_await source.next();
      // An answer cut short is the only way left to say that something went wrong. A source that
      // yields more than it promised must not reach the client as the next answer.
      if (!piece || (size && piece->size() > *size - sent_)) co_return Io::closed;
      if (piece->empty()) break;
      if (is_chunked) {
        io = co_await send_chunk(*piece);
      } else {
        io = co_await connection_.send(*piece, false);
      }
      if (io == Io::ok) sent_ += piece->size();
    }
    if (io == Io::ok && size && sent_ != *size) co_return Io::closed;
    if (io != Io::ok || !is_chunked) co_return io;
    co_return co_await connection_.send("0\r\n\r\n", false);
  }

  Task<Io> send_chunk(std::string_view piece) {
    std::array<char, 24> line;
    const int size = std::snprintf(line.data(), line.size(), "%zx\r\n", piece.size());
    Io io = co_await connection_.send(std::string_view(line.data(), static_cast<std::size_t>(size)),
                                      true);
    if (io == Io::ok) io = co_await connection_.send(piece, true);
    if (io == Io::ok) io = co_await connection_.send("\r\n", false);
    co_return io;
  }

  Connection& connection_;
  const Framing& framing_;
  std::uint64_t& sent_;
};

}  // namespace

Task<Io> write_response(Connection& connection, Response& response, const Framing& framing,
                        std::uint64_t& sent) {
  Writer writer(connection, framing, sent);
  co_return co_await writer.write(response);
}

}  // namespace flowstore::http
