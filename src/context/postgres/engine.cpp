#include "context/postgres/engine.h"

namespace flowstore::context::postgres {

Engine::Engine(const Options& options, Tls tls, const Clock& clock, Log& log,
               metrics::Registry& registry)
    : tables_(log),
      pool_(calls_.loop(), options, Endpoint(options, std::move(tls)), tables_, clock, log,
            registry, [this] { pump(); }),
      reader_(pool_),
      log_(log),
      writer_(calls_.loop(), pool_, tables_, options.patience, log, registry) {
  auto look_after = [this](Instant now) {
    pool_.look_after(now);
    reader_.look_after(now);
    writer_.look_after(now);
  };
  calls_.start([this] { pool_.start(); }, look_after);
}

Engine::~Engine() { stop(); }

void Engine::pump() {
  reader_.pump();
  writer_.pump();
}

Task<Result<std::vector<Rows>>> Engine::read(const Pipeline& pipeline, Runner::Asker asker) {
  Answer answer = co_await reader_.run(pipeline, asker);
  if (!answer.trouble) co_return std::move(answer.results);
  if (asker.has_left()) co_return left();
  Error error = translate(*answer.trouble);
  if (error.kind() == ErrorKind::internal) {
    LogFields fields;
    fields.text("sqlstate", answer.trouble->sqlstate).text("reason", answer.trouble->message);
    log_.error("PostgreSQL refused a context read.", fields);
  }
  co_return error;
}

void Engine::stop() {
  calls_.stop([this] {
    pool_.stop();
    pump();
  });
}

}  // namespace flowstore::context::postgres
