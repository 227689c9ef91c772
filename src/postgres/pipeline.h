// Pipeline: statements that go to the server in one piece, and what comes back.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/trouble.h"

struct pg_result;

namespace flowstore::postgres {

// One statement's text, and the name under which a connection prepares it. The name comes from the
// text: a pooler may show us what another version of us has prepared.
class Sql {
 public:
  constexpr explicit Sql(const char* text) : text_(text) {
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a
    for (const char* c = text; *c != '\0'; ++c) {
      hash = (hash ^ static_cast<unsigned char>(*c)) * 1099511628211U;
    }
    constexpr std::string_view kPrefix = "flowstore_";
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::size_t at = 0;
    for (const char c : kPrefix) name_.at(at++) = c;
    for (int shift = 60; shift >= 0; shift -= 4) name_.at(at++) = kDigits.at((hash >> shift) & 15U);
  }

  constexpr const char* text() const noexcept { return text_; }
  constexpr const char* name() const noexcept { return name_.data(); }

 private:
  const char* text_;
  std::array<char, 27> name_{};  // ends with a NUL
};

// A value for $1 and so on, in the binary form: nothing is quoted or scanned for its end. Texts are
// referred to and must outlive the Pipeline; numbers are bigint; arrays are copied.
class Parameter {
 public:
  Parameter(std::string_view text) : text_(text) {}
  Parameter(const std::string& text) : text_(text) {}
  Parameter(const char* text) : text_(text) {}
  Parameter(std::int64_t number);
  Parameter(std::optional<std::int64_t> number);

  static Parameter texts(std::span<const std::string_view> items);  // text[]
  static Parameter numbers(std::span<const std::int64_t> items);    // bigint[]

  // Null for NULL.
  const char* data() const noexcept;
  int size() const noexcept;

 private:
  enum class Form : std::uint8_t { null, text, number, array };

  Parameter() = default;
  static Parameter array_of(std::uint32_t type, std::span<const std::string_view> items);

  Form form_ = Form::text;
  std::string_view text_;
  std::array<char, 8> number_{};
  std::string array_;
};

// Statements in order. May be sent more than once.
class Pipeline {
 public:
  struct Statement {
    explicit Statement(const Sql& given) : sql(&given) {}
    const Sql* sql;
    std::vector<Parameter> parameters;
  };

  // `sql` outlives the pipeline.
  template <class... Parameters>
  void add(const Sql& sql, Parameters&&... parameters) {
    Statement& statement = statements_.emplace_back(sql);
    statement.parameters.reserve(sizeof...(parameters));
    (statement.parameters.emplace_back(std::forward<Parameters>(parameters)), ...);
  }

  const std::vector<Statement>& statements() const noexcept { return statements_; }
  std::size_t size() const noexcept { return statements_.size(); }

 private:
  std::vector<Statement> statements_;
};

// The rows that a statement gave. Columns are texts.
class Rows {
 public:
  explicit Rows(pg_result* result) : result_(result) {}

  int count() const noexcept;
  int columns() const noexcept;
  bool is_null(int row, int column) const noexcept;
  // Empty for NULL. Lives as long as the rows.
  std::string_view text(int row, int column) const noexcept;
  // 0 for NULL.
  std::int64_t number(int row, int column) const noexcept;
  bool flag(int row, int column) const noexcept { return text(row, column) == "t"; }

 private:
  struct Free {
    void operator()(pg_result* result) const noexcept;
  };
  std::unique_ptr<pg_result, Free> result_;
};

// What a pipeline came to.
struct Answer {
  Answer() = default;

  std::vector<Rows> results;  // of the statements before the one that failed; all, if none did
  std::optional<Trouble> trouble;
};

}  // namespace flowstore::postgres
