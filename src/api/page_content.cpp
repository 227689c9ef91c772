#include "api/page_content.h"

#include <memory>
#include <string>
#include <utility>

#include "api/context_json.h"

namespace flowstore::api {
namespace {

// What a page may take in memory. A usual page of 20 scopes stays below it and is sent with a
// Content-Length.
constexpr std::size_t kLargestPiece = std::size_t{256} * 1024;

// Adds rows to `out` until that is as large as a piece may be. False when there are no more.
Task<Result<bool>> add_rows(std::string& out, context::ShownRows& rows, bool& is_first) {
  while (out.size() <= kLargestPiece) {
    FLOWSTORE_CO_TRY(const auto row, co_await rows.next());
    if (!row) {
      out.append(end_page());
      co_return false;
    }
    if (!is_first) out.push_back(',');
    is_first = false;
    append_row(out, *row);
  }
  co_return true;
}

// The rest of a page whose beginning has been put together.
class PageSource final : public ByteSource {
 public:
  PageSource(std::string beginning, std::unique_ptr<context::ShownRows> rows, bool is_first)
      : piece_(std::move(beginning)), rows_(std::move(rows)), is_first_(is_first) {}

  Task<Result<std::string_view>> next() override {
    if (!is_sent_) {
      is_sent_ = true;
      co_return std::string_view(piece_);
    }
    piece_.clear();
    if (has_more_) {
      FLOWSTORE_CO_TRY(has_more_, co_await add_rows(piece_, *rows_, is_first_));
    }
    co_return std::string_view(piece_);
  }

  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  std::string piece_;
  std::unique_ptr<context::ShownRows> rows_;
  bool is_first_;
  bool is_sent_ = false;
  bool has_more_ = true;
};

}  // namespace

Task<Result<Content>> page_content(context::ShownPage page) {
  std::string text = begin_page(page);
  bool is_first = true;
  FLOWSTORE_CO_TRY(const bool has_more, co_await add_rows(text, *page.rows, is_first));
  if (!has_more) co_return Content(std::move(text));
  co_return Content(std::make_unique<PageSource>(std::move(text), std::move(page.rows), is_first));
}

}  // namespace flowstore::api
