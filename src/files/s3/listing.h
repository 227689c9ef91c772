// Listings of keys as files and folders, and what is done to all keys of a folder.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "files/file_store.h"
#include "files/s3/objects.h"

namespace flowstore::files::s3 {

// S3 has no folders: "a/b" is one name, and a folder is what such names have in common. References
// must outlive the tasks.

// A page of the folder whose keys begin with `prefix` ("team/project/dir/"). In the order of S3: by
// the bytes of the names, where that of a folder ends with its '/'.
Task<Result<Listing>> list_folder(Objects& objects, std::string prefix, ListOptions options);

// Whether any key begins with the prefix.
Task<Result<bool>> has_keys(Objects& objects, std::string prefix);

// Every page of keys that begin with the prefix, until one fails.
using OnPage = std::function<Task<Status>(const ObjectPage& page)>;
Task<Status> for_each_page(Objects& objects, ListQuery query, OnPage on_page);

// Removes the objects, a thousand at a time where the store can.
Task<Status> remove_objects(Objects& objects, const std::vector<Listed>& all);

}  // namespace flowstore::files::s3
