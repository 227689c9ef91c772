#include "postgres/pipeline.h"

#include <charconv>

#include <libpq-fe.h>

namespace flowstore::postgres {
namespace {

// Type numbers of PostgreSQL itself, the same in every database.
constexpr std::uint32_t kBigint = 20;
constexpr std::uint32_t kText = 25;

template <class Number>
void append_big_endian(std::string& out, Number number) {
  for (int shift = static_cast<int>(sizeof(Number)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((number >> shift) & 0xff));
  }
}

std::string big_endian(std::int64_t number) {
  std::string bytes;
  append_big_endian(bytes, static_cast<std::uint64_t>(number));
  return bytes;
}

}  // namespace

Parameter::Parameter(std::int64_t number) : form_(Form::number) {
  big_endian(number).copy(number_.data(), number_.size());
}

Parameter::Parameter(std::optional<std::int64_t> number) : Parameter(number.value_or(0)) {
  if (!number) form_ = Form::null;
}

Parameter Parameter::texts(std::span<const std::string_view> items) {
  return array_of(kText, items);
}

Parameter Parameter::numbers(std::span<const std::int64_t> items) {
  std::vector<std::string> bytes;
  bytes.reserve(items.size());
  for (const std::int64_t item : items) bytes.push_back(big_endian(item));
  const std::vector<std::string_view> views(bytes.begin(), bytes.end());
  return array_of(kBigint, views);
}

// Dimensions, has NULLs, type; length and lower bound of the one dimension; then the items.
Parameter Parameter::array_of(std::uint32_t type, std::span<const std::string_view> items) {
  Parameter parameter;
  parameter.form_ = Form::array;
  std::string& out = parameter.array_;
  append_big_endian(out, std::uint32_t{1});
  append_big_endian(out, std::uint32_t{0});
  append_big_endian(out, type);
  append_big_endian(out, static_cast<std::uint32_t>(items.size()));
  append_big_endian(out, std::uint32_t{1});
  for (const std::string_view item : items) {
    append_big_endian(out, static_cast<std::uint32_t>(item.size()));
    out.append(item);
  }
  return parameter;
}

const char* Parameter::data() const noexcept {
  switch (form_) {
    case Form::null:
      return nullptr;
    case Form::number:
      return number_.data();
    case Form::array:
      return array_.data();
    case Form::text:
      break;
  }
  // Null would mean NULL.
  return text_.data() == nullptr ? "" : text_.data();
}

int Parameter::size() const noexcept {
  if (form_ == Form::number) return static_cast<int>(number_.size());
  return static_cast<int>(form_ == Form::array ? array_.size() : text_.size());
}

void Rows::Free::operator()(pg_result* result) const noexcept { PQclear(result); }

int Rows::count() const noexcept { return PQntuples(result_.get()); }
int Rows::columns() const noexcept { return PQnfields(result_.get()); }

bool Rows::is_null(int row, int column) const noexcept {
  return PQgetisnull(result_.get(), row, column) == 1;
}

std::string_view Rows::text(int row, int column) const noexcept {
  const int length = PQgetlength(result_.get(), row, column);
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(length)};
}

std::int64_t Rows::number(int row, int column) const noexcept {
  const std::string_view digits = text(row, column);
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace flowstore::postgres
