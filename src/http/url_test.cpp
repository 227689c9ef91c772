#include "http/url.h"

#include <gtest/gtest.h>

namespace flowstore::http {
namespace {

// "https host 443 /target", or "-".
std::string text_of(const std::optional<Url>& url) {
  if (!url) return "-";
  return std::string(url->origin.is_tls ? "https " : "http ") + url->origin.host + " " +
         std::to_string(url->origin.port) + " " + url->target;
}

TEST(Url, IsTakenApart) {
  const std::pair<const char*, const char*> cases[] = {
      {"http://h", "http h 80 /"},
      {"https://h/", "https h 443 /"},
      {"h:8080/a", "https h 8080 /a"},
      {"HTTP://h:1/a/", "http h 1 /a/"},
      {"http://[::1]:3000/a?b=c:/d", "http ::1 3000 /a?b=c:/d"},
      {"http://[::1]", "http ::1 80 /"},
      {"http://h?x", "http h 80 /?x"},
      {"http://h/a#b", "http h 80 /a"},
  };
  for (const auto& [text, parts] : cases) EXPECT_EQ(text_of(parse_url(text)), parts) << text;
}

TEST(Url, LeadsToTheHostBehindAnyUser) {
  EXPECT_EQ(text_of(parse_url("http://user:p@ss@h:1/a@b")), "http h 1 /a@b");
  EXPECT_EQ(text_of(parse_url("http://localhost@h/")), "http h 80 /");
  EXPECT_EQ(text_of(parse_url("http://localhost:80#@h/")), "http localhost 80 /");
}

TEST(Url, IsNothingElse) {
  for (const char* text : {"", "http://", "ftp://h", "file:///etc/passwd",
                           "http://h:", "http://h:0", "http://h:70000", "http://h:x", "http://[::1",
                           "http://[::1]x", "http://h h", "http://h/\r\nx", "http://\xc3"}) {
    EXPECT_EQ(text_of(parse_url(text)), "-") << text;
  }
}

TEST(Url, IsWhereALocationLeads) {
  const Url base = *parse_url("https://h:8443/a/b?c");
  const std::pair<const char*, const char*> cases[] = {
      {"http://other/x", "http other 80 /x"},
      {"//other/x", "https other 443 /x"},
      {"/x?y#z", "https h 8443 /x?y"},
      {"x", "https h 8443 /a/x"},
      {"x:y", "-"},
      {"./x:y", "https h 8443 /a/./x:y"},
      {"?x", "https h 8443 /a/b?x"},
      {"#x", "https h 8443 /a/b?c"},
      {"file:///etc/passwd", "-"},
      {"http:x", "-"},
      {"javascript:alert(1)//://h", "-"},
      {"/x y", "-"},
  };
  for (const auto& [location, parts] : cases) {
    EXPECT_EQ(text_of(resolve(base, location)), parts) << location;
  }
}

TEST(Url, NamesItsHostWithThePortWhereThatIsUnusual) {
  EXPECT_EQ(host_header({"h", 443, true}), "h");
  EXPECT_EQ(host_header({"h", 443, false}), "h:443");
  EXPECT_EQ(host_header({"::1", 80, false}), "[::1]");
}

}  // namespace
}  // namespace flowstore::http
