// JSON text from clients and databases, and property expressions on it: nothing is read beyond its
// end, and what was made once stays as it is when it is made again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "json/document.h"
#include "json/text.h"

using namespace flowstore;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
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
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto stored = json::canonical_stored(input);
  if (!stored) {
    require(!json::canonical(input));
    return 0;
  }
  const std::string& text = stored->text;
  require(json::canonical_stored(text)->text == text);
  if (json::kind_of(text) != json::Kind::array) return 0;
  json::Items top(text);
  if (!top.next() || json::kind_of(top.value()) != json::Kind::object) return 0;
  const std::string_view object = top.value();
  if (top.next() && json::kind_of(top.value()) == json::Kind::array) change(object, top.value());
  return 0;
}
