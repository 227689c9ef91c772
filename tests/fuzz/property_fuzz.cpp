// Any property expression on any document: what is set is there, what is removed is not, nothing
// else has changed, and the text stays canonical.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fuzz.h"
#include "json/document.h"
#include "json/property_path.h"
#include "json/text.h"

using namespace flowstore;
using fuzz::require;
using json::Document;
using Path = std::vector<json::PathPart>;

namespace {

constexpr std::uint64_t kQuota = 100;  // of an array's items

constexpr std::string_view kUsualObject =
    R"({"0":7,"a":{"b":[1,{"c":null},[]],"d":"text"},"b":"a","x y":true,"n":1})";

// Canonical text; `other` where the text is no JSON or not of that kind.
std::string value_of(std::string_view text, std::string_view other) {
  auto value = json::canonical_stored(text);
  return value ? std::move(value->text) : std::string(other);
}

// What an expression is made of.
struct Expression {
  std::u16string sent;
  std::u16string text;  // as set and remove read it: without a leading `msg.`
  Path path;            // a cross reference is a part called "x"
  bool is_good = false;
  bool has_references = false;
};

Expression read_expression(std::string_view utf8) {
  Expression expression;
  expression.sent = json::utf16(utf8);
  expression.text = expression.sent;
  if (expression.text.starts_with(u"msg.")) expression.text.erase(0, 4);
  auto path = json::parse_path(expression.text, [&](std::u16string_view) {
    expression.has_references = true;
    return json::PathPart(json::PathPart::Kind::other, "x");
  });
  expression.is_good = bool(path);
  if (!path) {
    require(path.error().code() == "INVALID_EXPR" && !path.error().message().empty());
    return expression;
  }
  expression.path = *std::move(path);
  for (const json::PathPart& part : expression.path) {
    const std::string literal = '"' + part.name + '"';
    require(json::canonical_stored(literal)->text == literal);
  }
  return expression;
}

using Members = std::vector<std::pair<std::string, std::string>>;

Members members_but(std::string_view object, std::string_view left_out) {
  Members members;
  json::Items walk(object);
  while (walk.next()) {
    if (walk.name() != left_out) members.emplace_back(walk.name(), walk.value());
  }
  return members;
}

std::string_view member(std::string_view object, std::string_view name) {
  json::Items walk(object);
  while (walk.next()) {
    if (walk.name() == name) return walk.value();
  }
  return {};
}

// The path leads through objects only, or to where nothing is yet: what it does is beyond doubt.
bool is_plain(const Expression& expression, std::string_view object) {
  if (expression.has_references) return false;
  bool is_there = true;
  for (const json::PathPart& part : expression.path) {
    if (part.kind != json::PathPart::Kind::name || part.name == "__proto__") return false;
    if (!is_there) continue;
    if (json::kind_of(object) != json::Kind::object) return false;
    object = member(object, part.name);
    is_there = !object.empty();
  }
  return true;
}

void check_rest(const Expression& expression, std::string_view before, Document& document) {
  const std::string after = document.text();
  require(json::canonical_stored(after)->text == after);
  const std::string_view name = expression.path.front().name;
  require(members_but(before, name) == members_but(after, name));
}

void check_keys(std::string_view object) {
  Document document{std::string(object)};
  std::string names;
  for (const auto& [name, value] : members_but(object, "\"")) {
    names.append(names.empty() ? "\"" : ",\"").append(name).append("\"");
  }
  require(document.keys() == "[" + names + "]");
  require(document.is_empty() == names.empty());
}

// Reading changes nothing; gives what was there.
std::optional<std::string> get(Document& document, const Expression& expression) {
  const std::string before = document.text();
  auto value = document.get(expression.text);
  require(document.text() == before);
  if (!value) return std::nullopt;
  if (*value) require(json::canonical_stored(**value)->text == **value);
  return *std::move(value);
}

void check_set(const Expression& expression, const std::string& object, const std::string& value) {
  Document document(object);
  get(document, expression);
  const Status status = document.set(expression.sent, value, kQuota);
  check_rest(expression, object, document);
  const std::string text = document.text();
  const std::size_t made = expression.path.size() * (5 * kQuota + 16) + 8 * expression.text.size();
  require(text.size() <= object.size() + value.size() + made);
  if (is_plain(expression, object)) require(status && get(document, expression) == value);
  if (!status || expression.has_references) return;
  require(bool(document.set(expression.sent, value, kQuota)) && document.text() == text);
}

void check_remove(const Expression& expression, const std::string& object) {
  Document document(object);
  const Status status = document.remove(expression.sent);
  check_rest(expression, object, document);
  const std::string text = document.text();
  require(text.size() <= object.size() + 4);  // a hole shows as null
  if (!is_plain(expression, object)) return;
  require(status && !get(document, expression));
  require(bool(document.remove(expression.sent)) && document.text() == text);
}

}  // namespace

// A line with an expression, one with a value, and a document; a usual one where it is no object.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const Expression expression = read_expression(fuzz::take_line(input));
  const std::string value = value_of(fuzz::take_line(input), "[5,{\"b\":6}]");
  std::string object = value_of(input, kUsualObject);
  if (json::kind_of(object) != json::Kind::object) object = kUsualObject;
  check_keys(object);
  if (!expression.is_good || expression.path.empty()) return 0;
  check_set(expression, object, value);
  check_remove(expression, object);
  return 0;
}
