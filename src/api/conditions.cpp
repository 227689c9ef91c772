#include "api/conditions.h"

#include <charconv>
#include <string>

#include "http/date.h"
#include "http/header_words.h"

namespace flowstore::api {
namespace {

using Kind = RangeChoice::Kind;

void trim(std::string_view& text) {
  constexpr std::string_view kBlank = " \t";
  while (!text.empty() && kBlank.find(text.front()) != std::string_view::npos)
    text.remove_prefix(1);
  while (!text.empty() && kBlank.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
}

// Takes one `"..."` or `W/"..."` off the front; empty when there is none.
std::string_view take_etag(std::string_view& text) {
  const std::size_t open = text.starts_with("W/") ? 2 : 0;
  if (open >= text.size() || text[open] != '"') return {};
  const std::size_t close = text.find('"', open + 1);
  if (close == std::string_view::npos) return {};
  const std::string_view etag = text.substr(0, close + 1);
  text.remove_prefix(close + 1);
  return etag;
}

void add_etags(std::string_view text, files::EtagList& list) {
  trim(text);
  if (text == "*") list.is_any = true;
  while (!text.empty()) {
    const std::string_view etag = take_etag(text);
    if (etag.empty()) return;
    list.etags.emplace_back(etag);
    trim(text);
    if (text.starts_with(',')) text.remove_prefix(1);
    trim(text);
  }
}

// A list may come in several header lines, which mean the same as one joined by commas.
std::optional<files::EtagList> etag_list(const http::Request& request, std::string_view name) {
  std::optional<files::EtagList> list;
  for (const http::Header& header : request.headers()) {
    if (!http::equals_ignoring_case(header.name, name)) continue;
    if (!list) list.emplace();
    add_etags(header.value, *list);
  }
  return list;
}

std::optional<std::chrono::system_clock::time_point> date(const http::Request& request,
                                                          std::string_view name) {
  const auto value = request.header(name);
  return value ? http::parse_date(*value) : std::nullopt;
}

// A whole number without sign; nothing for other text or one that is too large.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

RangeChoice whole() { return RangeChoice(); }

RangeChoice part(std::uint64_t first, std::uint64_t last, std::uint64_t size) {
  RangeChoice choice;
  choice.kind = Kind::part;
  choice.offset = first;
  choice.length = std::min(last, size - 1) - first + 1;
  return choice;
}

RangeChoice unsatisfiable() {
  RangeChoice choice;
  choice.kind = Kind::unsatisfiable;
  return choice;
}

// One byte-range-spec: "2-4", "2-" or "-3".
RangeChoice parse_range(std::string_view text, std::uint64_t size) {
  trim(text);
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return whole();
  const std::string_view from = text.substr(0, dash);
  const std::string_view to = text.substr(dash + 1);
  if (from.empty()) {
    const auto suffix = number(to);
    if (!suffix) return whole();
    if (*suffix == 0 || size == 0) return unsatisfiable();
    return part(size - std::min(*suffix, size), size - 1, size);
  }
  const auto first = number(from);
  const auto last = to.empty() ? std::optional(UINT64_MAX) : number(to);
  if (!first || !last || *last < *first) return whole();
  if (*first >= size) return unsatisfiable();
  return part(*first, *last, size);
}

// RFC 9110, section 13.1.5: the range is served only if the client's copy is the current one, by
// strong comparison or to the second.
bool is_same_file(std::string_view if_range, const files::FileStat& stat) {
  if (const auto modified = http::parse_date(if_range)) {
    return *modified == std::chrono::floor<std::chrono::seconds>(stat.modified);
  }
  return if_range == stat.etag;
}

// A partial answer needs a header that may be longer than what it leaves out.
bool is_whole_cheaper(const RangeChoice& choice, std::uint64_t size) {
  constexpr std::string_view kName = "content-range: \r\n";
  return size <= kName.size() + content_range(choice, size).size();
}

}  // namespace

files::Preconditions parse_preconditions(const http::Request& request) {
  files::Preconditions conditions;
  conditions.if_match = etag_list(request, "if-match");
  conditions.if_none_match = etag_list(request, "if-none-match");
  conditions.if_modified_since = date(request, "if-modified-since");
  conditions.if_unmodified_since = date(request, "if-unmodified-since");
  return conditions;
}

RangeChoice choose_range(const http::Request& request, const files::FileStat& stat) {
  const auto range = request.header("range");
  if (!range || request.method() != "GET") return whole();
  constexpr std::string_view kUnit = "bytes=";
  if (!http::equals_ignoring_case(range->substr(0, kUnit.size()), kUnit)) return whole();
  const std::string_view spec = range->substr(kUnit.size());
  if (spec.find(',') != std::string_view::npos) return whole();
  const auto if_range = request.header("if-range");
  if (if_range && !is_same_file(*if_range, stat)) return whole();
  const RangeChoice choice = parse_range(spec, stat.size);
  if (choice.kind == Kind::part && is_whole_cheaper(choice, stat.size)) return whole();
  return choice;
}

std::string content_range(const RangeChoice& choice, std::uint64_t size) {
  const std::string total = "/" + std::to_string(size);
  if (choice.kind != Kind::part) return "bytes *" + total;
  const std::uint64_t last = choice.offset + choice.length - 1;
  return "bytes " + std::to_string(choice.offset) + "-" + std::to_string(last) + total;
}

}  // namespace flowstore::api
