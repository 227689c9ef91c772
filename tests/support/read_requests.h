// Reads requests off a string the way a session reads them off a socket, in pieces of any size.

#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/head_buffer.h"
#include "http/limits.h"
#include "http/request_parser.h"

namespace flowstore::http {

struct ReadRequest {
  // need_more: the input ended before the request did.
  RequestParser::Outcome outcome = RequestParser::Outcome::need_more;
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool keeps_alive = false;

  bool operator==(const ReadRequest&) const = default;
};

class RequestReader {
 public:
  using Outcome = RequestParser::Outcome;

  // `next_cut` says how many bytes the next receive brings, at least 1.
  RequestReader(std::string_view input, std::function<std::size_t()> next_cut,
                const Limits& limits = Limits())
      : input_(input), next_cut_(std::move(next_cut)), limits_(limits), parser_(limits_) {}

  // Every request up to the first one that is not complete; that one is the last in the list.
  std::vector<ReadRequest> read_all() {
    std::vector<ReadRequest> requests;
    while (head_.size() > 0 || !input_.empty()) {
      requests.push_back(read_one());
      if (requests.back().outcome != Outcome::message_complete) break;
    }
    return requests;
  }

 private:
  ReadRequest read_one() {
    parser_.reset();
    ReadRequest request;
    request.outcome = read_head();
    const bool is_good =
        request.outcome == Outcome::need_more || request.outcome == Outcome::message_complete;
    if (!is_good || !parser_.is_head_complete()) return request;

    std::vector<Header> headers;
    parser_.headers(head_.data(), headers);
    for (const auto& [name, value] : headers) request.headers.emplace_back(name, value);
    request.method = parser_.method();
    request.target = parser_.target(head_.data());
    request.keeps_alive = parser_.wants_keep_alive();
    request.body = parser_.body_piece();
    if (request.outcome == Outcome::message_complete) {
      head_.keep_surplus(parser_.consumed(), {});
    } else {
      read_body(request);
    }
    return request;
  }

  Outcome read_head() {
    auto outcome = Outcome::need_more;
    if (head_.unparsed() > 0) outcome = parse_head();
    while (outcome == Outcome::need_more && !parser_.is_head_complete() && !input_.empty()) {
      if (!head_.grow(limits_.head_bytes)) return Outcome::head_too_large;
      head_.add(receive(head_.space()));
      outcome = parse_head();
    }
    return outcome;
  }

  Outcome parse_head() {
    const auto outcome = parser_.parse(head_.data(), head_.parsed(), head_.size());
    head_.set_parsed(head_.size());
    return outcome;
  }

  void read_body(ReadRequest& request) {
    std::array<char, 300> buffer;
    while (request.outcome == Outcome::need_more && !input_.empty()) {
      const std::size_t size = receive(buffer);
      request.outcome = parser_.parse(buffer.data(), 0, size);
      request.body += parser_.body_piece();
      if (request.outcome != Outcome::message_complete) continue;
      const std::string_view received(buffer.data(), size);
      head_.keep_surplus(head_.size(), received.substr(parser_.consumed()));
    }
  }

  std::size_t receive(std::span<char> space) {
    const std::size_t size = std::min({space.size(), input_.size(), next_cut_()});
    std::copy_n(input_.begin(), size, space.begin());
    input_.remove_prefix(size);
    return size;
  }

  std::string_view input_;
  std::function<std::size_t()> next_cut_;
  Limits limits_;
  RequestParser parser_;
  HeadBuffer head_;
};

}  // namespace flowstore::http
