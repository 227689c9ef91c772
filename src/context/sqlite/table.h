// Table: the rows of "Contexts" within one write transaction.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "context/context_store.h"
#include "context/sqlite/connection.h"

namespace flowstore::context::sqlite {

// The writer's side of the table. A call that fails with a Code of SQLite makes the whole
// transaction void: whoever runs it rolls back. An Error leaves the rows as they were. Used on the
// writer's thread.
class Table {
 public:
  // The connection outlives the table.
  Table(const Connection& connection, const Clock& clock)
      : connection_(connection), clock_(clock) {}

  Code prepare();
  // Before the connection is closed.
  void close() { statements_ = Statements(); }

  // Called first in every transaction: notices what other processes have committed.
  Code begin();
  // The transaction was rolled back.
  void forget_sizes() { sizes_.clear(); }
  // Bytes of the values that the transaction has written.
  std::size_t written_bytes() const noexcept { return written_bytes_; }

  // What a change came to: an Error of the request, or a Code of the database.
  struct Outcome {
    Status status;
    Code code = 0;
  };

  Outcome replace(const RowKey& key, const NewValues& values, CharacterLimit limit);
  // What the mutation throws is thrown, and leaves the rows as they were.
  Outcome update(const RowKey& key, const Mutation& mutation, CharacterLimit limit);
  Outcome clean(const std::string& project,
                const std::function<bool(std::string_view scope)>& is_kept);

 private:
  struct Statements {
    Statement data_version;
    Statement find;
    Statement exists;
    Statement all;
    Statement update;
    Statement insert;
    Statement remove;
    Statement scopes;
    Statement remove_id;
  };
  // What the table knows of a row before it is written.
  struct Present {
    bool is_there = false;
    std::uint64_t characters = 0;
  };

  Outcome write(const RowKey& key, const Present& present, const NewValues& values,
                CharacterLimit limit);
  Code put(const RowKey& key, bool is_there, const std::string& values);
  Code total(const std::string& project, std::uint64_t& sum);
  void grow(const std::string& project, std::uint64_t before, std::uint64_t after);

  const Connection& connection_;
  const Clock& clock_;
  Statements statements_;
  std::size_t written_bytes_ = 0;
  // Characters that a project holds. True as long as nobody else has committed, which
  // data_version tells: so it is exact without a column or a trigger of ours, and no write sums
  // rows but the first one with a limit. See docs/decisions/0007-context-usage.md.
  std::unordered_map<std::string, std::uint64_t> sizes_;
  std::int64_t seen_version_ = -1;
};

}  // namespace flowstore::context::sqlite
