// Any bytes as the answer of an S3 store: keys have no more bytes than the answer, a page that is
// written again is the same page, and what we send is XML that means what we meant.

#include <string>

#include <pugixml.hpp>

#include "files/s3/xml.h"
#include "fuzz.h"

using namespace flowstore::files;
using flowstore::fuzz::escaped;
using flowstore::fuzz::require;

namespace {

std::string page_xml(const s3::ObjectPage& page) {
  std::string xml = "<ListBucketResult><EncodingType>url</EncodingType>";
  for (const s3::Listed& object : page.objects) {
    xml += "<Contents><Key>" + escaped(object.key) + "</Key><Size>" + std::to_string(object.size) +
           "</Size></Contents>";
  }
  for (const std::string& prefix : page.prefixes) {
    xml += "<CommonPrefixes><Prefix>" + escaped(prefix) + "</Prefix></CommonPrefixes>";
  }
  return xml + "</ListBucketResult>";
}

void check_page(std::string_view xml) {
  const auto page = s3::read_page(xml);
  if (!page) return;
  std::size_t bytes = page->next_token.size();
  for (const s3::Listed& object : page->objects) bytes += object.key.size();
  for (const std::string& prefix : page->prefixes) bytes += prefix.size();
  require(bytes <= 2 * xml.size());  // UTF-16 and Latin-1 grow in UTF-8

  const auto again = s3::read_page(page_xml(*page));
  require(again && again->prefixes == page->prefixes);
  require(again->objects.size() == page->objects.size());
  for (std::size_t i = 0; i < again->objects.size(); ++i) {
    require(again->objects[i].key == page->objects[i].key);
    require(again->objects[i].size == page->objects[i].size);
  }
}

void check_others(std::string_view xml) {
  s3::Answer error;
  s3::read_error(xml, error);
  require(!s3::words_of(error).empty());
  const auto id = s3::read_upload_id(xml);
  require(!id || !id->empty());
  s3::Answer answer;
  answer.status = 200;
  const auto etag = s3::read_etag(xml, answer);
  require(answer.status == 200 || (etag && etag->empty()));
  const auto report = s3::read_removal(xml);
  require(!report || report->failed <= xml.size());
}

// Each line of the input is a key.
void check_removal(std::string_view input) {
  std::vector<s3::Listed> objects;
  while (!input.empty()) {
    s3::Listed object;
    object.key = flowstore::fuzz::take_line(input);
    if (s3::fits_xml(object.key)) objects.push_back(std::move(object));
  }
  const std::string xml = s3::removal_xml(objects);
  pugi::xml_document document;
  require(
      bool(document.load_buffer(xml.data(), xml.size(), pugi::parse_full | pugi::parse_ws_pcdata)));
  auto node = document.document_element().child("Object");
  for (const s3::Listed& object : objects) {
    require(node.child_value("Key") == object.key);
    node = node.next_sibling("Object");
  }
  require(!node);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = flowstore::fuzz::text_of(data, size);
  check_page(input);
  check_others(input);
  check_removal(input);
  return 0;
}
