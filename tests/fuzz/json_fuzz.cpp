// JSON text from clients and databases, and property expressions on it: nothing is read beyond its
// end, and what was made once stays as it is when it is made again.

#include <string>

#include "fuzz.h"
#include "json/document.h"
#include "json/text.h"

using namespace flowstore;
using fuzz::require;

namespace {

// The value, put together again out of its parts.
std::string rebuilt(std::string_view value) {
  const json::Kind kind = json::kind_of(value);
  if (kind == json::Kind::string) return '"' + json::encode(json::decode(value)) + '"';
  if (kind != json::Kind::object && kind != json::Kind::array) return std::string(value);
  const bool is_object = kind == json::Kind::object;
  std::string out;
  json::Items parts(value);
  while (parts.next()) {
    require(json::leading_value(parts.value()) == parts.value());
    out.append(out.empty() ? "" : ",");
    if (is_object) out.append("\"").append(parts.name()).append("\":");
    out.append(rebuilt(parts.value()));
  }
  return (is_object ? "{" : "[") + out + (is_object ? "}" : "]");
}

// Each item of an array of [expression, value?] is done to the document, as a request does.
void change(std::string_view object, std::string_view items) {
  json::Document document{std::string(object)};
  json::Items walk(items);
  while (walk.next()) {
    if (json::kind_of(walk.value()) != json::Kind::array) continue;
    json::Items parts(walk.value());
    if (!parts.next() || json::kind_of(parts.value()) != json::Kind::string) continue;
    const std::u16string expression = json::decode(parts.value());
    if (const auto value = document.get(expression); value && *value) {
      require(json::canonical_stored(**value)->text == **value);
    }
    const bool is_set = parts.next();
    const auto status =
        is_set ? document.set(expression, parts.value(), 1000) : document.remove(expression);
    require(status || !status.error().message().empty());
  }
  const std::string text = document.text();
  const auto again = json::canonical_stored(text);
  require(again && again->text == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  const auto stored = json::canonical_stored(input);
  const auto sent = json::canonical(input);
  if (!stored) {
    require(!sent && !stored.error().message().empty());
    return 0;
  }
  const std::string& text = stored->text;
  if (sent) require(sent->text == text && sent->had_bad_utf8 == stored->had_bad_utf8);
  require(text.size() <= 6 * input.size());  // 1e20 becomes 21 digits
  require(json::canonical_stored(text)->text == text);
  require(json::depth_of(text) <= json::kMaxDepth);
  if (json::depth_of(text) < 100) require(rebuilt(text) == text);

  if (json::kind_of(text) != json::Kind::array) return 0;
  json::Items top(text);
  if (!top.next() || json::kind_of(top.value()) != json::Kind::object) return 0;
  const std::string_view object = top.value();
  if (top.next() && json::kind_of(top.value()) == json::Kind::array) change(object, top.value());
  return 0;
}
