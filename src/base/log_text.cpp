#include "base/log_text.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/json_escape.h"

namespace flowstore {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
// U+FFFD, the sign for bytes that are no text.
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::string_view name_of(LogLevel level) {
  constexpr std::array<std::string_view, 7> kNames = {"TRACE", "DEBUG", "INFO",  "WARN",
                                                      "ERROR", "FATAL", "SILENT"};
  return kNames[static_cast<std::size_t>(level)];
}

// Writes the last `width` digits of a number, with leading zeros.
void put_digits(char* out, unsigned value, std::size_t width) {
  for (std::size_t i = width; i > 0; --i) {
    out[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Where a text goes. What a terminal would obey is escaped in lines of the log; elsewhere only what
// JSON.stringify escapes.
enum class Place : std::uint8_t { json, log_json, log_plain };

bool is_escaped(char c, Place place) {
  const auto value = static_cast<unsigned char>(c);
  return value < 0x20 || (value == 0x7F && place != Place::json);
}

void append_control(std::string& out, char c) {
  const auto value = static_cast<unsigned char>(c);
  if (const auto known = short_escape(value); !known.empty()) {
    out.append(known);
    return;
  }
  out.append("\\u00").append(1, kHex[value >> 4]).append(1, kHex[value & 15]);
}

// The length of the UTF-8 character at the start of `text`; 0 if there is none. Refuses what the
// standard refuses: overlong forms, surrogates, beyond U+10FFFF (RFC 3629).
std::size_t character_length(std::string_view text) {
  const auto byte = [&text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool is_overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool is_surrogate = first == 0xED && byte(1) >= 0xA0;
    return !is_overlong && !is_surrogate && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool is_overlong = first == 0xF0 && byte(1) < 0x90;
    const bool is_beyond = first == 0xF4 && byte(1) >= 0x90;
    return !is_overlong && !is_beyond && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

// Which bytes can be copied as they are, in JSON and on a terminal. A table, because all text of a
// request that is logged is looked at.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x7F; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

// How many of them stand at the start.
std::size_t plain_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && kPlain[static_cast<unsigned char>(text[length])]) ++length;
  return length;
}

void append_text(std::string& out, std::string_view text, Place place) {
  while (!text.empty()) {
    std::size_t length = plain_length(text);
    out.append(text.substr(0, length));
    text.remove_prefix(length);
    if (text.empty()) return;
    const char c = text.front();
    length = character_length(text);
    if (is_escaped(c, place)) {
      append_control(out, c);
    } else if (length == 0) {
      out.append(kReplacement);
      length = 1;
    } else {
      if (place != Place::log_plain && (c == '"' || c == '\\')) out.push_back('\\');
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
}

void append_quoted(std::string& out, std::string_view text, Place place) {
  out.push_back('"');
  append_text(out, text, place);
  out.push_back('"');
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  append_quoted(out, text, Place::json);
}

void append_log_string(std::string& out, std::string_view text) {
  append_quoted(out, text, Place::log_json);
}

void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - day));
  constexpr std::string_view kShape = "0000-00-00T00:00:00.000Z";
  std::array<char, 24> text{};
  kShape.copy(text.data(), text.size());
  put_digits(&text[0], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_digits(&text[5], static_cast<unsigned>(date.month()), 2);
  put_digits(&text[8], static_cast<unsigned>(date.day()), 2);
  put_digits(&text[11], static_cast<unsigned>(clock.hours().count()), 2);
  put_digits(&text[14], static_cast<unsigned>(clock.minutes().count()), 2);
  put_digits(&text[17], static_cast<unsigned>(clock.seconds().count()), 2);
  put_digits(&text[20], static_cast<unsigned>(clock.subseconds().count()), 3);
  out.append(text.data(), text.size());
}

std::string log_line(LogFormat format, LogLevel level, std::chrono::system_clock::time_point time,
                     std::string_view message, std::string_view fields) {
  std::string line;
  line.reserve(96 + message.size() + fields.size());
  if (format == LogFormat::pretty) {
    line.append("[");
    append_time(line, time);
    line.append("] ").append(name_of(level)).append(": ");
    append_text(line, message, Place::log_plain);
    if (!fields.empty()) line.append(" {").append(fields).append("}");
    line.append("\n");
    return line;
  }
  line.append("{\"level\":\"").append(name_of(level)).append("\",\"time\":\"");
  append_time(line, time);
  line.append("\",");
  if (!fields.empty()) line.append(fields).append(",");
  line.append("\"msg\":");
  append_log_string(line, message);
  line.append("}\n");
  return line;
}

}  // namespace flowstore
