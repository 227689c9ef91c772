// PropertyPath: Node-RED's property expressions, such as a.b[0]["c d"][msg.e].

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flowstore::json {

// One step of a path.
struct PathPart {
  enum class Kind : std::uint8_t {
    name,   // a JavaScript string
    index,  // a JavaScript number
    other,  // anything else, pushed by a cross reference
  };

  PathPart(Kind which, std::string text, double value = 0)
      : kind(which), name(std::move(text)), number(value) {}

  Kind kind;
  // What JavaScript makes of it as the name of a property, as the content of a canonical JSON
  // string literal.
  std::string name;
  double number;  // index only
};

// The part that a canonical JSON value becomes when a cross reference pushes it.
PathPart part_of(std::string_view value);

// Whether a name can be written after a dot, and what it stands for, is decided here alone; the
// grammar is in tests/contract/README.md, section 9.1. `refer` gives the part for the text between
// the brackets of a cross reference, nothing where that is undefined or fails. Error: invalid with
// code INVALID_EXPR and the message of @node-red/util, positions in UTF-16 units; beyond 10,000
// parts, as for values that are nested too deep.
using Refer = std::function<std::optional<PathPart>(std::u16string_view inner)>;
Result<std::vector<PathPart>> parse_path(std::u16string_view expression, const Refer& refer);

}  // namespace flowstore::json
