// Node: a JSON value that is taken apart only where somebody looks into it.

#pragma once

#include <cstdint>
#include <forward_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace flowstore::json {

class ObjectNode;
class Node;

using ArrayNode = std::vector<Node>;

// Canonical text that lives longer than the node, or children, or what JavaScript calls undefined
// (a hole in an array). Nested at most as deep as documents may be, which bounds the recursion of
// its destructor and of append_to().
class Node {
 public:
  Node() = default;  // undefined
  explicit Node(std::string_view text) : form_(text) {}
  static Node object();
  static Node array();

  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;
  ~Node();

  bool is_undefined() const noexcept { return std::holds_alternative<std::monostate>(form_); }
  bool is_null() const noexcept { return starts_with('n'); }
  bool is_object() const noexcept;
  bool is_array() const noexcept;
  bool is_string() const noexcept { return starts_with('"'); }
  bool is_container() const noexcept { return is_object() || is_array(); }

  // Takes the text apart, one level of it. Precondition: is_object() or is_array().
  ObjectNode& as_object();
  ArrayNode& as_array();

  // The text of a scalar. Precondition: neither undefined nor a container.
  std::string_view scalar() const { return std::get<std::string_view>(form_); }

  // Appends the canonical text; undefined becomes null.
  void append_to(std::string& out) const;

 private:
  using Form = std::variant<std::monostate, std::string_view, std::unique_ptr<ObjectNode>,
                            std::unique_ptr<ArrayNode>>;

  bool starts_with(char c) const noexcept {
    const auto* text = std::get_if<std::string_view>(&form_);
    return text != nullptr && text->front() == c;
  }

  Form form_;
};

// The members of an object in the order in which they were added. Finding, adding and removing
// take at most logarithmic time, whatever the names are.
class ObjectNode {
 public:
  ObjectNode() = default;
  explicit ObjectNode(std::string_view text);  // canonical

  // Null if there is none. `name` is escaped.
  Node* find(std::string_view name);
  // Precondition: there is no such member.
  Node& add(std::string name, Node value);
  void remove(std::string_view name);

  // The names in JavaScript's order: index names first, by value.
  std::vector<std::string_view> names() const;
  bool is_empty() const noexcept { return size_ == 0; }

  void append_to(std::string& out) const;

 private:
  struct Member {
    Member(std::string_view member_name, Node member_value)
        : name(member_name), value(std::move(member_value)) {}
    std::string_view name;
    Node value;
    bool is_removed = false;
  };

  std::optional<std::size_t> position(std::string_view name);
  std::vector<const Member*> ordered() const;

  std::vector<Member> members_;
  std::size_t size_ = 0;  // without the removed ones
  std::forward_list<std::string> own_names_;
  // Made when there are many members. A sorted map, because no choice of names makes it slow.
  std::map<std::string_view, std::size_t> by_name_;
};

}  // namespace flowstore::json
