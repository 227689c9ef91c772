#include "json/node.h"

#include <algorithm>
#include <utility>

#include "json/members.h"
#include "json/text.h"

namespace flowstore::json {
namespace {

// Up to this many members a search from the front beats a map.
constexpr std::size_t kFew = 16;

}  // namespace

Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

Node Node::object() {
  Node node;
  node.form_ = std::make_unique<ObjectNode>();
  return node;
}

Node Node::array() {
  Node node;
  node.form_ = std::make_unique<ArrayNode>();
  return node;
}

bool Node::is_object() const noexcept {
  return starts_with('{') || std::holds_alternative<std::unique_ptr<ObjectNode>>(form_);
}

bool Node::is_array() const noexcept {
  return starts_with('[') || std::holds_alternative<std::unique_ptr<ArrayNode>>(form_);
}

ObjectNode& Node::as_object() {
  if (const auto* text = std::get_if<std::string_view>(&form_)) {
    form_ = std::make_unique<ObjectNode>(*text);
  }
  return *std::get<std::unique_ptr<ObjectNode>>(form_);
}

ArrayNode& Node::as_array() {
  if (const auto* text = std::get_if<std::string_view>(&form_)) {
    auto items = std::make_unique<ArrayNode>();
    Items walk(*text);
    while (walk.next()) items->emplace_back(walk.value());
    form_ = std::move(items);
  }
  return *std::get<std::unique_ptr<ArrayNode>>(form_);
}

void Node::append_to(std::string& out) const {
  if (is_undefined()) {
    out.append("null");
  } else if (const auto* text = std::get_if<std::string_view>(&form_)) {
    out.append(*text);
  } else if (const auto* members = std::get_if<std::unique_ptr<ObjectNode>>(&form_)) {
    (*members)->append_to(out);
  } else {
    out.push_back('[');
    bool is_first = true;
    for (const Node& item : *std::get<std::unique_ptr<ArrayNode>>(form_)) {
      if (!std::exchange(is_first, false)) out.push_back(',');
      item.append_to(out);
    }
    out.push_back(']');
  }
}

ObjectNode::ObjectNode(std::string_view text) {
  Items walk(text);
  while (walk.next()) members_.emplace_back(walk.name(), Node(walk.value()));
  size_ = members_.size();
}

std::optional<std::size_t> ObjectNode::position(std::string_view name) {
  if (members_.size() <= kFew) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].is_removed && members_[i].name == name) return i;
    }
    return std::nullopt;
  }
  if (by_name_.empty()) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].is_removed) by_name_.emplace(members_[i].name, i);
    }
  }
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

Node* ObjectNode::find(std::string_view name) {
  const auto at = position(name);
  return at ? &members_[*at].value : nullptr;
}

Node& ObjectNode::add(std::string name, Node value) {
  own_names_.push_front(std::move(name));
  members_.emplace_back(own_names_.front(), std::move(value));
  ++size_;
  if (!by_name_.empty()) by_name_.emplace(own_names_.front(), members_.size() - 1);
  return members_.back().value;
}

void ObjectNode::remove(std::string_view name) {
  const auto at = position(name);
  if (!at) return;
  by_name_.erase(name);
  members_[*at].is_removed = true;
  members_[*at].value = Node();
  --size_;
}

std::vector<const ObjectNode::Member*> ObjectNode::ordered() const {
  std::vector<const Member*> live;
  live.reserve(size_);
  for (const Member& member : members_) {
    if (!member.is_removed) live.push_back(&member);
  }
  const auto is_before = [](const Member* a, const Member* b) {
    return index_of(a->name) < index_of(b->name);
  };
  if (!std::is_sorted(live.begin(), live.end(), is_before)) {
    std::stable_sort(live.begin(), live.end(), is_before);
  }
  return live;
}

std::vector<std::string_view> ObjectNode::names() const {
  std::vector<std::string_view> names;
  names.reserve(size_);
  for (const Member* member : ordered()) names.push_back(member->name);
  return names;
}

void ObjectNode::append_to(std::string& out) const {
  out.push_back('{');
  bool is_first = true;
  for (const Member* member : ordered()) {
    if (!std::exchange(is_first, false)) out.push_back(',');
    out.append("\"").append(member->name).append("\":");
    member->value.append_to(out);
  }
  out.push_back('}');
}

}  // namespace flowstore::json
