#include "tools/archive_names.h"

#include <algorithm>
#include <utility>

namespace flowstore::tools {
namespace {

constexpr std::string_view kFiles = "files/";
constexpr std::string_view kContext = "context/";
constexpr std::string_view kJson = ".json";
constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr std::size_t kDigestSize = 64;

void append_encoded(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kDigits[byte / 16U];
  out += kDigits[byte % 16U];
}

std::string encoded(std::string_view id) {
  const bool is_dots = id == "." || id == "..";
  std::string out;
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_dots || c == '/' || c == '%' || c == '\\' || byte < 0x20 || byte == 0x7f) {
      append_encoded(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '%') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 3) return std::nullopt;
    const std::size_t high = kDigits.find(text[1]);
    const std::size_t low = kDigits.find(text[2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    text.remove_prefix(3);
  }
  return out;
}

Error no_place(const std::string& name) {
  return Error(ErrorKind::invalid, "archive",
               "\"" + name + "\" is no name that flowstore gives to an entry");
}

Result<Place> file_of(const std::string& name) {
  std::string_view rest = std::string_view(name).substr(kFiles.size());
  const std::size_t team = rest.find('/');
  if (team == std::string_view::npos) return no_place(name);
  const std::size_t project = rest.find('/', team + 1);
  if (project == std::string_view::npos) return no_place(name);
  auto owner =
      files::ProjectKey::parse(rest.substr(0, team), rest.substr(team + 1, project - team - 1));
  if (!owner) return no_place(name);
  auto key = files::FileKey::parse(*std::move(owner), rest.substr(project + 1));
  if (!key || key->names_folder() || name_of(*key) != name) return no_place(name);
  return Place(*std::move(key));
}

Result<Place> row_of(const std::string& name) {
  std::string_view rest = std::string_view(name).substr(kContext.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || !rest.ends_with(kJson)) return no_place(name);
  rest.remove_suffix(kJson.size());
  if (slash > rest.size()) return no_place(name);
  auto project = decoded(rest.substr(0, slash));
  auto scope = decoded(rest.substr(slash + 1));
  if (!project || !scope || project->empty()) return no_place(name);
  context::RowKey key(*std::move(project), *std::move(scope));
  if (name_of(key) != name) return no_place(name);
  return Place(std::move(key));
}

}  // namespace

std::string name_of(const files::FileKey& key) { return std::string(kFiles) + key.path(); }

std::string name_of(const context::RowKey& key) {
  return std::string(kContext) + encoded(key.project) + "/" + encoded(key.scope) +
         std::string(kJson);
}

Result<Place> place_of(const std::string& name) {
  if (name.starts_with(kFiles)) return file_of(name);
  if (name.starts_with(kContext)) return row_of(name);
  return no_place(name);
}

std::string sum_line(const std::string& digest, const std::string& name) {
  std::string escaped;
  for (const char c : name) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\r') {
      escaped += "\\r";
    } else {
      escaped += c;
    }
  }
  return (escaped == name ? "" : "\\") + digest + "  " + escaped + "\n";
}

std::optional<Sum> parse_sum_line(std::string_view line) {
  const bool is_escaped = line.starts_with('\\');
  if (is_escaped) line.remove_prefix(1);
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (line.size() <= kDigestSize + 2 || line.substr(kDigestSize, 2) != "  ") return std::nullopt;
  Sum sum;
  sum.digest = line.substr(0, kDigestSize);
  if (!std::all_of(sum.digest.begin(), sum.digest.end(), is_digit)) return std::nullopt;
  line.remove_prefix(kDigestSize + 2);
  while (!line.empty()) {
    char c = line.front();
    line.remove_prefix(1);
    if (is_escaped && c == '\\') {
      if (line.empty()) return std::nullopt;
      const char what = line.front();
      line.remove_prefix(1);
      if (what != '\\' && what != 'n' && what != 'r') return std::nullopt;
      c = what == 'n' ? '\n' : what == 'r' ? '\r' : '\\';
    }
    sum.name += c;
  }
  return sum;
}

}  // namespace flowstore::tools
