// Connection and Statement: the SQLite C API with owners and without exceptions.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace flowstore::context::sqlite {

// A result code of SQLite, extended; see sqlite.org/rescode.html. Zero is success.
using Code = int;

// Whether another connection or process was in the way.
bool is_busy(Code code) noexcept;

// A prepared statement. Between two uses it must be reset, so that it holds no lock and no memory.
class Statement {
 public:
  Statement() = default;

  // Texts are not copied: they live until reset().
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, std::int64_t number);

  // True for a row. False at the end, or when something went wrong: then code() says what.
  bool step();
  Code code() const noexcept { return code_; }

  std::int64_t number(int column) const noexcept;
  // Bytes of the present row, valid until the next step or reset.
  std::string_view text(int column) const noexcept;

  void reset() noexcept;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  Code code_ = 0;
};

// Resets a statement when a function is left, however it is left.
class Use {
 public:
  explicit Use(Statement& statement) : statement_(statement) {}
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { statement_.reset(); }

 private:
  Statement& statement_;
};

// What to do about a file that is not there.
enum class Missing : std::uint8_t { make, fail };

// An open database file. Used by one thread at a time.
class Connection {
 public:
  Connection() = default;

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Opens the file. Afterwards calls wait for other processes for `patience` before they fail as
  // busy.
  Code open(const std::string& file, Missing missing, std::chrono::milliseconds patience);
  void set_patience(std::chrono::milliseconds patience) const;
  // Runs SQL without parameters and results.
  Code run(const char* sql) const;
  // The text in the first column of the first row; empty if there is none.
  std::string ask(const char* sql, Code& code) const;
  Code prepare(Statement& statement, const char* sql) const;

  // Whether a transaction is open. SQLite ends one by itself after some errors.
  bool is_in_transaction() const noexcept;
  // What SQLite says about the last failure; for logs.
  std::string message() const;
  // The code of the last failure, with what the operating system knows: a write that failed because
  // a quota of the disk or the longest file is reached is as good as a full disk.
  Code with_cause(Code code) const;

  // From now on pages of the journal are moved into the file only when somebody asks for it, not by
  // the way in a commit.
  void keep_journal();
  // Pages in the journal after the last commit of this connection; only with the journal "wal".
  int journal_pages() const noexcept { return journal_pages_; }
  // Moves pages of the journal into the file, except what readers still need. The writer goes on
  // meanwhile. Somebody else who does the same is no failure.
  Code move_journal() const;

  void close() noexcept { database_.reset(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> database_;
  int journal_pages_ = 0;
};

}  // namespace flowstore::context::sqlite
