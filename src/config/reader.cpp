#include "config/reader.h"

#include <algorithm>
#include <set>
#include <vector>

#include "config/nearest.h"
#include "config/options.h"
#include "config/value.h"

namespace flowstore::config {
namespace {

// The names of the table, as the reader asks for them.
class Schema {
 public:
  Schema() {
    for (const Option& option : options()) {
      names_.push_back(option.name);
      if (option.read != nullptr) options_.emplace(option.name, &option);
      for (std::size_t dot = option.name.find('.'); dot != std::string_view::npos;
           dot = option.name.find('.', dot + 1)) {
        groups_.insert(option.name.substr(0, dot));
      }
    }
    for (const ListOption& list : list_options()) lists_.emplace(list.name, &list);
  }

  const Option* option(std::string_view name) const { return look_up(options_, name); }
  const ListOption* list(std::string_view name) const { return look_up(lists_, name); }
  bool is_group(std::string_view name) const { return groups_.contains(name); }
  const std::vector<std::string_view>& names() const { return names_; }

  // What may stand directly in the group: "level, http or pretty".
  std::string members(std::string_view group) const {
    const std::string start = std::string(group) + ".";
    std::vector<std::string_view> members;
    for (std::string_view name : names_) {
      if (!name.starts_with(start)) continue;
      name.remove_prefix(start.size());
      name = name.substr(0, name.find_first_of(".["));
      if (std::find(members.begin(), members.end(), name) == members.end()) members.push_back(name);
    }
    return list_of(members);
  }

 private:
  template <class Map>
  static typename Map::mapped_type look_up(const Map& map, std::string_view name) {
    const auto found = map.find(name);
    return found == map.end() ? nullptr : found->second;
  }

  std::vector<std::string_view> names_;
  std::map<std::string_view, const Option*> options_;
  std::map<std::string_view, const ListOption*> lists_;
  std::set<std::string_view> groups_;
};

const Schema& schema() {
  static const Schema instance;
  return instance;
}

class Reader {
 public:
  Reader(Config& config, Problems& problems) : config_(config), problems_(problems) {}

  // `name` is the name in the table, `key` the same with indexes; both end in "." or are empty.
  void read_group(const YamlNode& group, const std::string& name, const std::string& key) {
    for (const YamlNode::Entry& entry : group.entries) {
      read_entry(entry, name + entry.key, key + entry.key);
    }
  }

  KeyLines lines() && { return std::move(lines_); }

 private:
  void read_entry(const YamlNode::Entry& entry, const std::string& name, const std::string& key) {
    // A name without a value is as good as no line at all.
    if (entry.value->kind == YamlNode::Kind::null && is_known(name)) return;
    lines_.add(key, entry.line);
    if (const ListOption* list = schema().list(name + "[]")) {
      read_list(*entry.value, *list, key);
    } else if (schema().is_group(name) || schema().option(name) != nullptr) {
      read_value(*entry.value, name, key);
    } else {
      warn_of_unknown(entry, name, key);
    }
  }

  bool is_known(const std::string& name) const {
    return schema().option(name) != nullptr || schema().is_group(name) ||
           schema().list(name + "[]") != nullptr;
  }

  void read_value(const YamlNode& node, const std::string& name, const std::string& key) {
    if (node.kind == YamlNode::Kind::map && schema().is_group(name)) {
      read_group(node, name + ".", key + ".");
    } else if (const Option* option = schema().option(name)) {
      const bool is_secret = option->secrecy == Secrecy::secret;
      option->read(Value(node, key, is_secret, config_.home, problems_), config_);
    } else {
      problems_.reject(key, node.line, "must be a group of options: " + schema().members(name));
    }
  }

  void read_list(const YamlNode& node, const ListOption& list, const std::string& key) {
    if (node.kind != YamlNode::Kind::sequence) {
      problems_.reject(key, node.line, "must be a list; start every item with \"- \"");
      return;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const YamlNode& item = *node.items[i];
      const std::string item_key = key + "[" + std::to_string(i) + "]";
      lines_.add(item_key, item.line);
      list.begin_item(config_);
      read_value(item, std::string(list.name), item_key);
    }
  }

  void warn_of_unknown(const YamlNode::Entry& entry, const std::string& name,
                       const std::string& key) {
    const std::string nearest = problems_.is_full() ? "" : nearest_name(name, schema().names());
    const std::string hint = nearest.empty() ? "" : "; did you mean " + nearest + "?";
    problems_.warn(fit_for_message(key), entry.line, "is no option and is ignored" + hint);
  }

  // A key is text of the file like any other.
  static std::string fit_for_message(const std::string& key) {
    const std::string shown = in_quotes(key);
    return key.empty() ? "(no name)" : shown.substr(1, shown.size() - 2);
  }

  Config& config_;
  Problems& problems_;
  KeyLines lines_;
};

}  // namespace

int KeyLines::near(std::string_view key) const {
  while (!key.empty()) {
    const auto found = lines_.find(key);
    if (found != lines_.end()) return found->second;
    const std::size_t cut = key.find_last_of(".[");
    key = key.substr(0, cut == std::string_view::npos ? 0 : cut);
  }
  return 0;
}

bool KeyLines::has_below(std::string_view key) const {
  const std::string start = std::string(key) + ".";
  const auto next = lines_.lower_bound(start);
  return next != lines_.end() && next->first.starts_with(start);
}

KeyLines read_options(const YamlNode& root, Config& config, Problems& problems) {
  Reader reader(config, problems);
  reader.read_group(root, "", "");
  return std::move(reader).lines();
}

}  // namespace flowstore::config
