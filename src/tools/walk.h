// Walks over everything that a project keeps.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/caller.h"
#include "base/result.h"
#include "base/task.h"
#include "context/context_store.h"
#include "files/file_store.h"
#include "tools/session.h"

namespace flowstore::tools {

// Every page of localfs costs a walk over the project, so there are few; an entry takes about a
// hundred bytes.
inline constexpr std::size_t kFilesAtOnce = 50'000;
inline constexpr std::int64_t kRowsAtOnce = 500;

// Awaits on_page(listing) for all files of a project, in the byte order of their names. `Files` is
// a FileStore or a FileSide. Ends with the first error, or with aborted when somebody asks to stop.
template <class Files, class OnPage>
Task<Status> for_each_page(Files& all, files::ProjectKey project, Session session,
                           OnPage& on_page) {
  FLOWSTORE_CO_TRY(const auto folder, files::FileKey::parse(std::move(project), ""));
  files::ListOptions options;
  options.is_recursive = true;
  options.limit = kFilesAtOnce;
  while (true) {
    FLOWSTORE_CO_TRY_STATUS(session.go_on());
    FLOWSTORE_CO_TRY(const auto page, co_await all.list(folder, options));
    FLOWSTORE_CO_TRY_STATUS(co_await on_page(page));
    if (!page.next_cursor) co_return Status();
    options.cursor = *page.next_cursor;
  }
}

// The same for all scopes of a project, in the order of their ids: on_row(row).
template <class OnRow>
Task<Status> for_each_row(context::ContextStore& store, std::string project, Session session,
                          OnRow& on_row) {
  const Caller caller;
  std::int64_t after = std::numeric_limits<std::int64_t>::min();
  while (true) {
    FLOWSTORE_CO_TRY(const auto page, co_await store.list(caller, project, after, kRowsAtOnce));
    while (true) {
      FLOWSTORE_CO_TRY_STATUS(session.go_on());
      FLOWSTORE_CO_TRY(const auto row, co_await page.rows->next());
      if (!row) break;
      FLOWSTORE_CO_TRY_STATUS(co_await on_row(*row));
    }
    if (!page.next_cursor) co_return Status();
    after = *page.next_cursor;
  }
}

}  // namespace flowstore::tools
