#include "json/lookup.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "json/members.h"
#include "json/text.h"

namespace flowstore::json {
namespace {

struct Function {
  std::string_view name;
  char parameters;  // its `length`
};

// What every object has from Object.prototype.
constexpr std::array<Function, 11> kInheritedFunctions = {{{"hasOwnProperty", '1'},
                                                           {"isPrototypeOf", '1'},
                                                           {"propertyIsEnumerable", '1'},
                                                           {"toLocaleString", '0'},
                                                           {"toString", '0'},
                                                           {"valueOf", '0'},
                                                           {"__defineGetter__", '2'},
                                                           {"__defineSetter__", '2'},
                                                           {"__lookupGetter__", '1'},
                                                           {"__lookupSetter__", '1'},
                                                           {"constructor", '1'}}};

struct Class {
  std::string_view name;
  std::string_view prototype;  // JSON.stringify of it
};

Class class_of(const Node& node) {
  if (node.is_object()) return {"Object", "{}"};
  if (node.is_array()) return {"Array", "[]"};
  switch (kind_of(node.scalar())) {
    case Kind::string:
      return {"String", R"("")"};
    case Kind::boolean:
      return {"Boolean", "false"};
    default:
      return {"Number", "0"};
  }
}

// Where a lookup has come to: a node of the document, a value made on the way, or a function.
class Cursor {
 public:
  explicit Cursor(Node& root) : node_(&root) {}

  void step(std::string_view name) {
    if (!function_.empty()) return step_into_function(name);
    if (node_->is_undefined() || node_->is_null()) return vanish();
    if (node_->is_object()) {
      if (Node* const member = node_->as_object().find(name)) {
        node_ = member;
        return;
      }
    } else if (node_->is_array()) {
      ArrayNode& items = node_->as_array();
      const std::uint64_t index = index_of(name);
      if (index < items.size()) {
        node_ = &items[index];
        return;
      }
      if (name == "length") return make(std::to_string(items.size()));
    } else if (node_->is_string()) {
      const auto text = decode(node_->scalar());
      work += text.size();
      if (name == "length") return make(std::to_string(text.size()));
      const std::uint64_t index = index_of(name);
      if (index < text.size())
        return make('"' + encode(std::u16string_view(text).substr(index, 1)) + '"');
    }
    inherit(name);
  }

  std::optional<std::string> text() {
    if (!function_.empty() || node_->is_undefined()) return std::nullopt;
    std::string out;
    node_->append_to(out);
    work += out.size();
    return out;
  }

  const std::string& function() const noexcept { return function_; }

  std::size_t work = 0;

 private:
  void inherit(std::string_view name) {
    const Class type = class_of(*node_);
    if (name == "__proto__") return make(std::string(type.prototype));
    const auto* const found =
        std::find_if(kInheritedFunctions.begin(), kInheritedFunctions.end(),
                     [name](const Function& one) { return one.name == name; });
    if (found == kInheritedFunctions.end()) return vanish();
    function_ = name == "constructor" ? type.name : name;
    parameters_ = found->parameters;
  }

  void step_into_function(std::string_view name) {
    const std::string function = std::exchange(function_, std::string());
    if (name == "name") return make('"' + function + '"');
    if (name == "length") return make(std::string(1, parameters_));
    vanish();
  }

  void make(std::string text) {
    made_text_ = std::move(text);
    made_ = Node(std::string_view(made_text_));
    node_ = &made_;
  }

  void vanish() {
    made_ = Node();
    node_ = &made_;
  }

  Node* node_;
  Node made_;
  std::string made_text_;
  std::string function_;  // its name; empty where this is no function
  char parameters_ = '0';
};

}  // namespace

Found look_up(Node& root, const std::vector<PathPart>& path) {
  Cursor cursor(root);
  for (const PathPart& part : path) cursor.step(part.name);
  Found found;
  found.text = cursor.text();
  found.function = cursor.function();
  found.work = cursor.work;
  return found;
}

}  // namespace flowstore::json
