// The JSON of the context routes: bodies in, answers out.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/url.h"
#include "base/result.h"
#include "context/context_service.h"

namespace flowstore::api {

// The three below take canonical JSON text and are pure. Errors: invalid with FST_ERR_VALIDATION
// and the words of ajv, the old server's validator.

// [{"key":k,"value"?:v},...]. Keys are turned into strings as ajv does, from a text that shows
// which numbers are infinite (json::TooLarge); in values they become null.
Result<std::vector<context::SetItem>> parse_set_items(std::string_view body);

// Any object, given back as it is.
Result<std::string> parse_values(std::string body);

// A list of ids; null is an empty one.
Result<context::ActiveIds> parse_active_ids(std::string_view body);

// Which rows a cache read asks for.
struct PageRequest {
  std::int64_t after = 0;  // id of a row
  std::int64_t most = 0;   // negative: see ContextStore::list
};

// limit, 30 if it is not sent, read as JavaScript's `parseInt(limit) || 1000`; cursor, a whole
// number. Error: invalid, naming the parameter.
Result<PageRequest> parse_page_request(const Query& query);

// [{"key":k,"value":v},...] in the order of the keys, which are UTF-8; "[]" where there is no
// scope.
std::string values_json(const std::vector<std::string_view>& keys,
                        const std::optional<context::Values>& values);

// A page is begin_page(), its rows with commas between them, and end_page().
std::string begin_page(const context::ShownPage& page);
void append_row(std::string& out, const context::ShownRow& row);
std::string_view end_page();

}  // namespace flowstore::api
