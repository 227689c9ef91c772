#include "isolation/hostile.h"

#include <cctype>
#include <cstdlib>

namespace flowstore::isolation {
namespace {

using namespace std::string_view_literals;  // some of the parts hold NUL

constexpr std::array kUps = {
    ".."sv,
    "%2e%2e"sv,
    ".%2E"sv,
    "%2e."sv,
    "%252e%252e"sv,
    "%25252e."sv,
    "%c0%ae%c0%ae"sv,
    "%e0%80%ae."sv,
    "%f0%80%80%ae."sv,
    "..%00"sv,
    "..\0"sv,
    "%ef%bc%8e%ef%bc%8e"sv,
    ".. "sv,
    "..;x"sv,
    "..%20"sv,
    "%u002e."sv,
    "\xc0\xae\xc0\xae"sv,
    "..%0a"sv,
    "\xe2\x80\xa4."sv,
    "..."sv,
};

constexpr std::array kSeparators = {
    "/"sv,    "/"sv,        "/"sv,         "//"sv,           "/./"sv,       "%2f"sv,
    "%2F"sv,  "%252f"sv,    "\\"sv,        "%5c"sv,          "%255c"sv,     "%c0%af"sv,
    "/%00"sv, "\xc0\xaf"sv, "%ef%bc%8f"sv, "\xe2\x88\x95"sv, "%e2%81%84"sv, "/.;/"sv,
};

constexpr std::array kParts = {
    "."sv,
    "%2e"sv,
    "~"sv,
    "%00"sv,
    "\0"sv,
    "a%00.txt"sv,
    "%"sv,
    "%2"sv,
    "%zz"sv,
    "%ff"sv,
    "\xff\xfe"sv,
    "%ed%a0%80"sv,
    "%ef%bb%bf"sv,
    "%e2%80%ae"sv,
    "e%cc%81"sv,
    "%c5%bf"sv,
    "%e2%84%aa"sv,
    "\xce\xb1lpha"sv,
    "be\xd1\x82"
    "a"sv,
    "%0d%0aX-Y:%20z"sv,
    "%7f"sv,
    "\x01"sv,
    "*"sv,
    "?"sv,
    "#"sv,
    "%3f"sv,
    "%23"sv,
    "%26"sv,
    "+"sv,
    " "sv,
    "%20"sv,
    "con"sv,
    "nul.txt"sv,
    "C:"sv,
    "file:"sv,
    "-rf"sv,
    "$(id)"sv,
    "'"sv,
    "%27--"sv,
    "\" OR 1=1"sv,
    ".flowstore"sv,
    "tmp"sv,
    "lock"sv,
    ".FLOWSTORE"sv,
    "etc"sv,
    "passwd"sv,
    "proc"sv,
    "self"sv,
    "root"sv,
    "beside.txt"sv,
    "context.db"sv,
    "files"sv,
    "own.txt"sv,
    "dir"sv,
    "known.txt"sv,
    "cache"sv,
    "keys"sv,
    "clean"sv,
    "global"sv,
    "__proto__"sv,
    "flow"sv,
    ".flow"sv,
    "n1:f1"sv,
    "f1.nodes.n1"sv,
    ":"sv,
};

constexpr std::array kMethods = {
    "GET"sv,  "GET"sv,    "GET"sv,    "HEAD"sv, "POST"sv,  "POST"sv,
    "POST"sv, "DELETE"sv, "DELETE"sv, "PUT"sv,  "PATCH"sv, "OPTIONS"sv,
};

constexpr std::array kModes = {
    "append"sv, "replace"sv, "ensureDir"sv, "Append"sv, "append "sv, ""sv, "../append"sv,
};

constexpr std::array kRanges = {
    "bytes=0-"sv,
    "bytes=-5"sv,
    "bytes=2-1000000"sv,
    "bytes=0-0,3-4"sv,
    "bytes=-18446744073709551615"sv,
    "bytes=9223372036854775807-"sv,
    "bytes=a-b"sv,
};

constexpr std::array kContextBodies = {
    R"([{"key":"k","value":"attack"}])"sv,
    R"([{"key":"__proto__.x","value":1},{"key":"a[0]['b']","value":[]}])"sv,
    R"([{"key":"constructor","value":{}}])"sv,
    R"({"own":{"k":"attack"}})"sv,
    R"({"__proto__":{"a":1}})"sv,
    R"(["f1","n1","%"])"sv,
    "[]"sv,
    "null"sv,
    "{"sv,
};

char hex(unsigned nibble) { return "0123456789abcdef"[nibble & 15U]; }

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::stoull(text) : otherwise;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 600)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out.push_back(c);
    } else {
      out.append({'\\', 'x', hex(byte >> 4U), hex(byte)});
    }
  }
  return out;
}

}  // namespace

std::string token_of(Place place) {
  return "token." + std::string(place.team) + "." + std::string(place.project) + ".0123456789";
}

std::uint64_t chosen_seed() {
  static const std::uint64_t seed = number_from("ISOLATION_SEED", std::random_device()());
  return seed;
}

std::size_t chosen_tries() { return number_from("ISOLATION_TRIES", 24'000); }

std::string Attempt::words() const {
  std::string text = method + " " + printable(target);
  for (const auto& [name, value] : headers) text += "\n  " + name + ": " + printable(value);
  return text + "\n  " + printable(body);
}

Attempt Hostile::next() {
  Attempt attempt;
  attempt.method = any_of(kMethods);
  const std::size_t kind = below(100);
  if (kind < 55) {
    attempt.target = files_target();
    attempt.body = "attack " + std::to_string(below(1000));
  } else if (kind < 88) {
    attempt.target = context_target();
    attempt.body = context_body();
  } else {
    attempt.target = kind < 96 ? quota_target() : odd_target();
  }
  if (attempt.method == "GET" || attempt.method == "HEAD") attempt.body.clear();
  add_headers(attempt);
  return attempt;
}

std::string Hostile::part() {
  if (happens(4)) return long_name();
  if (happens(20)) return std::string(any_of(kUps));
  if (happens(20)) {
    const Place place = kVictims[below(kVictims.size())];
    return std::string(happens(50) ? place.team : place.project);
  }
  return std::string(any_of(kParts));
}

std::string Hostile::long_name() {
  constexpr std::array<std::size_t, 8> kLengths = {255, 256, 499, 500, 501, 1024, 4095, 4096};
  const std::size_t length = kLengths[below(kLengths.size())];
  std::string name;
  while (name.size() < length) name += happens(90) ? "n" : any_of(kUps);
  return name;
}

// From the attacker's folder to what a victim has, to the root, and to what lies beside it.
std::string Hostile::victims_path() {
  const Place place = kVictims[below(kVictims.size())];
  std::string out;
  for (std::size_t ups = below(5); ups > 0; --ups)
    out.append(any_of(kUps)).append(any_of(kSeparators));
  if (happens(60)) out.append(place.team).append(any_of(kSeparators));
  if (happens(80)) out.append(place.project);
  if (happens(70)) out.append(any_of(kSeparators)).append(kKnownName);
  return out;
}

std::string Hostile::path() {
  if (happens(40)) return mutated(victims_path());
  if (happens(45)) return happens(50) ? "own.txt" : "dir/own" + std::to_string(below(4));
  std::string out = happens(15) ? std::string(any_of(kSeparators)) : std::string();
  for (std::size_t parts = 1 + below(6); parts > 0; --parts) {
    out += part();
    if (parts > 1 || happens(15)) out.append(any_of(kSeparators));
  }
  return mutated(std::move(out));
}

std::string Hostile::mutated(std::string text) {
  if (happens(50)) return text;
  if (happens(25)) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  if (happens(15)) text.insert(below(text.size() + 1), any_of(kParts));
  for (std::size_t layers = below(4); layers > 0; --layers) text = encoded(std::move(text));
  if (happens(5)) text.resize(below(text.size() + 1));
  return text;
}

// Some of the bytes, or all that mean something.
std::string Hostile::encoded(std::string text) {
  const bool is_all = happens(50);
  std::string out;
  for (const char c : text) {
    const bool means_something = "./\\%"sv.find(c) != std::string_view::npos;
    const auto byte = static_cast<unsigned char>(c);
    if (means_something ? is_all || happens(50) : happens(5)) {
      out.append({'%', hex(byte >> 4U), hex(byte)});
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string Hostile::id(std::string_view own) {
  if (happens(78)) return std::string(own);
  if (happens(30)) {
    const Place place = kVictims[below(kVictims.size())];
    return mutated(std::string(own == kAttacker.team ? place.team : place.project));
  }
  if (happens(30)) return mutated(victims_path());
  std::string out(happens(60) ? own : std::string_view());
  if (happens(50)) out.append(any_of(kSeparators));
  return mutated(out + part());
}

std::string Hostile::scope() {
  if (happens(25)) return std::string(happens(50) ? "f1" : "n1:f1");
  if (happens(25)) return mutated(victims_path());
  std::string out = part();
  while (happens(40)) out.append(any_of(kSeparators)).append(part());
  return mutated(std::move(out));
}

std::string Hostile::query() {
  constexpr std::array kWords = {"list"sv,    "recursive"sv,  "list="sv,      "limit=1"sv,
                                 "limit=0"sv, "limit=-1"sv,   "limit=1000"sv, "cursor="sv,
                                 "key="sv,    "projectId="sv, "key=k"sv,      "key=a[0]['b']"sv};
  std::string out = "?";
  for (std::size_t words = below(4); words > 0; --words) {
    const std::string_view word = any_of(kWords);
    out.append(word);
    if (word.ends_with('=')) out += happens(50) ? part() : mutated(victims_path());
    if (words > 1) out.push_back('&');
  }
  return out;
}

std::string Hostile::files_target() {
  std::string out = "/v1/files/" + id(kAttacker.team) + "/" + id(kAttacker.project) + "/" + path();
  return happens(50) ? out + query() : out;
}

std::string Hostile::context_target() {
  std::string out = "/v1/context/" + id(kAttacker.project) + "/";
  switch (below(6)) {
    case 0:
      out += "cache";
      break;
    case 1:
      out += "cache/" + scope();
      break;
    case 2:
      out += "clean";
      break;
    case 3:
      out += scope() + "/keys";
      break;
    default:
      out += scope();
  }
  return happens(60) ? out + query() : out;
}

std::string Hostile::quota_target() {
  std::string out = "/v1/quota/" + id(kAttacker.team);
  if (happens(60)) out += "/" + id(kAttacker.project);
  return happens(60) ? out + query() : out;
}

std::string Hostile::odd_target() {
  constexpr std::array kStarts = {"/"sv,
                                  "*"sv,
                                  "http://x/v1/files/"sv,
                                  "//v1/files/"sv,
                                  "/v1//files/"sv,
                                  "/V1/FILES/"sv,
                                  "/v1/files/../quota/"sv,
                                  "/v1/"sv,
                                  "/v1/files%2f"sv,
                                  "/health/../v1/files/"sv,
                                  "/metrics"sv,
                                  ""sv};
  return std::string(any_of(kStarts)) + victims_path() + query();
}

// Mostly the attacker's own token, else one that is nearly a victim's.
std::string Hostile::authorization() {
  const std::string own = token_of(kAttacker);
  if (happens(85)) return "Bearer " + own;
  const std::string wanted = token_of(kVictims[below(kVictims.size())]);
  switch (below(9)) {
    case 0:
      return "Bearer " + wanted.substr(0, below(wanted.size()));
    case 1:
      return "Bearer " + wanted + std::string(any_of(kParts)) + ".";
    case 2:
      return "bearer " + wanted;
    case 3:
      return "Bearer  " + wanted;
    case 4:
      return "Bearer " + own + "," + wanted;
    case 5:
      return "Bearer " + own + " " + wanted;
    case 6:
      return "Bearer\t" + wanted;
    case 7:
      return "Bearer " + wanted + std::string("\0", 1);
    default:
      return "Basic " + wanted;
  }
}

std::string Hostile::context_body() { return std::string(any_of(kContextBodies)); }

void Hostile::add_headers(Attempt& attempt) {
  const auto add = [&attempt](std::string_view name, std::string value) {
    attempt.headers.emplace_back(name, std::move(value));
  };
  if (happens(98)) add("Authorization", authorization());
  if (happens(40)) add("FF_MODE", std::string(any_of(kModes)));
  if (happens(20)) add("Range", std::string(any_of(kRanges)));
  if (happens(90)) add("Content-Type", "application/json");
  if (happens(5)) add("If-None-Match", "*");
  if (happens(5)) add("If-Match", happens(50) ? "*" : mutated(victims_path()));
  if (happens(5)) add("X-Original-URL", "/v1/files/" + victims_path());
  if (happens(5)) add("X-HTTP-Method-Override", "DELETE");
}

}  // namespace flowstore::isolation
