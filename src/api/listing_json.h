// Folder listings in the shape of FlowFuse's own assets API.

#pragma once

#include <string>

#include "api/url.h"
#include "base/result.h"
#include "files/file_store.h"

namespace flowstore::api {

// limit (1 to 1000, default 1000), cursor and recursive. Error: invalid, naming the parameter.
Result<files::ListOptions> parse_list_options(const Query& query);

// {"meta":{"next_cursor"?},"count":N,"files":[{"name","type","size","lastModified"}]}
std::string listing_json(const files::Listing& listing);

// "2026-11-22T22:35:28.644Z"
std::string iso_time(std::chrono::system_clock::time_point time);

}  // namespace flowstore::api
