#include "files/s3/incoming.h"

#include <algorithm>
#include <utility>

#include "base/pause.h"
#include "files/file_errors.h"
#include "files/s3/object_source.h"

namespace flowstore::files::s3 {
namespace {

constexpr int kFirstPart = 5001;  // of the body: before it is room for a file that it is added to
constexpr int kMostParts = 5000;
// Of an append that others are faster than.
constexpr int kTries = 8;
constexpr std::chrono::milliseconds kPause{50};

// What is known of the file that is replaced, because nothing else was to be there.
std::optional<std::uint64_t> size_before(const Expected& expected) {
  if (expected.what == Expected::What::anything) return std::nullopt;
  return expected.what == Expected::What::no_file ? 0 : expected.file.size;
}

Error too_many_parts() { return Error::too_large(std::uint64_t{kMostParts} * kPartBytes); }

}  // namespace

Incoming::Incoming(const UploadShop& shop, FileKey key, WriteMode mode)
    : shop_(shop),
      key_(std::move(key)),
      mode_(mode),
      memory_(shop.memory),
      multipart_(shop.objects, key_.path()),
      name_(History::new_name()) {}

Task<Status> Incoming::take_in(ByteSource& body) {
  const std::uint64_t announced = std::min<std::uint64_t>(body.size().value_or(0), kPartBytes);
  std::string_view rest;
  if (announced > 0) buffer_.reserve(announced);
  FLOWSTORE_CO_TRY_STATUS(co_await fill_buffer(body, rest));
  if (rest.empty()) co_return Status();
  co_return co_await take_parts(body, rest);
}

// `rest`: what of the latest piece did not fit; empty when the body has ended.
Task<Status> Incoming::fill_buffer(ByteSource& body, std::string_view& rest) {
  while (rest.empty()) {
    FLOWSTORE_CO_TRY(rest, co_await body.next());
    if (rest.empty()) co_return Status();
    const std::size_t taken = std::min(rest.size(), kPartBytes - buffer_.size());
    FLOWSTORE_CO_TRY_STATUS(co_await memory_.grow_to(first_.size() + buffer_.size() + taken));
    buffer_.append(rest.substr(0, taken));
    size_ += taken;
    rest.remove_prefix(taken);
  }
  co_return Status();
}

Task<Status> Incoming::take_parts(ByteSource& body, std::string_view rest) {
  FLOWSTORE_CO_TRY_STATUS(co_await begin_parts());
  for (int number = kFirstPart; !buffer_.empty(); ++number) {
    if (number == kFirstPart + kMostParts) co_return too_many_parts();
    std::string part;
    part.reserve(kPartBytes);
    part.swap(buffer_);
    if (mode_ == WriteMode::append && number == kFirstPart) first_ = part;
    FLOWSTORE_CO_TRY_STATUS(co_await multipart_.add(number, std::move(part)));
    // The piece that `rest` is of may hold more than a part.
    const std::size_t taken = std::min(rest.size(), kPartBytes);
    buffer_.append(rest.substr(0, taken));
    size_ += taken;
    rest.remove_prefix(taken);
    FLOWSTORE_CO_TRY_STATUS(co_await fill_buffer(body, rest));
  }
  FLOWSTORE_CO_TRY(parts_, co_await multipart_.finish());
  co_return Status();
}

// The parts on their way take memory, too.
Task<Status> Incoming::begin_parts() {
  const std::uint64_t parts = mode_ == WriteMode::append ? 4 : 3;
  FLOWSTORE_CO_TRY_STATUS(co_await memory_.grow_to(parts * kPartBytes));
  History history;
  if (mode_ == WriteMode::append) {
    FLOWSTORE_CO_TRY(const auto old, co_await shop_.objects.head(key_.path()));
    if (old) history = old->history.with_gap();
  }
  co_return co_await multipart_.begin(history.with(name_));
}

Task<Result<WriteResult>> Incoming::commit(Expected expected) {
  if (key_.names_folder()) co_return is_a_directory(key_, "open");
  if (mode_ == WriteMode::replace) co_return co_await replace(expected);
  if (multipart_.is_begun()) co_return co_await append_in_parts(expected);
  co_return co_await shop_.appender.append(key_, buffer_, expected);
}

Task<Result<WriteResult>> Incoming::replace(const Expected& expected) {
  FLOWSTORE_CO_TRY(const Right right, co_await shop_.changes.enter(key_));
  const Way way = multipart_.is_begun() ? Way::completion : Way::put;
  FLOWSTORE_CO_TRY(const Condition condition,
                   co_await condition_for(shop_.objects, key_.path(), right.can, expected, way));
  auto publishing =
      way == Way::put ? put(condition, expected.until) : multipart_.complete(parts_, condition);
  const auto change = co_await std::move(publishing);
  if (change && change->is_passed) co_return changed_meanwhile();
  if (change) co_return result_of(change->etag, size_before(expected), size_);
  if (!is_outcome_unknown(change.error())) co_return change.error();
  FLOWSTORE_CO_TRY(const auto now, co_await shop_.objects.head(key_.path(), expected.until));
  if (!now || !now->history.contains(name_)) co_return change.error();
  co_return result_of(now->stat.etag, size_before(expected), size_);
}

Task<Result<Change>> Incoming::put(const Condition& condition, Deadline deadline) {
  PutOptions options;
  options.deadline = deadline;
  options.condition = condition;
  options.history = History().with(name_);
  co_return co_await shop_.objects.put(key_.path(), buffer_, options);
}

Task<Result<WriteResult>> Incoming::append_in_parts(const Expected& expected) {
  FLOWSTORE_CO_TRY(const Right right, co_await shop_.changes.enter(key_));
  for (int left = kTries; left > 0; --left) {
    FLOWSTORE_CO_TRY(const auto old, co_await shop_.objects.head(key_.path()));
    // A try before had no answer, and has been made all the same.
    if (old && old->history.contains(name_)) {
      co_return result_of(old->stat.etag, old->stat.size - size_, old->stat.size);
    }
    if (!is_expected(expected, old)) co_return changed_meanwhile();
    if (!expected.has_room(old ? old->stat.size : 0, size_)) {
      co_return Error::too_large(*expected.most);
    }
    const auto change = co_await complete_behind(old, right.can);
    if (change && !change->is_passed) {
      const std::uint64_t before = old ? old->stat.size : 0;
      co_return result_of(change->etag, before, before + size_);
    }
    if (!change && !is_outcome_unknown(change.error())) co_return change.error();
    co_await sleep_for(jittered(kPause));
  }
  co_return too_contended();
}

Task<Result<Change>> Incoming::complete_behind(const std::optional<Found>& old,
                                               const Capabilities& can) {
  Change passed;
  passed.is_passed = true;
  auto parts = co_await parts_behind(old, can);
  if (!parts && parts.error().kind() == ErrorKind::conflict) co_return passed;
  if (!parts) co_return parts.error();
  std::optional<FileStat> file;
  if (old) file = old->stat;
  const Condition condition = can.unchanged(file, Way::completion);
  co_return co_await multipart_.complete(*parts, condition);
}

// The old file, in front of the body. A small one cannot be a part of its own: it goes into the
// body's first part. All parts that were sent are named in the end, as Ceph wants it.
Task<Result<std::vector<Part>>> Incoming::parts_behind(const std::optional<Found>& old,
                                                       const Capabilities& can) {
  const std::uint64_t before = old ? old->stat.size : 0;
  std::string front;
  std::vector<Part> parts;
  if (before >= kPartBytes) {
    FLOWSTORE_CO_TRY(parts, co_await multipart_.copy(old->stat, 1));
  } else if (before > 0) {
    ObjectSource source(shop_.objects, key_.path(), *old, can.has_md5_etags);
    FLOWSTORE_CO_TRY(front, co_await read_all(source));
  }
  FLOWSTORE_CO_TRY_STATUS(co_await put_in_front(front));
  parts.insert(parts.end(), parts_.begin(), parts_.end());
  co_return parts;
}

// Makes the first part begin with these bytes. It may have others from a try before.
Task<Status> Incoming::put_in_front(const std::string& bytes) {
  if (bytes.empty() && front_size_ == 0) co_return Status();
  const std::string merged = bytes + first_;
  FLOWSTORE_CO_TRY(parts_.front(), co_await multipart_.put(kFirstPart, merged));
  front_size_ = bytes.size();
  co_return Status();
}

WriteResult Incoming::result_of(const std::string& etag, std::optional<std::uint64_t> before,
                                std::uint64_t size) {
  WriteResult result;
  result.stat.size = size;
  result.stat.etag = etag;
  result.stat.modified = std::chrono::system_clock::now();
  result.replaced_bytes = before;
  return result;
}

}  // namespace flowstore::files::s3
