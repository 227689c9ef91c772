#include "files/s3/objects.h"

#include <algorithm>

#include "aws/digest.h"
#include "base/crash_point.h"
#include "base/digest.h"

namespace flowstore::files::s3 {
namespace {

using std::chrono::seconds;

constexpr const char* kMedia = "application/octet-stream";

void add(Call& call, const Condition& condition) {
  if (condition.header.empty()) return;
  call.headers.emplace_back(condition.header, condition.value);
  call.repeat = Repeat::not_done;
}

Call put_call(std::string_view key, const PutOptions& options) {
  Call call("PUT", key);
  call.headers.emplace_back("content-type", kMedia);
  const std::string history = options.history.header();
  if (!history.empty()) call.headers.emplace_back(kHistoryHeader, history);
  call.deadline = options.deadline;
  add(call, options.condition);
  return call;
}

std::string crc_of(std::string_view body) {
  aws::Crc32 crc;
  crc.add(body);
  return crc.in_base64();
}

std::string md5_of(std::string_view body) {
  Digest md5(Digest::Algorithm::md5);
  md5.add(body);
  return aws::base64(md5.finish());
}

bool is_hex_digest(std::string_view etag) {
  return etag.size() == 34 && std::all_of(etag.begin() + 1, etag.end() - 1, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string range_header(Range range) {
  return "bytes=" + std::to_string(range.offset) + "-" +
         std::to_string(range.offset + range.length - 1);
}

}  // namespace

Condition Condition::absent() {
  Condition condition;
  condition.header = "if-none-match";
  condition.value = "*";
  return condition;
}

Condition Condition::match(std::string etag_as_the_store_wants_it) {
  Condition condition;
  condition.header = "if-match";
  condition.value = std::move(etag_as_the_store_wants_it);
  return condition;
}

Found::Found(const Answer& answer) : stat(stat_of(answer)), history(answer.header(kHistoryHeader)) {
  const std::string_view encryption = answer.header("x-amz-server-side-encryption");
  const bool is_plain = encryption.empty() || encryption == "AES256";
  may_be_md5 = is_plain && is_hex_digest(stat.etag) &&
               answer.header("x-amz-server-side-encryption-customer-algorithm").empty();
}

Task<Result<std::optional<Found>>> Objects::head(std::string_view key, Deadline deadline) {
  Call call("HEAD", key);
  call.deadline = deadline;
  FLOWSTORE_CO_TRY(const auto answer, co_await client_.call(call));
  if (answer.is_missing()) co_return std::optional<Found>();
  if (!answer.is_good()) co_return client_.refused(call, answer);
  co_return std::optional<Found>(Found(answer));
}

Task<Result<Answer>> Objects::get(std::string_view key, std::optional<Range> range,
                                  Condition condition, Deadline deadline) {
  Call call("GET", key);
  call.deadline = deadline;
  call.headers.emplace_back("x-amz-checksum-mode", "ENABLED");
  if (range) call.headers.emplace_back("range", range_header(*range));
  if (!condition.header.empty()) call.headers.emplace_back(condition.header, condition.value);
  FLOWSTORE_CO_TRY(auto answer, co_await client_.call(call));
  if (!deadline) answer.reply->end_by(http::Instant::max());
  if (answer.is_good() || answer.is_missing() || answer.is_passed()) co_return answer;
  co_return client_.refused(call, answer);
}

Task<Result<Change>> Objects::change(const Call& call) {
  FLOWSTORE_CO_TRY(const auto answer, co_await client_.call(call));
  crash_point(CrashPoint::object_changed);
  Change change;
  change.is_passed = answer.is_passed();
  if (change.is_passed) co_return change;
  if (!answer.is_good()) co_return client_.refused(call, answer);
  change.etag = stat_of(answer).etag;
  co_return change;
}

Task<Result<Change>> Objects::put(std::string_view key, std::string_view body,
                                  const PutOptions& options) {
  Call call = put_call(key, options);
  call.headers.emplace_back("x-amz-checksum-crc32", crc_of(body));
  call.body = body;
  co_return co_await change(call);
}

Task<Result<Change>> Objects::put(std::string_view key, ByteSource& body,
                                  const PutOptions& options) {
  Call call = put_call(key, options);
  call.source = &body;
  call.repeat = Repeat::not_done;
  call.try_timeout = seconds(10);
  co_return co_await change(call);
}

Task<Result<Change>> Objects::remove(std::string_view key, Condition condition, Deadline deadline) {
  Call call("DELETE", key);
  call.deadline = deadline;
  add(call, condition);
  co_return co_await change(call);
}

Task<Result<RemovalReport>> Objects::remove_many(const std::vector<Listed>& objects) {
  const std::string xml = removal_xml(objects);
  Call call("POST", "");
  call.query.emplace_back("delete", "");
  call.headers.emplace_back("content-type", "application/xml");
  call.headers.emplace_back("content-md5", md5_of(xml));
  call.body = xml;
  call.try_timeout = seconds(10);
  call.deadline = std::chrono::steady_clock::now() + seconds(30);
  FLOWSTORE_CO_TRY(auto answer, co_await client_.call(call));
  if (!answer.is_good()) co_return client_.refused(call, answer);
  FLOWSTORE_CO_TRY(const std::string text, co_await read_text(answer));
  co_return read_removal(text);
}

Task<Result<ObjectPage>> Objects::list(const ListQuery& query) {
  Call call("GET", "");
  call.query.emplace_back("list-type", "2");
  call.query.emplace_back("encoding-type", "url");
  call.query.emplace_back("prefix", query.prefix);
  call.query.emplace_back("max-keys", std::to_string(query.limit));
  if (query.is_rolled_up) call.query.emplace_back("delimiter", "/");
  if (!query.token.empty()) call.query.emplace_back("continuation-token", query.token);
  if (query.token.empty() && !query.start_after.empty()) {
    call.query.emplace_back("start-after", query.start_after);
  }
  FLOWSTORE_CO_TRY(auto answer, co_await client_.call(call));
  if (!answer.is_good()) co_return client_.refused(call, answer);
  FLOWSTORE_CO_TRY(const std::string text, co_await read_text(answer));
  co_return read_page(text);
}

Task<Result<std::string>> Objects::begin_upload(std::string_view key, const History& history) {
  Call call("POST", key);
  call.query.emplace_back("uploads", "");
  call.headers.emplace_back("content-type", kMedia);
  const std::string names = history.header();
  if (!names.empty()) call.headers.emplace_back(kHistoryHeader, names);
  FLOWSTORE_CO_TRY(auto answer, co_await client_.call(call));
  if (!answer.is_good()) co_return client_.refused(call, answer);
  FLOWSTORE_CO_TRY(const std::string text, co_await read_text(answer));
  co_return read_upload_id(text);
}

Task<Result<Part>> Objects::upload_part(std::string_view key, const std::string& upload, int number,
                                        std::string_view body, Deadline deadline) {
  Call call("PUT", key);
  call.query.emplace_back("partNumber", std::to_string(number));
  call.query.emplace_back("uploadId", upload);
  call.body = body;
  call.try_timeout = seconds(5);
  call.deadline = deadline;
  FLOWSTORE_CO_TRY(const auto answer, co_await client_.call(call));
  if (!answer.is_good()) co_return client_.refused(call, answer);
  co_return Part(number, std::string(answer.header("etag")));
}

Task<Result<Part>> Objects::copy_part(std::string_view key, const std::string& upload, int number,
                                      Range range, const std::string& etag, Deadline deadline) {
  Call call("PUT", key);
  call.query.emplace_back("partNumber", std::to_string(number));
  call.query.emplace_back("uploadId", upload);
  const std::string source = "/" + client_.bucket() + "/" + std::string(key);
  call.headers.emplace_back("x-amz-copy-source", aws::uri_encoded(source, aws::Slash::kept));
  call.headers.emplace_back("x-amz-copy-source-range", range_header(range));
  call.headers.emplace_back("x-amz-copy-source-if-match", etag);
  call.try_timeout = seconds(10);
  call.deadline = deadline;
  FLOWSTORE_CO_TRY(auto answer, co_await client_.call(call));
  if (!answer.is_good()) co_return client_.refused(call, answer);
  FLOWSTORE_CO_TRY(const std::string text, co_await read_text(answer));
  FLOWSTORE_CO_TRY(std::string copied, read_etag(text, answer));
  if (!answer.is_good()) co_return client_.refused(call, answer);
  co_return Part(number, std::move(copied));
}

Task<Result<Change>> Objects::complete_upload(std::string_view key, const std::string& upload,
                                              const std::vector<Part>& parts, Condition condition,
                                              Deadline deadline) {
  const std::string xml = completion_xml(parts);
  Call call("POST", key);
  call.query.emplace_back("uploadId", upload);
  call.headers.emplace_back("content-type", "application/xml");
  call.body = xml;
  call.repeat = Repeat::not_done;
  call.try_timeout = seconds(10);
  call.deadline = deadline;
  add(call, condition);
  FLOWSTORE_CO_TRY(auto answer, co_await client_.call(call));
  Change change;
  // An upload that is gone (404 NoSuchUpload) is no condition that failed.
  change.is_passed = answer.is_passed();
  if (change.is_passed) co_return change;
  if (!answer.is_good()) co_return client_.refused(call, answer);
  // A store may answer 200 at once and the outcome when it is there.
  const auto text = co_await read_text(answer);
  if (!text) co_return outcome_unknown();
  FLOWSTORE_CO_TRY(change.etag, read_etag(*text, answer));
  change.is_passed = answer.is_passed();
  if (!change.is_passed && !answer.is_good()) co_return outcome_unknown();
  if (!change.is_passed && change.etag.empty()) co_await find_etag(key, change);
  co_return change;
}

// Ceph 16 leaves the entity tag out. That the change was made does not depend on it.
Task<> Objects::find_etag(std::string_view key, Change& change) {
  const auto now = co_await head(key);
  if (now && *now) change.etag = (*now)->stat.etag;
}

Task<Status> Objects::abort_upload(std::string_view key, const std::string& upload) {
  Call call("DELETE", key);
  call.query.emplace_back("uploadId", upload);
  FLOWSTORE_CO_TRY(const auto answer, co_await client_.call(call));
  if (!answer.is_good() && answer.status != 404) co_return client_.refused(call, answer);
  co_return Status();
}

}  // namespace flowstore::files::s3
