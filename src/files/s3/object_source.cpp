#include "files/s3/object_source.h"

#include <utility>

namespace flowstore::files::s3 {
namespace {

Error damaged() {
  return {ErrorKind::unavailable, "storage_damaged",
          "The file came damaged from the storage; try again"};
}

// The version that was being read is gone: what came of it is not the whole.
Error changed() {
  return {ErrorKind::conflict, "storage_changed", "The file has been changed while it was read"};
}

}  // namespace

ObjectSource::ObjectSource(Objects& objects, std::string key, Found found, bool has_md5_etags)
    : objects_(objects),
      key_(std::move(key)),
      found_(std::move(found)),
      has_md5_etags_(has_md5_etags),
      range_(0, found_.stat.size) {}

void ObjectSource::begin_with(Answer answer) {
  choose_checksum(answer);
  reply_ = std::move(answer.reply);
}

void ObjectSource::end_by(http::Instant deadline) {
  deadline_ = deadline;
  if (reply_) reply_->end_by(deadline);
}

void ObjectSource::narrow(std::uint64_t offset, std::uint64_t length) {
  range_.offset += offset;
  range_.length = length;
}

// S3 sends the checksum that the object was stored with. Of parts ("...-3") it says nothing about
// the whole. Where there is none an entity tag may be one.
void ObjectSource::choose_checksum(const Answer& answer) {
  const std::string_view crc = answer.header("x-amz-checksum-crc32");
  if (!crc.empty() && crc.find('-') == std::string_view::npos) {
    expected_ = crc;
    crc_.emplace();
  } else if (has_md5_etags_ && found_.may_be_md5) {
    expected_ = found_.stat.etag.substr(1, found_.stat.etag.size() - 2);
    md5_.emplace(Digest::Algorithm::md5);
  }
}

Task<Result<std::string_view>> ObjectSource::next() {
  while (done_ < range_.length) {
    if (!reply_) FLOWSTORE_CO_TRY_STATUS(co_await open());
    const auto piece = co_await reply_->next();
    if (piece && !piece->empty()) {
      failures_ = 0;
      FLOWSTORE_CO_TRY_STATUS(take(*piece));
      co_return *piece;
    }
    reply_.reset();
    if (++failures_ == kMostFailures) co_return store_is_down();
  }
  // Its end, so that the connection can be used again.
  if (reply_) static_cast<void>(co_await reply_->next());
  reply_.reset();
  co_return std::string_view();
}

Task<Status> ObjectSource::open() {
  if (range_.length == 0) co_return Status();
  const bool is_part = done_ > 0 || !is_whole();
  std::optional<Range> rest;
  if (is_part) rest.emplace(range_.offset + done_, range_.length - done_);
  const Condition same = Condition::match(found_.stat.etag);
  FLOWSTORE_CO_TRY(auto answer, co_await objects_.get(key_, rest, same, deadline_));
  if (!answer.is_good()) co_return changed();
  // A store that knows no conditions on reads sends what there is.
  const bool is_other = stat_of(answer).etag != found_.stat.etag;
  const bool is_wrong_part = is_part != (answer.status == 206);
  if (is_other || is_wrong_part) co_return changed();
  if (!is_part) choose_checksum(answer);
  reply_ = std::move(answer.reply);
  co_return Status();
}

Status ObjectSource::take(std::string_view piece) {
  if (piece.size() > range_.length - done_) return damaged();
  done_ += piece.size();
  if (expected_.empty()) return Status();
  if (crc_) crc_->add(piece);
  if (md5_) md5_->add(piece);
  if (done_ < range_.length) return Status();
  const std::string actual = crc_ ? crc_->in_base64() : md5_->finish_in_hex();
  return actual == expected_ ? Status() : damaged();
}

Task<Result<std::string>> read_all(ObjectSource& source) {
  std::string bytes;
  bytes.reserve(*source.size());
  while (true) {
    const auto piece = co_await source.next();
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return bytes;
    bytes.append(*piece);
  }
}

}  // namespace flowstore::files::s3
