// How a line of the log looks, byte by byte.

#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/log.h"

namespace flowstore {

// Appends "2026-11-22T22:35:28.644Z": UTC, cut to milliseconds. Years 0 to 9999.
void append_time(std::string& out, std::chrono::system_clock::time_point time);

// The same as append_json_string(), with DEL escaped as well, which a terminal may obey.
void append_log_string(std::string& out, std::string_view text);

// One line with its line feed, which is the only one in it: nothing that a client sends can make a
// line of its own. `fields` as LogFields::json() makes them.
std::string log_line(LogFormat format, LogLevel level, std::chrono::system_clock::time_point time,
                     std::string_view message, std::string_view fields);

}  // namespace flowstore
