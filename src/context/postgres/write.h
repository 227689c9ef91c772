// Write: one change of a project, from the call to its answer.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/caller.h"
#include "base/result.h"
#include "context/characters.h"
#include "context/context_store.h"
#include "context/postgres/database.h"

namespace flowstore::context::postgres {

// In the frame of the call that waits for it. Everything referred to outlives the answer.
struct Write {
  enum class Kind : std::uint8_t { replace, update, clean };
  using IsKept = std::function<bool(std::string_view scope)>;

  Write(Kind what, const Caller& who, const RowKey& which, Instant until)
      : kind(what), caller(who), key(which), deadline(until) {}

  std::size_t bytes() const noexcept { return values ? values->size() : 0; }

  Kind kind;
  const Caller& caller;
  const RowKey& key;  // of clean: without a scope
  Instant deadline;
  NewValues values;              // replace
  std::uint64_t characters = 0;  // replace; of the values
  Mutation mutation;             // update
  IsKept is_kept;                // clean
  CharacterLimit limit;

  int attempts = 0;        // that failed for a reason which may be gone
  bool is_single = false;  // no other write shares its transaction
  std::optional<Status> answer;
  Wake done;
};

}  // namespace flowstore::context::postgres
