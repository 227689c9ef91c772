// Changing the values of one row, item by item: what a driver runs inside its transaction.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "context/context_store.h"

namespace flowstore::context {

// One change of a value.
struct SetItem {
  SetItem() = default;
  SetItem(std::u16string path, std::optional<std::string> new_value)
      : expression(std::move(path)), value(std::move(new_value)) {}

  std::optional<std::u16string> expression;  // nothing: the client named none, which is an error
  std::optional<std::string> value;          // canonical JSON text; nothing: remove
};

// Stored text as canonical text of an object. Errors: invalid with ERR_CONTEXT_VALUES.
Result<std::string> canonical_object(std::string_view stored);

// Applies the items in order to what is stored (nothing: an empty object). Nothing where no value
// is left. Errors are those of json::Document, and that the stored text is no object. The time it
// takes is bounded however many items there are: a change that would take seconds is refused.
Result<NewValues> set_values(std::optional<std::string_view> stored,
                             const std::vector<SetItem>& items, CharacterLimit limit);

}  // namespace flowstore::context
