// Small questions about header fields and the characters they are made of.

#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "http/handler.h"

namespace flowstore::http {

// ASCII letters compare without case, as header names do.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

// The value of the first header of that name.
std::optional<std::string_view> find_header(std::span<const Header> headers,
                                            std::string_view name) noexcept;

// RFC 9110, section 5.6.2: what names consist of.
bool is_token(char c) noexcept;

// What values consist of: blanks, visible characters and bytes above ASCII.
bool is_field_text(char c) noexcept;

// True if an Expect header asks for a 100: the word "100-continue" anywhere in it, as Node.js reads
// it. Any other expectation is a 417.
bool is_continue(std::string_view expectation) noexcept;

}  // namespace flowstore::http
