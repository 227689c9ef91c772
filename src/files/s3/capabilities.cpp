#include "files/s3/capabilities.h"

#include <utility>

#include "base/digest.h"

namespace flowstore::files::s3 {
namespace {

constexpr std::string_view kBody = "flowstore";
// Nobody's entity tag.
constexpr std::string_view kOtherEtag = "\"00000000000000000000000000000000\"";

std::string without_quotes(std::string_view etag) {
  const bool is_quoted = etag.size() >= 2 && etag.front() == '"' && etag.back() == '"';
  return std::string(is_quoted ? etag.substr(1, etag.size() - 2) : etag);
}

std::string md5_etag(std::string_view body) {
  Digest md5(Digest::Algorithm::md5);
  md5.add(body);
  return "\"" + md5.finish_in_hex() + "\"";
}

// A store that does not know a condition may refuse it, as it may refuse anything: that is an
// answer. That it is down, or lets us do nothing at all, is none.
bool is_an_answer(const Error& error) {
  return error.kind() != ErrorKind::unavailable && error.code() != "AccessDenied" &&
         error.code() != "NoSuchBucket" && error.code() != "SignatureDoesNotMatch" &&
         error.code() != "InvalidAccessKeyId";
}

std::string_view name_of(Capabilities::IfMatch way) {
  switch (way) {
    case Capabilities::IfMatch::none:
      return "none";
    case Capabilities::IfMatch::quoted:
      return "quoted";
    case Capabilities::IfMatch::unquoted:
      return "unquoted";
  }
  return "";
}

}  // namespace

Condition Capabilities::unchanged(const std::optional<FileStat>& found, Way way) const {
  if (way == Way::completion && !has_conditional_complete) return {};
  if (way == Way::removal && !has_conditional_remove) return {};
  if (!found) return has_if_none_match ? Condition::absent() : Condition();
  if (if_match == IfMatch::none) return {};
  const bool is_quoted = if_match == IfMatch::quoted;
  return Condition::match(is_quoted ? found->etag : without_quotes(found->etag));
}

CapabilityProbe::CapabilityProbe(Objects& objects, Log& log, metrics::Registry& registry)
    : objects_(objects), log_(log), registry_(registry) {}

Task<Result<Capabilities>> CapabilityProbe::get() {
  if (is_known_.load(std::memory_order_acquire)) co_return known_;
  const Turn turn = co_await turns_.take("probe");
  if (is_known_.load(std::memory_order_acquire)) co_return known_;
  FLOWSTORE_CO_TRY(known_, co_await probe());
  is_known_.store(true, std::memory_order_release);
  report(known_);
  co_return known_;
}

Task<Result<Capabilities>> CapabilityProbe::probe() {
  const std::string key = ".flowstore/probe-" + History::new_name();
  Capabilities found;
  FLOWSTORE_CO_TRY_STATUS(co_await probe_put(key, found));
  FLOWSTORE_CO_TRY_STATUS(co_await probe_complete(key, found));
  FLOWSTORE_CO_TRY_STATUS(co_await probe_remove(key, found));
  FLOWSTORE_CO_TRY_STATUS(co_await objects_.remove(key, Condition()));
  co_return found;
}

Task<Status> CapabilityProbe::probe_put(const std::string& key, Capabilities& found) {
  FLOWSTORE_CO_TRY(const bool creates, co_await does_put(key, Condition::absent()));
  FLOWSTORE_CO_TRY(const bool replaces, co_await does_put(key, Condition::absent()));
  found.has_if_none_match = creates && !replaces;
  const PutOptions plain;
  FLOWSTORE_CO_TRY(const auto written, co_await objects_.put(key, kBody, plain));
  found.has_md5_etags = written.etag == md5_etag(kBody);
  co_return co_await probe_if_match(key, written.etag, found);
}

Task<Status> CapabilityProbe::probe_if_match(const std::string& key, const std::string& etag,
                                             Capabilities& found) {
  FLOWSTORE_CO_TRY(const bool ignores,
                   co_await does_put(key, Condition::match(std::string(kOtherEtag))));
  const std::string missing = key + "-missing";
  FLOWSTORE_CO_TRY(const bool creates, co_await does_put(missing, Condition::match(etag)));
  if (creates) FLOWSTORE_CO_TRY_STATUS(co_await objects_.remove(missing, Condition()));
  if (ignores || creates) co_return Status();
  FLOWSTORE_CO_TRY(const bool takes_quoted, co_await does_put(key, Condition::match(etag)));
  if (takes_quoted) {
    found.if_match = Capabilities::IfMatch::quoted;
    co_return Status();
  }
  FLOWSTORE_CO_TRY(const bool takes_bare,
                   co_await does_put(key, Condition::match(without_quotes(etag))));
  if (takes_bare) found.if_match = Capabilities::IfMatch::unquoted;
  co_return Status();
}

// The body is always the same, and so is the entity tag.
Task<Result<bool>> CapabilityProbe::does_put(const std::string& key, Condition condition) {
  PutOptions options;
  options.condition = std::move(condition);
  const auto written = co_await objects_.put(key, kBody, options);
  if (written) co_return !written->is_passed;
  if (is_an_answer(written.error())) co_return false;
  co_return written.error();
}

Task<Status> CapabilityProbe::probe_complete(const std::string& key, Capabilities& found) {
  FLOWSTORE_CO_TRY(const std::string upload, co_await objects_.begin_upload(key, History()));
  std::vector<Part> parts;
  FLOWSTORE_CO_TRY(auto part, co_await objects_.upload_part(key, upload, 1, kBody, Deadline()));
  parts.push_back(std::move(part));
  const auto completed = co_await objects_.complete_upload(
      key, upload, parts, Condition::match(std::string(kOtherEtag)), Deadline());
  found.has_conditional_complete = completed && completed->is_passed;
  const bool is_there = !completed || completed->is_passed;
  // What is left of a probe says nothing about the store; the bucket's lifecycle rule removes it.
  if (is_there) static_cast<void>(co_await objects_.abort_upload(key, upload));
  if (!completed && !is_an_answer(completed.error())) co_return completed.error();
  co_return Status();
}

Task<Status> CapabilityProbe::probe_remove(const std::string& key, Capabilities& found) {
  const auto removed = co_await objects_.remove(key, Condition::match(std::string(kOtherEtag)));
  if (!removed && !is_an_answer(removed.error())) co_return removed.error();
  // Another answer than the right one may mean that it has no such thing as conditions.
  found.has_conditional_remove = removed && removed->is_passed;
  co_return Status();
}

void CapabilityProbe::report(const Capabilities& found) {
  const auto show = [&](const char* name, bool is_there) {
    registry_
        .gauge("flowstore_s3_capability", "What the S3 store was found to be able to do.",
               {{"name", name}})
        .set(is_there ? 1 : 0);
  };
  show("if_none_match", found.has_if_none_match);
  show("if_match", found.if_match != Capabilities::IfMatch::none);
  show("conditional_complete", found.has_conditional_complete);
  show("conditional_delete", found.has_conditional_remove);
  LogFields fields;
  fields.text("ifNoneMatch", found.has_if_none_match ? "yes" : "no");
  fields.text("ifMatch", name_of(found.if_match));
  fields.text("conditionalComplete", found.has_conditional_complete ? "yes" : "no");
  fields.text("conditionalDelete", found.has_conditional_remove ? "yes" : "no");
  log_.info("The S3 store has been tried", fields);
}

}  // namespace flowstore::files::s3
