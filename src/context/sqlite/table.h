// Table: the rows of "Contexts" within one write transaction.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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

  // Called first in every transaction: notices what other processes have committed.
  Code begin();
  // The transaction was rolled back.
  void forget_sizes() { sizes_.clear(); }

  // What a change came to: an Error of the request, or a Code of the database.
  struct Outcome {
    Status status;
    Code code = 0;
  };

  Outcome replace(const RowKey& key, const NewValues& values, CharacterLimit limit);
  Outcome update(const RowKey& key, const Mutation& mutation, CharacterLimit limit);
  Outcome clean(const std::string& project,
                const std::function<bool(std::string_view scope)>& is_kept);

 private:
  // What the table knows of a row before it is written.
  struct Present {
    bool is_there = false;
    std::uint64_t characters = 0;
  };

  Outcome write(const RowKey& key, const Present& present, const NewValues& values,
                CharacterLimit limit);
  Code put(const RowKey& key, bool is_there, const std::string& values);
  Code total(const std::string& project, std::uint64_t& characters);

  const Connection& connection_;
  const Clock& clock_;
  Statement data_version_;
  Statement find_;
  Statement exists_;
  Statement length_;
  Statement sum_;
  Statement update_;
  Statement insert_;
  Statement remove_;
  Statement scopes_;
  Statement remove_id_;
  // Characters that a project holds. True as long as nobody else has committed, which
  // data_version tells: so it is exact without a column or a trigger of ours, and no write sums
  // rows but the first one with a limit. See docs/decisions/0007-context-usage.md.
  std::unordered_map<std::string, std::uint64_t> sizes_;
  std::int64_t seen_version_ = -1;
};

}  // namespace flowstore::context::sqlite
