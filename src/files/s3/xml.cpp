#include "files/s3/xml.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include <pugixml.hpp>

#include "aws/surroundings.h"

namespace flowstore::files::s3 {
namespace {

Error no_xml() {
  return {ErrorKind::unavailable, "storage_unavailable",
          "The file storage gave an answer that cannot be read"};
}

Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view xml) {
  const auto parsed = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node root = document.document_element();
  if (!parsed || !root) return no_xml();
  return root;
}

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') == std::string_view::npos ? 0 : name.find(':') + 1);
}

int value_of_hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// encoding-type=url: as in a query, so that '+' is a space.
std::string url_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? value_of_hex(text[i + 1]) : -1;
    const int low = high >= 0 ? value_of_hex(text[i + 2]) : -1;
    if (low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string written(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return out.str();
}

}  // namespace

void read_error(std::string_view xml, Answer& answer) {
  pugi::xml_document document;
  const auto root = root_of(document, xml);
  if (!root || local_name(*root) != "Error") return;
  answer.code = root->child_value("Code");
  answer.message = root->child_value("Message");
}

Result<ObjectPage> read_page(std::string_view xml) {
  pugi::xml_document document;
  FLOWSTORE_TRY(const auto root, root_of(document, xml));
  if (local_name(root) != "ListBucketResult") return no_xml();
  const bool is_encoded = std::strcmp(root.child_value("EncodingType"), "url") == 0;
  const auto text = [is_encoded](const char* value) {
    return is_encoded ? url_decoded(value) : std::string(value);
  };
  ObjectPage page;
  for (const pugi::xml_node& node : root.children("Contents")) {
    Listed& object = page.objects.emplace_back();
    object.key = text(node.child_value("Key"));
    object.size = node.child("Size").text().as_ullong();
    object.modified = aws::parse_time(node.child_value("LastModified"))
                          .value_or(std::chrono::system_clock::time_point());
  }
  for (const pugi::xml_node& node : root.children("CommonPrefixes")) {
    page.prefixes.push_back(text(node.child_value("Prefix")));
  }
  page.is_truncated = root.child("IsTruncated").text().as_bool();
  page.next_token = root.child_value("NextContinuationToken");
  return page;
}

Result<std::string> read_upload_id(std::string_view xml) {
  pugi::xml_document document;
  FLOWSTORE_TRY(const auto root, root_of(document, xml));
  std::string id = root.child_value("UploadId");
  if (id.empty()) return no_xml();
  return id;
}

Result<std::string> read_etag(std::string_view xml, Answer& answer) {
  pugi::xml_document document;
  FLOWSTORE_TRY(const auto root, root_of(document, xml));
  if (local_name(root) != "Error") return std::string(root.child_value("ETag"));
  read_error(xml, answer);
  answer.status = answer.code == "PreconditionFailed" ? 412 : 500;
  return std::string();
}

Result<RemovalReport> read_removal(std::string_view xml) {
  pugi::xml_document document;
  FLOWSTORE_TRY(const auto root, root_of(document, xml));
  RemovalReport report;
  for (const pugi::xml_node& node : root.children("Error")) {
    if (report.failed++ == 0) report.code = node.child_value("Code");
  }
  return report;
}

std::string completion_xml(const std::vector<Part>& parts) {
  pugi::xml_document document;
  auto root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (const Part& part : parts) {
    auto node = root.append_child("Part");
    node.append_child("PartNumber").text() = part.number;
    node.append_child("ETag").text() = part.etag.c_str();
  }
  return written(document);
}

std::string removal_xml(const std::vector<Listed>& objects) {
  pugi::xml_document document;
  auto root = document.append_child("Delete");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (const Listed& object : objects) {
    root.append_child("Object").append_child("Key").text() = object.key.c_str();
  }
  root.append_child("Quiet").text() = true;
  return written(document);
}

bool fits_xml(std::string_view key) {
  return std::all_of(key.begin(), key.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80;
  });
}

}  // namespace flowstore::files::s3
