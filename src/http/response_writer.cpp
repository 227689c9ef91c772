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

// Whether the second text begins where the first one ends.
bool is_behind(std::string_view first, std::string_view second) {
  return second.data() == first.data() + first.size();
}

// One piece where the memory is one.
std::span<const iovec> pieces_of(std::array<iovec, 2>& pieces, std::string_view first,
                                 std::string_view second) {
  pieces[0] = iovec{const_cast<char*>(first.data()), first.size()};
  pieces[1] = iovec{const_cast<char*>(second.data()), second.size()};
  if (!is_behind(first, second)) return std::span(pieces.data(), second.empty() ? 1 : 2);
  pieces[0].iov_len += second.size();
  return std::span(pieces.data(), 1);
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

}  // namespace

bool ResponseWriter::send_at_once() {
  EventLoop& loop = connection_.loop();
  const auto& modified = response_.last_modified;
  if (modified) response_.add("last-modified", loop.date_of(*modified));
  const auto scratch = loop.scratch(head_room(response_) + kInlineFileBytes);
  const HeadTime time{loop.date(), loop.environment().limits.idle_timeout};
  const std::size_t head_size =
      write_head(scratch.data(), response_, response_.content.size(), framing_, time);
  const std::string_view head(scratch.data(), head_size);
  std::string_view content;
  if (may_have_content(response_.status) && !framing_.is_head_request) {
    content = content_in_memory(scratch.subspan(head_size));
  }
  // A head alone waits for its content: together they fill fewer packets.
  std::array<iovec, 2> pieces{};
  const ssize_t taken = connection_.send_now(pieces_of(pieces, head, content), has_more_);
  const auto sent = static_cast<std::size_t>(std::max<ssize_t>(taken, 0));
  if (sent == head.size() + content.size()) {
    sent_ = content.size();
    return !has_more_;
  }
  // What the kernel has no room for is kept: the scratch belongs to the next answer of the loop.
  rest_of_head_ = head.substr(std::min(sent, head.size()));
  sent_ = sent - std::min(sent, head.size());
  rest_of_content_ = content.substr(sent_);
  if (is_behind(head, content)) {
    own_content_ = rest_of_content_;
    rest_of_content_ = own_content_;
  }
  return false;
}

// The bytes of content in memory; a small file is read into `space`, behind the head. Sets
// has_more_ for anything else.
std::string_view ResponseWriter::content_in_memory(std::span<char> space) {
  Content::Form& form = response_.content.form();
  if (auto* bytes = std::get_if<std::string>(&form)) return *bytes;
  if (auto* bytes = std::get_if<std::string_view>(&form)) return *bytes;
  if (auto* shared = std::get_if<Content::Shared>(&form)) {
    return std::string_view(*shared->bytes).substr(shared->offset, shared->length);
  }
  if (std::holds_alternative<std::monostate>(form)) return {};
  has_more_ = true;
  const auto* file = std::get_if<Content::File>(&form);
  if (file == nullptr || file->length > kInlineFileBytes) return {};
  const auto wanted = space.first(file->length);
  has_more_ = read_cached(file->descriptor.get(), file->offset, wanted) !=
              static_cast<ssize_t>(wanted.size());
  return has_more_ ? std::string_view() : std::string_view(wanted.data(), wanted.size());
}

Task<Io> ResponseWriter::send_rest() {
  const bool is_followed = has_more_ || !rest_of_content_.empty();
  Io io = co_await connection_.send(rest_of_head_, is_followed);
  if (io != Io::ok) co_return io;
  io = co_await connection_.send(rest_of_content_, has_more_);
  if (io != Io::ok) co_return io;
  sent_ += rest_of_content_.size();
  if (!has_more_) co_return Io::ok;
  Content::Form& form = response_.content.form();
  if (auto* file = std::get_if<Content::File>(&form)) co_return co_await send_file(*file);
  co_return co_await send_stream(*std::get<Content::Stream>(form).source);
}

Task<Io> ResponseWriter::send_file(const Content::File& file) {
  const int fd = file.descriptor.get();
  while (sent_ < file.length) {
    const std::uint64_t offset = file.offset + sent_;
    const std::uint64_t step = std::min(file.length - sent_, kFileStep);
    if (!is_cached(fd, offset) || !is_cached(fd, offset + step - 1)) {
      const bool is_warm = co_await warm(fd, offset, step);
      if (!is_warm) co_return Io::closed;
    }
    const Io io = co_await connection_.send_file(fd, offset, step);
    if (io != Io::ok) co_return io;
    sent_ += step;
  }
  co_return Io::ok;
}

// Brings the range into the page cache on the pool, so that sendfile does not make the loop wait
// for the disk.
Task<bool> ResponseWriter::warm(int file, std::uint64_t offset, std::uint64_t length) {
  auto work = [file, offset, length] {
    const auto trash = std::make_unique_for_overwrite<char[]>(length);
    return read_fully(file, offset, std::span(trash.get(), length));
  };
  co_return co_await connection_.loop().environment().disk.run(work);
}

Task<Io> ResponseWriter::send_stream(ByteSource& source) {
  const auto size = source.size();
  const bool is_chunked = !size && !framing_.is_http_1_0;
  while (true) {
    const auto piece = co_await source.next();
    // An answer cut short is the only way left to say that something went wrong. A source that
    // yields more than it promised must not reach the client as the next answer.
    if (!piece || (size && piece->size() > *size - sent_)) co_return Io::closed;
    if (piece->empty()) break;
    Io io = Io::ok;
    if (is_chunked) {
      io = co_await send_chunk(*piece);
    } else {
      io = co_await connection_.send(*piece, false);
    }
    if (io != Io::ok) co_return io;
    sent_ += piece->size();
  }
  if (size && sent_ != *size) co_return Io::closed;
  if (!is_chunked) co_return Io::ok;
  co_return co_await connection_.send("0\r\n\r\n", false);
}

Task<Io> ResponseWriter::send_chunk(std::string_view piece) {
  std::array<char, 24> line{};
  const int size = std::snprintf(line.data(), line.size(), "%zx\r\n", piece.size());
  const std::string_view first(line.data(), static_cast<std::size_t>(size));
  Io io = co_await connection_.send(first, true);
  if (io == Io::ok) io = co_await connection_.send(piece, true);
  if (io == Io::ok) io = co_await connection_.send("\r\n", false);
  co_return io;
}

}  // namespace flowstore::http
