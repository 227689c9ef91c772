#include "json/document.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "json/lookup.h"
#include "json/members.h"
#include "json/number.h"
#include "json/text.h"

namespace flowstore::json {
namespace {

// Of one request on one document: enough for every real one, a fraction of a second for the rest.
constexpr std::size_t kMostWork = std::size_t{256} << 20U;

// Cross references within cross references; each level reads its text again.
constexpr std::size_t kMostReferences = 50;

Error type_error() {
  return Error(ErrorKind::invalid, "", "Cannot convert undefined or null to object");
}

Error too_deep() { return Error(ErrorKind::invalid, "", "Maximum call stack size exceeded"); }

Error too_much_work() {
  return Error(ErrorKind::invalid, "ERR_TOO_MUCH_WORK",
               "The request asks for too much at once; send it in smaller parts");
}

// A negative number counts from the end, as Array.prototype.splice has it.
std::size_t splice_start(double start, std::size_t size) {
  const double whole = std::trunc(start);
  const auto length = static_cast<double>(size);
  if (whole >= length) return size;
  if (whole >= 0) return static_cast<std::size_t>(whole);
  return whole + length > 0 ? static_cast<std::size_t>(whole + length) : 0;
}

std::u16string_view without_msg(std::u16string_view expression) {
  if (expression.starts_with(u"msg.")) expression.remove_prefix(4);
  return expression;
}

}  // namespace

// What is made for a missing parent: the part behind it decides, as in Node-RED.
struct Document::Making {
  PathPart::Kind next = PathPart::Kind::name;
  std::optional<std::uint64_t> quota;

  Node node() const { return next == PathPart::Kind::name ? Node::object() : Node::array(); }
};

Result<std::optional<std::string>> Document::get(std::u16string_view expression) {
  FLOWSTORE_TRY(const auto path, parse(expression));
  Found found = look_up(root_, path);
  FLOWSTORE_TRY_STATUS(spend(found.work));
  given_ += found.text ? found.text->size() : 0;
  if (given_ > text_.size() + kMostRepeated) return too_much_work();
  return std::move(found.text);
}

Status Document::set(std::u16string_view expression, std::string_view value,
                     std::optional<std::uint64_t> quota) {
  FLOWSTORE_TRY(const auto path, parse(without_msg(expression)));
  if (path.empty()) return {};
  if (path.size() + depth_of(value) > kMaxDepth) return too_deep();
  Making making;
  making.quota = quota;
  FLOWSTORE_TRY(Node* const parent, parent_of(path, &making));
  if (parent == nullptr) return {};
  return assign(*parent, path.back(), value, quota);
}

Status Document::remove(std::u16string_view expression) {
  FLOWSTORE_TRY(const auto path, parse(without_msg(expression)));
  if (path.empty()) return {};
  FLOWSTORE_TRY(Node* const parent, parent_of(path, nullptr));
  if (parent == nullptr) return {};
  const PathPart& part = path.back();
  if (parent->is_undefined() || parent->is_null()) return type_error();
  if (parent->is_object()) parent->as_object().remove(part.name);
  if (!parent->is_array()) return {};
  ArrayNode& items = parent->as_array();
  if (part.kind == PathPart::Kind::index) {
    const std::size_t start = splice_start(part.number, items.size());
    FLOWSTORE_TRY_STATUS(spend((items.size() - start) * sizeof(Node)));
    if (start < items.size()) items.erase(items.begin() + static_cast<std::ptrdiff_t>(start));
  } else if (const std::uint64_t index = index_of(part.name); index < items.size()) {
    items[index] = Node();  // `delete` leaves a hole
  }
  return {};
}

std::string Document::keys() {
  std::string out = "[";
  for (const std::string_view name : root_.as_object().names()) {
    if (out.size() > 1) out.push_back(',');
    out.append("\"").append(name).append("\"");
  }
  out.push_back(']');
  return out;
}

std::string Document::text() const {
  std::string out;
  out.reserve(text_.size());
  root_.append_to(out);
  return out;
}

Result<std::vector<PathPart>> Document::parse(std::u16string_view expression) {
  FLOWSTORE_TRY_STATUS(spend(expression.size()));
  return parse_path(expression, [this](std::u16string_view inner) { return refer(inner); });
}

// A cross reference is evaluated on the scope itself: `msg.` stands for it.
std::optional<PathPart> Document::refer(std::u16string_view inner) {
  if (reference_depth_ == kMostReferences) return std::nullopt;
  ++reference_depth_;
  const auto path = parse(without_msg(inner));
  --reference_depth_;
  if (!path) return std::nullopt;
  const Found found = look_up(root_, *path);
  if (!spend(found.work)) return std::nullopt;
  if (!found.function.empty()) {
    return PathPart(PathPart::Kind::other, "function " + found.function + "() { [native code] }");
  }
  if (!found.text) return std::nullopt;
  return part_of(*found.text);
}

// The node in which the last part of the path is set or removed. Null where Node-RED stops without
// an error, and for what would only change a prototype or a named property of an array: JSON does
// not show those.
Result<Node*> Document::parent_of(const std::vector<PathPart>& path, Making* making) {
  Node* node = &root_;
  for (std::size_t i = 0; i + 1 < path.size() && node != nullptr; ++i) {
    if (path[i].kind == PathPart::Kind::other) continue;  // neither string nor number: no step
    if (making != nullptr) making->next = path[i + 1].kind;
    FLOWSTORE_TRY(node, enter(*node, path[i], making));
  }
  return node;
}

Result<Node*> Document::enter(Node& parent, const PathPart& part, Making* making) {
  if (parent.is_array()) return enter_array(parent.as_array(), part, making);
  if (!parent.is_object()) return enter_scalar(parent, part, making);
  ObjectNode& object = parent.as_object();
  if (Node* const member = object.find(part.name)) {
    return member->is_container() ? member : nullptr;
  }
  if (making == nullptr || part.name == "__proto__") return nullptr;
  return &object.add(part.name, making->node());
}

Result<Node*> Document::enter_array(ArrayNode& items, const PathPart& part, Making* making) {
  const std::uint64_t index = index_of(part.name);
  const bool is_there = index < items.size() && !items[index].is_undefined();
  if (is_there && part.kind == PathPart::Kind::index) return &items[index];  // whatever it is
  if (is_there) return items[index].is_container() ? &items[index] : nullptr;
  if (making == nullptr || index == kNoIndex) return nullptr;
  FLOWSTORE_TRY_STATUS(make_room(items, index, making->quota));
  items[index] = making->node();
  return &items[index];
}

Result<Node*> Document::enter_scalar(const Node& parent, const PathPart& part, Making* making) {
  if (parent.is_undefined() || parent.is_null()) return type_error();
  if (parent.is_string()) {
    const std::size_t length = decode(parent.scalar()).size();
    FLOWSTORE_TRY_STATUS(spend(length));
    if (part.name == "length" || index_of(part.name) < length) return nullptr;  // a scalar itself
  }
  // Making a member of a scalar does nothing, so that the next step starts at undefined.
  return making == nullptr ? nullptr : &undefined_;
}

Status Document::assign(Node& parent, const PathPart& part, std::string_view value,
                        std::optional<std::uint64_t> quota) {
  if (parent.is_object()) {
    ObjectNode& object = parent.as_object();
    if (Node* const member = object.find(part.name)) {
      *member = Node(value);
    } else if (part.name != "__proto__") {
      object.add(part.name, Node(value));
    }
    return {};
  }
  if (!parent.is_array()) return {};
  ArrayNode& items = parent.as_array();
  if (part.name == "length") return set_length(items, value, quota);
  const std::uint64_t index = index_of(part.name);
  if (index == kNoIndex) return {};
  FLOWSTORE_TRY_STATUS(make_room(items, index, quota));
  items[index] = Node(value);
  return {};
}

// Makes the array long enough for the index. In JavaScript that costs nothing, in JSON each item
// that is not there is a `null`.
Status Document::make_room(ArrayNode& items, std::uint64_t index,
                           std::optional<std::uint64_t> quota) {
  if (index < items.size()) return {};
  if (quota && index >= *quota) return Error::over_quota(*quota);
  if (index >= kMaxItems) {
    return Error(ErrorKind::invalid, "ERR_ARRAY_INDEX",
                 "An index makes the array longer than " + std::to_string(kMaxItems) +
                     " items; use an object for keys this far apart");
  }
  FLOWSTORE_TRY_STATUS(spend((index - items.size()) * sizeof(Node)));
  items.resize(index + 1);
  return {};
}

Status Document::set_length(ArrayNode& items, std::string_view value,
                            std::optional<std::uint64_t> quota) {
  const auto invalid_length = [] { return Error(ErrorKind::invalid, "", "Invalid array length"); };
  // Number(value): what is not a number goes by its text.
  const Kind kind = kind_of(value);
  const std::string text_form = part_of(value).name;
  double length = 0;  // null, false and the empty text are 0
  if (value == "true") {
    length = 1;
  } else if (kind != Kind::null && value != "false" && !text_form.empty()) {
    const auto text = canonical(text_form);
    if (!text || kind_of(text->text) != Kind::number) return invalid_length();
    length = parse_number(text->text);
  }
  if (length < 0 || length > 4294967295.0 || length != std::trunc(length)) return invalid_length();
  const auto size = static_cast<std::uint64_t>(length);
  if (size > 0) FLOWSTORE_TRY_STATUS(make_room(items, size - 1, quota));
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(size), items.end());
  return {};
}

Status Document::spend(std::size_t work) {
  work_ += work;
  if (work_ <= kMostWork) return {};
  return too_much_work();
}

}  // namespace flowstore::json
