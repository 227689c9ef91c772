#include "context/postgres/transaction.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/crash_point.h"
#include "context/postgres/statements.h"

namespace flowstore::context::postgres {
namespace {

using std::chrono::milliseconds;

// Somebody who holds a row must not hold up writes of other projects: after this the transaction is
// given up, and each of its writes waits on its own.
constexpr milliseconds kPatienceTogether{250};

std::int64_t as_number(std::uint64_t number) { return static_cast<std::int64_t>(number); }

std::optional<std::int64_t> as_number(CharacterLimit limit) {
  if (!limit) return std::nullopt;
  return as_number(std::min<std::uint64_t>(*limit, INT64_MAX));
}

// Foreign code: it must not take the other writes, or the connection, down with it.
Result<NewValues> result_of(const Mutation& mutation, std::optional<std::string_view> present) {
  try {
    return mutation(present);
  } catch (const std::exception& error) {
    return Error(ErrorKind::internal, "", error.what());
  }
}

}  // namespace

Transaction::Transaction(Connection& connection, const Schema& schema, bool use_names,
                         std::vector<Write*> writes)
    : connection_(connection), schema_(schema), use_names_(use_names) {
  for (Write* write : writes) {
    Step& step = steps_.emplace_back(*write);
    if (write->kind == Write::Kind::replace) {
      step.action = write->values ? Action::put : Action::remove;
    }
    projects_.push_back(write->key.project);
    deadline_ = std::min(deadline_, write->deadline);
  }
  // The server gives up before we do, so that the connection survives.
  const auto left = deadline_ - std::chrono::steady_clock::now();
  const auto patience =
      std::max(std::chrono::duration_cast<milliseconds>(left * 9 / 10), milliseconds(1));
  statement_timeout_ = std::to_string(patience.count());
  const bool is_alone = steps_.size() == 1;
  lock_timeout_ =
      is_alone ? statement_timeout_ : std::to_string(std::min(patience, kPatienceTogether).count());
}

Connection::Terms Transaction::terms() const {
  const auto nobody_waits = [this] {
    return std::all_of(steps_.begin(), steps_.end(),
                       [](const Step& step) { return step.write->caller.has_left(); });
  };
  Connection::Terms terms(deadline_, nobody_waits);
  terms.use_names = use_names_;
  return terms;
}

Task<Transaction::Outcome> Transaction::run() {
  Pipeline pipeline = begin();
  const bool must_look = std::any_of(steps_.begin(), steps_.end(), [](const Step& step) {
    return step.write->kind != Write::Kind::replace;
  });
  if (must_look) {
    auto trouble = co_await look(std::move(pipeline));
    if (!trouble) trouble = co_await sum();
    if (trouble) co_return co_await fail(*std::move(trouble), false);
    pipeline = Pipeline();
  }
  crash_point(CrashPoint::postgres_begun);
  const std::size_t at = pipeline.size();
  add_writes(pipeline);
  pipeline.add(sql::kCommit);
  Answer answer = co_await connection_.run(pipeline, terms());
  crash_point(CrashPoint::postgres_committed);
  // A connection may be lost behind the COMMIT that it has answered.
  const bool is_committed = answer.results.size() == pipeline.size();
  if (!is_committed) co_return co_await fail(*std::move(answer.trouble), true);
  answer_all(answer, at);
  co_return Outcome();
}

Pipeline Transaction::begin() const {
  const char* compression = schema_.has_lz4 ? "lz4" : "";
  Pipeline pipeline;
  pipeline.add(sql::kBegin);
  if (projects_.size() == 1) {
    pipeline.add(sql::kGuard, statement_timeout_, lock_timeout_, compression, projects_.front());
  } else {
    pipeline.add(sql::kGuardMany, statement_timeout_, lock_timeout_, compression,
                 Parameter::texts(projects_));
  }
  return pipeline;
}

Task<std::optional<Trouble>> Transaction::look(Pipeline pipeline) {
  const std::size_t start = pipeline.size();
  for (const Step& step : steps_) {
    const Write& write = *step.write;
    if (write.kind == Write::Kind::clean) pipeline.add(sql::kScopes, write.key.project);
    if (write.kind != Write::Kind::update) continue;
    pipeline.add(sql::kLook, write.key.project, write.key.scope);
    if (write.limit && schema_.counts_usage) pipeline.add(sql::kUsage, write.key.project);
  }
  Answer answer = co_await connection_.run(pipeline, terms());
  if (answer.trouble) co_return std::move(answer.trouble);
  std::size_t at = start;
  for (Step& step : steps_) {
    if (step.write->kind == Write::Kind::clean) decide_clean(step, answer.results.at(at++));
    if (step.write->kind == Write::Kind::update) decide_update(step, answer, at);
  }
  co_return std::nullopt;
}

// `at` is where the write's results begin, and moves behind them.
void Transaction::decide_update(Step& step, const Answer& answer, std::size_t& at) {
  Write& write = *step.write;
  const Rows& row = answer.results.at(at++);
  const bool counts = write.limit && schema_.counts_usage;
  const Rows* usage = counts ? &answer.results.at(at++) : nullptr;

  std::optional<std::string_view> present;
  if (row.count() > 0) present = row.text(0, 0);
  auto values = result_of(write.mutation, present);
  if (!values) {
    write.answer = std::move(values).error();
    return;
  }
  if (!*values) {
    step.action = present ? Action::remove : Action::nothing;
    return;
  }
  step.values = *std::move(values);
  step.action = present ? Action::update : Action::insert;
  if (!write.limit) return;
  step.before = present ? characters(*present) : 0;
  step.must_sum = usage == nullptr;
  if (usage == nullptr) return;
  check_limit(step, usage->count() == 0 ? 0 : static_cast<std::uint64_t>(usage->number(0, 0)));
}

void Transaction::check_limit(Step& step, std::uint64_t total) const {
  step.must_sum = false;
  if (fits(total, step.before, characters(*step.values), step.write->limit)) return;
  step.write->answer = Error::over_quota(*step.write->limit);
  step.action = Action::nothing;
}

void Transaction::decide_clean(Step& step, const Rows& rows) const {
  for (int row = 0; row < rows.count(); ++row) {
    if (!step.write->is_kept(rows.text(row, 1))) step.ids.push_back(rows.number(row, 0));
  }
  if (!step.ids.empty()) step.action = Action::remove_many;
}

// Where nobody keeps the sums, the rows of a project that grows are summed.
Task<std::optional<Trouble>> Transaction::sum() {
  for (Step& step : steps_) {
    if (step.must_sum && characters(*step.values) <= step.before) step.must_sum = false;
  }
  Pipeline pipeline;
  for (const Step& step : steps_) {
    if (step.must_sum) pipeline.add(sql::kSum, step.write->key.project);
  }
  if (pipeline.size() == 0) co_return std::nullopt;
  Answer answer = co_await connection_.run(pipeline, terms());
  if (answer.trouble) co_return std::move(answer.trouble);
  std::size_t at = 0;
  for (Step& step : steps_) {
    if (!step.must_sum) continue;
    check_limit(step, static_cast<std::uint64_t>(answer.results.at(at++).number(0, 0)));
  }
  co_return std::nullopt;
}

void Transaction::add_writes(Pipeline& pipeline) const {
  for (const Step& step : steps_) {
    const RowKey& key = step.write->key;
    switch (step.action) {
      case Action::put:
        pipeline.add(schema_.counts_usage ? sql::kPut : sql::kPutSumming, key.project, key.scope,
                     *step.write->values, as_number(step.write->characters),
                     as_number(step.write->limit));
        break;
      case Action::update:
        pipeline.add(sql::kUpdate, key.project, key.scope, *step.values);
        break;
      case Action::insert:
        pipeline.add(sql::kInsert, key.project, key.scope, *step.values);
        break;
      case Action::remove:
        pipeline.add(sql::kRemove, key.project, key.scope);
        break;
      case Action::remove_many:
        pipeline.add(sql::kRemoveMany, key.project, Parameter::numbers(step.ids));
        break;
      case Action::nothing:
        break;
    }
  }
}

// `at` is where the results of the writes begin.
void Transaction::answer_all(const Answer& answer, std::size_t at) const {
  for (const Step& step : steps_) {
    Write& write = *step.write;
    if (write.answer) continue;
    if (step.action == Action::nothing) {
      write.answer = Status();
      continue;
    }
    const Rows& rows = answer.results.at(at++);
    if (step.action != Action::put) {
      write.answer = Status();
      continue;
    }
    const bool does_fit = rows.flag(0, 0);
    const bool is_written = rows.flag(0, 1);
    if (!does_fit) write.answer = Error::over_quota(*write.limit);
    if (is_written) write.answer = Status();
  }
}

Task<Transaction::Outcome> Transaction::fail(Trouble trouble, bool was_committing) {
  if (!trouble.is_lost) {
    Pipeline undo;
    undo.add(sql::kRollback);
    Connection::Terms soon(deadline_, nullptr);
    soon.use_names = use_names_;
    co_await connection_.run(undo, std::move(soon));
  }
  Outcome outcome;
  outcome.was_committing = was_committing;
  outcome.trouble = std::move(trouble);
  co_return outcome;
}

}  // namespace flowstore::context::postgres
