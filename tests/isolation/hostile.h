// Hostile: what a tenant sends who wants to reach another one.

#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowstore::isolation {

struct Place {
  std::string_view team;
  std::string_view project;
};

// The attacker, whose token is good for this project alone.
inline constexpr Place kAttacker = {"team", "alpha"};

// Those who must never notice: the same team, names of which one begins as the other, names that
// differ in case only, and another team, also with a project of the same name.
inline constexpr std::array<Place, 7> kVictims = {{{"team", "beta"},
                                                   {"team", "alphabet"},
                                                   {"team", "alph"},
                                                   {"team", "Alpha"},
                                                   {"other", "beta"},
                                                   {"other", "gamma"},
                                                   {"tea", "mallow"}}};

// What every victim has: contents and one name hold the marker. The attacker knows the other name
// and aims at it; nothing that it sends ever holds the marker.
inline constexpr std::string_view kMarker = "kept-from-others";
inline constexpr std::string_view kKnownName = "known.txt";

std::string token_of(Place place);

// ISOLATION_SEED, or one that nobody chose: the same for all tests of the process.
std::uint64_t chosen_seed();

// ISOLATION_TRIES: how many requests all tests of the process make together, about.
std::size_t chosen_tries();

// One request.
struct Attempt {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // All of it, for a message that a person has to make sense of.
  std::string words() const;
};

// Builds requests of parts that have fooled servers: dot segments, encodings of encodings, overlong
// UTF-8, NUL, backslashes, look-alikes, other cases, names of 255 and 4096 bytes; and plain ones
// among them, so that there is something to be confused about. The same seed builds the same
// requests.
class Hostile {
 public:
  explicit Hostile(std::uint64_t seed) : random_(seed) {}

  Attempt next();

 private:
  // Numbers from 0 to `end` - 1; something that happens so many times of a hundred.
  std::size_t below(std::size_t end) { return random_() % end; }
  bool happens(std::size_t percent) { return below(100) < percent; }
  std::string_view any_of(std::span<const std::string_view> choices) {
    return choices[below(choices.size())];
  }

  std::string part();
  std::string long_name();
  std::string victims_path();
  std::string path();
  std::string mutated(std::string text);
  std::string encoded(std::string text);
  std::string id(std::string_view own);
  std::string scope();
  std::string query();
  std::string files_target();
  std::string context_target();
  std::string quota_target();
  std::string odd_target();
  std::string authorization();
  std::string context_body();
  void add_headers(Attempt& attempt);

  std::mt19937_64 random_;
};

}  // namespace flowstore::isolation
