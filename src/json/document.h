// Document: the values of one scope, read and changed by Node-RED property expressions.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/node.h"
#include "json/property_path.h"

namespace flowstore::json {

// The most items that an index may give an array.
inline constexpr std::uint64_t kMaxItems = 1'000'000;

// How much longer than the document the values may be that are read out of it.
inline constexpr std::size_t kMostRepeated = std::size_t{8} << 20U;

// A JSON object with the semantics of getMessageProperty and setMessageProperty of @node-red/util
// 3.1.7. Expressions are UTF-16, as positions in messages count. Errors are of kind invalid: code
// "INVALID_EXPR" for a bad expression, code "" for what throws a TypeError or RangeError in
// JavaScript, both with JavaScript's message. A document also refuses to do more than a bounded
// amount of work, so that no list of expressions keeps a thread for long. Used by one thread.
class Document {
 public:
  // `object` is canonical text of an object.
  explicit Document(std::string object) : text_(std::move(object)), root_(text_) {}
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // Canonical text of the value; nothing where JavaScript sees undefined, a function, or throws
  // because a parent is missing. Does not strip a leading `msg.`. All values together may have
  // kMostRepeated bytes more than the document: asking for one again and again is too much work.
  Result<std::optional<std::string>> get(std::u16string_view expression);

  // Sets the value: canonical text that lives as long as the document. Missing parents are made;
  // below a scalar nothing happens. An index that gives an array more items than `quota` has
  // characters fails with over_quota, one beyond kMaxItems or kMaxDepth as invalid, both before
  // anything is built.
  Status set(std::u16string_view expression, std::string_view value,
             std::optional<std::uint64_t> quota = std::nullopt);

  // Removes the value; items of arrays are spliced out. What is not there is no error.
  Status remove(std::u16string_view expression);

  // The names of the object as a JSON array.
  std::string keys();

  bool is_empty() { return root_.as_object().is_empty(); }

  // The canonical text. Holes in arrays have become null.
  std::string text() const;

 private:
  struct Making;

  Result<std::vector<PathPart>> parse(std::u16string_view expression);
  std::optional<PathPart> refer(std::u16string_view inner);
  Result<Node*> enter(Node& parent, const PathPart& part, Making* making);
  Result<Node*> enter_array(ArrayNode& items, const PathPart& part, Making* making);
  Result<Node*> enter_scalar(const Node& parent, const PathPart& part, Making* making);
  Result<Node*> parent_of(const std::vector<PathPart>& path, Making* making);
  Status assign(Node& parent, const PathPart& part, std::string_view value,
                std::optional<std::uint64_t> quota);
  Status make_room(ArrayNode& items, std::uint64_t index, std::optional<std::uint64_t> quota);
  Status set_length(ArrayNode& items, std::string_view value, std::optional<std::uint64_t> quota);
  Status spend(std::size_t work);

  std::string text_;
  Node root_;
  Node undefined_;                   // what a missing member of a scalar is
  std::size_t work_ = 0;             // bytes and items looked at, in all
  std::size_t given_ = 0;            // bytes of the values that were read
  std::size_t reference_depth_ = 0;  // cross references that are being followed
};

}  // namespace flowstore::json
