#include "config/yaml_tree.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace flowstore::config {
namespace {

// Deeper than any option by far, and shallow enough for every recursion over the tree.
constexpr std::size_t kMaxDepth = 32;
// Values, counting what an alias stands for at each place: nested aliases grow exponentially.
constexpr std::size_t kMaxValues = 100'000;

int line_of(const YAML::Mark& mark) { return mark.is_null() ? 0 : mark.line + 1; }

// Builds the tree from the parser's events. Throws YAML::ParserException, as the parser does, to
// make it stop.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(Problems& problems) : problems_(problems) {}

  YamlNodePtr root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (has_document_) throw YAML::ParserException(mark, "a second document starts; keep only one");
    has_document_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    attach(Value{make(YamlNode::Kind::null, mark)}, mark, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& text) override {
    auto node = make(YamlNode::Kind::scalar, mark);
    node->text = text;
    attach(Value{std::move(node)}, mark, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw YAML::ParserException(mark, "an alias stands inside the value it names");
    }
    attach(found->second, mark, 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  // A finished value and how many values it holds, aliases counted in full.
  struct Value {
    YamlNodePtr node;
    std::size_t size = 1;
  };
  // A list or map that is still being read.
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::Mark mark;
    YAML::anchor_t anchor;
    std::size_t size = 1;
    std::optional<YamlNode::Entry> pending;  // a key that waits for its value
    std::set<std::string> keys;
  };

  static std::shared_ptr<YamlNode> make(YamlNode::Kind kind, const YAML::Mark& mark) {
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->line = line_of(mark);
    return node;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) throw YAML::ParserException(mark, "nested too deeply");
    open_.push_back(Open{make(kind, mark), mark, anchor, 1, std::nullopt, {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    attach(Value{std::move(done.node), done.size}, done.mark, done.anchor);
  }

  void attach(const Value& value, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = value;
    if (open_.empty()) {
      root_ = value.node;
      return;
    }
    Open& parent = open_.back();
    parent.size += value.size;
    if (parent.size > kMaxValues) throw YAML::ParserException(mark, "holds too many values");
    if (parent.node->kind == YamlNode::Kind::sequence) {
      parent.node->items.push_back(value.node);
    } else if (!parent.pending) {
      start_entry(parent, *value.node, mark);
    } else {
      finish_entry(parent, value.node);
    }
  }

  void start_entry(Open& parent, const YamlNode& key, const YAML::Mark& mark) const {
    if (key.kind != YamlNode::Kind::scalar) {
      throw YAML::ParserException(mark, "the name of an option must be plain text");
    }
    parent.pending = YamlNode::Entry{key.text, line_of(mark), nullptr};
  }

  void finish_entry(Open& parent, const YamlNodePtr& value) {
    YamlNode::Entry entry = *std::exchange(parent.pending, std::nullopt);
    entry.value = value;
    if (parent.keys.insert(entry.key).second) {
      parent.node->entries.push_back(std::move(entry));
      return;
    }
    problems_.reject(path_of(entry.key), entry.line, "is written twice; keep one of them");
  }

  // The full name of a key of the innermost open map.
  std::string path_of(const std::string& key) const {
    std::string path;
    for (const Open& level : open_) {
      if (level.pending) path += level.pending->key + ".";
      if (level.node->kind == YamlNode::Kind::sequence) {
        if (!path.empty()) path.pop_back();
        path += "[" + std::to_string(level.node->items.size()) + "].";
      }
    }
    return path + key;
  }

  Problems& problems_;
  YamlNodePtr root_;
  bool has_document_ = false;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Value> anchors_;
};

// What makes text no text: a broken UTF-8 sequence or a control character. The library would take
// the first for data and some of the second for the end of the file.
struct BadByte {
  std::size_t at;
  const char* message;
};

// Length of the UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned char second = byte(1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return length;
}

std::optional<BadByte> find_bad_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
      return BadByte{at, "a control character, which no configuration holds; remove it"};
    }
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) return BadByte{at, "not UTF-8; save the file as UTF-8"};
    at += length;
  }
  return std::nullopt;
}

int line_at(std::string_view text, std::size_t at) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<long>(at), '\n'));
}

// Tabs are the usual cause of an error and rarely named by the library.
std::string tab_hint(std::string_view text, int line) {
  std::istringstream lines{std::string(text)};
  std::string current;
  for (int i = 0; i < line && std::getline(lines, current); ++i) {
  }
  const std::string indent = current.substr(0, current.find_first_not_of(" \t"));
  return indent.find('\t') == std::string::npos ? "" : "; indent with spaces, not tabs";
}

YamlNodePtr build(const std::string& text, Problems& problems) {
  Builder builder(problems);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const int line = line_of(error.mark);
    problems.reject("", line, error.msg + tab_hint(text, line));
    return nullptr;
  }
  return builder.root();
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : found->value.get();
}

YamlNodePtr parse_yaml(const std::string& text, Problems& problems) {
  if (text.size() > kMaxFileBytes) {
    problems.reject("", 0, "larger than 1 MiB; is it the right file?");
    return nullptr;
  }
  if (const auto bad = find_bad_byte(text)) {
    problems.reject("", line_at(text, bad->at), bad->message);
    return nullptr;
  }
  const std::size_t before = problems.all().size();
  YamlNodePtr root = build(text, problems);
  if (root && root->kind == YamlNode::Kind::map) return root;
  if (problems.all().size() != before) return nullptr;
  const bool is_empty = !root || root->kind == YamlNode::Kind::null;
  problems.reject("", root ? root->line : 0,
                  is_empty ? "it is empty; write at least base_url and driver.type"
                           : "it is no map; write options as `name: value` lines");
  return nullptr;
}

}  // namespace flowstore::config
