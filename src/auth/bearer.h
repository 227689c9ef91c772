// The token in an Authorization header.

#pragma once

#include <optional>
#include <string_view>

namespace flowstore::auth {

// The token of exactly `Bearer <token>`: the word as written here, one space, no second one. As
// strict as the old server. The view points into `header`, whose outer blanks the HTTP parser has
// removed.
std::optional<std::string_view> bearer_token(std::string_view header);

}  // namespace flowstore::auth
