// The XML that S3 speaks: answers in, requests out.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "files/s3/answer.h"

namespace flowstore::files::s3 {

// One object of a listing.
struct Listed {
  Listed() = default;

  std::string key;
  std::uint64_t size = 0;
  std::chrono::system_clock::time_point modified{};
};

// One page of ListObjectsV2.
struct ObjectPage {
  ObjectPage() = default;

  std::vector<Listed> objects;
  std::vector<std::string> prefixes;  // of keys that are rolled up at the delimiter
  bool is_truncated = false;
  std::string next_token;
};

// One part of a multipart upload.
struct Part {
  Part() = default;
  Part(int place, std::string tag) : number(place), etag(std::move(tag)) {}

  int number = 0;    // 1 to 10,000
  std::string etag;  // as the store gave it
};

// Code and message of an error's body, where it has any.
void read_error(std::string_view xml, Answer& answer);

// Asked for with encoding-type=url; what is not is taken as it is. unavailable: no such XML.
Result<ObjectPage> read_page(std::string_view xml);
Result<std::string> read_upload_id(std::string_view xml);
// The ETag in the answer to an UploadPartCopy or a CompleteMultipartUpload, if there is one. An
// error that began with a 200 becomes one in `answer`: its status is then 500, or 412 for a
// condition.
Result<std::string> read_etag(std::string_view xml, Answer& answer);

// The number of keys that the store could not remove, with the first one's code.
struct RemovalReport {
  RemovalReport() = default;

  std::size_t failed = 0;
  std::string code;
};
Result<RemovalReport> read_removal(std::string_view xml);

std::string completion_xml(const std::vector<Part>& parts);
// All keys must fit_xml().
std::string removal_xml(const std::vector<Listed>& objects);
// Whether stores read the key as it is, when it is written in XML: not control characters, and not
// what may be no UTF-8.
bool fits_xml(std::string_view key);

}  // namespace flowstore::files::s3
