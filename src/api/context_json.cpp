#include "api/context_json.h"

#include <charconv>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "json/number.h"
#include "json/text.h"

namespace flowstore::api {
namespace {

using json::Kind;

constexpr std::int64_t kUsualPage = 30;
constexpr std::int64_t kLargestUnaskedPage = 1000;

Error must_be(const std::string& place, std::string_view type) {
  return Error(ErrorKind::invalid, "FST_ERR_VALIDATION",
               "body" + place + " must be " + std::string(type));
}

// What ajv makes of a value where a string is wanted: it unpacks an array of one item, and turns
// numbers, booleans and null into text. Nothing if it is no string even then.
std::optional<std::u16string> coerce_to_string(std::string_view value) {
  if (json::kind_of(value) == Kind::array) {
    json::Items items(value);
    if (!items.next()) return std::nullopt;
    const std::string_view only = items.value();
    if (items.next()) return std::nullopt;
    value = only;
  }
  switch (json::kind_of(value)) {
    case Kind::string:
      return json::decode(value);
    case Kind::number: {
      std::string text;
      json::append_number(text, json::parse_number(value));
      return json::utf16(text);
    }
    case Kind::boolean:
      return json::utf16(value);
    case Kind::null:
      return std::u16string();
    case Kind::object:
    case Kind::array:
      return std::nullopt;
  }
  return std::nullopt;
}

// The value as JSON.stringify writes it.
std::string stored_value(std::string_view value) {
  const bool may_be_infinite = value.find("1e999") != std::string_view::npos;
  return may_be_infinite ? json::canonical_stored(value)->text : std::string(value);
}

Result<context::SetItem> parse_set_item(std::string_view item, const std::string& place) {
  if (json::kind_of(item) != Kind::object) return must_be(place, "object");
  context::SetItem parsed;
  json::Items members(item);
  while (members.next()) {
    if (members.name() == "value") parsed.value = stored_value(members.value());
    if (members.name() != "key") continue;
    parsed.expression = coerce_to_string(members.value());
    if (!parsed.expression) return must_be(place + "/key", "string");
  }
  return parsed;
}

// In the words of PostgreSQL, which the old server passes on.
Error bad_limit() { return Error(ErrorKind::invalid, "", "bigint out of range"); }

Error bad_cursor() {
  return Error(ErrorKind::invalid, "",
               "invalid cursor: it must be the next_cursor of another page");
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

// The blanks that JavaScript skips before a number, as far as they are ASCII.
std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\n\v\f\r");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// JavaScript's parseInt(): NaN where no digit comes first.
double parse_int(std::string_view text) {
  text = without_blanks(text);
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  if (is_hex) text.remove_prefix(2);
  const int base = is_hex ? 16 : 10;
  if (text.empty() || digit_of(text.front()) >= base) return std::nan("");
  double number = 0;
  for (const char c : text) {
    if (digit_of(c) >= base) break;
    number = number * base + digit_of(c);
  }
  return is_negative ? -number : number;
}

Result<std::int64_t> parse_limit(std::string_view text) {
  const double limit = parse_int(text);
  if (std::isnan(limit) || limit == 0) return kLargestUnaskedPage;
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  if (limit >= kBeyond || limit < -kBeyond) return bad_limit();
  return static_cast<std::int64_t>(limit);
}

Result<std::int64_t> parse_cursor(std::string_view text) {
  std::int64_t cursor = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, cursor);
  if (parsed.ec != std::errc() || parsed.ptr != end) return bad_cursor();
  return cursor;
}

void append_utf8_string(std::string& out, std::string_view text) {
  out.append("\"").append(json::encode(json::utf16(text))).append("\"");
}

}  // namespace

Result<std::vector<context::SetItem>> parse_set_items(std::string_view body) {
  // ajv makes an array of one item of a single value, which is then no object.
  const Kind kind = json::kind_of(body);
  if (kind == Kind::object) return must_be("", "array");
  if (kind != Kind::array) return must_be("/0", "object");
  std::vector<context::SetItem> items;
  json::Items list(body);
  while (list.next()) {
    const std::string place = "/" + std::to_string(items.size());
    FLOWSTORE_TRY(auto item, parse_set_item(list.value(), place));
    items.push_back(std::move(item));
  }
  return items;
}

Result<std::string> parse_values(std::string body) {
  if (json::kind_of(body) != Kind::object) return must_be("", "object");
  return body;
}

Result<context::ActiveIds> parse_active_ids(std::string_view body) {
  const Kind kind = json::kind_of(body);
  if (kind == Kind::null) return context::ActiveIds();
  if (kind != Kind::array) return must_be("", "array");
  std::unordered_set<std::string> ids;
  json::Items list(body);
  for (std::size_t i = 0; list.next(); ++i) {
    const std::string_view id = list.value();
    if (json::kind_of(id) != Kind::string) return must_be("/" + std::to_string(i), "string");
    ids.emplace(id.substr(1, id.size() - 2));
  }
  return context::ActiveIds(std::move(ids));
}

Result<PageRequest> parse_page_request(const Query& query) {
  PageRequest page;
  page.most = kUsualPage;
  if (const auto limit = query.find("limit")) {
    FLOWSTORE_TRY(page.most, parse_limit(*limit));
  }
  const auto cursors = query.all("cursor");
  if (cursors.size() > 1) return bad_cursor();
  // An empty one is none, as in JavaScript.
  if (cursors.size() == 1 && !cursors[0].empty()) {
    FLOWSTORE_TRY(page.after, parse_cursor(cursors[0]));
  }
  return page;
}

std::string values_json(const std::vector<std::string_view>& keys,
                        const std::optional<context::Values>& values) {
  std::string out = "[";
  for (std::size_t i = 0; values && i < keys.size(); ++i) {
    if (i > 0) out.push_back(',');
    out.append("{\"key\":");
    append_utf8_string(out, keys[i]);
    if (const auto& value = (*values)[i]) out.append(",\"value\":").append(*value);
    out.push_back('}');
  }
  out.push_back(']');
  return out;
}

std::string begin_page(const context::ShownPage& page) {
  std::string out = "{\"meta\":{";
  if (page.next_cursor) {
    out.append("\"next_cursor\":").append(std::to_string(*page.next_cursor));
  }
  out.append("},\"count\":").append(std::to_string(page.count)).append(",\"data\":[");
  return out;
}

void append_row(std::string& out, const context::ShownRow& row) {
  out.append("{\"scope\":");
  append_utf8_string(out, row.scope);
  out.append(",\"values\":").append(row.values).append("}");
}

std::string_view end_page() { return "]}"; }

}  // namespace flowstore::api
