#include "base/content.h"

#include <cassert>

namespace flowstore {
namespace {

struct SizeOf {
  std::optional<std::uint64_t> operator()(std::monostate) const { return 0; }
  std::optional<std::uint64_t> operator()(const std::string& bytes) const { return bytes.size(); }
  std::optional<std::uint64_t> operator()(std::string_view bytes) const { return bytes.size(); }
  std::optional<std::uint64_t> operator()(const Content::Shared& part) const { return part.length; }
  std::optional<std::uint64_t> operator()(const Content::File& part) const { return part.length; }
  std::optional<std::uint64_t> operator()(const Content::Stream& stream) const {
    return stream.source->size();
  }
};

struct Slice {
  std::uint64_t offset;
  std::uint64_t length;

  void operator()(std::monostate) const {}
  void operator()(std::string& bytes) const { bytes = bytes.substr(offset, length); }
  void operator()(std::string_view& bytes) const { bytes = bytes.substr(offset, length); }
  void operator()(Content::Shared& part) const {
    part.offset += offset;
    part.length = length;
  }
  void operator()(Content::File& part) const {
    part.offset += offset;
    part.length = length;
  }
  void operator()(Content::Stream& stream) const { stream.source->narrow(offset, length); }
};

}  // namespace

std::optional<std::uint64_t> Content::size() const { return std::visit(SizeOf{}, form_); }

Content Content::slice(std::uint64_t offset, std::uint64_t length) && {
  assert(size() && offset + length <= *size());
  std::visit(Slice{offset, length}, form_);
  return std::move(*this);
}

}  // namespace flowstore
