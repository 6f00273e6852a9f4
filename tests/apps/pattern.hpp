// Regular expressions of POSIX (extended): <regex> takes many seconds to compile.
#pragma once

#include <regex.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace qisa::test {

/// What a pattern matched, then what its groups did: "" where one took no part.
using Groups = std::vector<std::string>;

class Pattern {
 public:
  explicit Pattern(const std::string& pattern) {
    if (regcomp(&compiled_, pattern.c_str(), REG_EXTENDED) != 0) throw std::logic_error("no pattern: " + pattern);
  }
  ~Pattern() { regfree(&compiled_); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  /// All matches, from left to right; `text` with each replaced goes to `replaced`, if asked for.
  std::vector<Groups> matches(const std::string& text, const std::string& by = "",
                              std::string* replaced = nullptr) const {
    std::vector<Groups> all;
    std::vector<regmatch_t> found(compiled_.re_nsub + 1);
    std::size_t from = 0;
    std::string result;
    while (from <= text.size() &&
           regexec(&compiled_, text.c_str() + from, found.size(), found.data(), from > 0 ? REG_NOTBOL : 0) == 0) {
      const auto part = [&](const regmatch_t& range) {
        if (range.rm_so < 0) return std::string();
        return text.substr(from + static_cast<std::size_t>(range.rm_so),
                           static_cast<std::size_t>(range.rm_eo - range.rm_so));
      };
      Groups groups;
      for (const regmatch_t& range : found) groups.push_back(part(range));
      all.push_back(std::move(groups));
      result += text.substr(from, static_cast<std::size_t>(found[0].rm_so)) + by;
      if (found[0].rm_eo == 0) throw std::logic_error("a pattern matches nothing");
      from += static_cast<std::size_t>(found[0].rm_eo);
    }
    if (replaced != nullptr) *replaced = result + text.substr(from);
    return all;
  }

  bool is_in(const std::string& text) const { return !matches(text).empty(); }

  /// `text` with each match replaced.
  std::string replace(const std::string& text, const std::string& by) const {
    std::string result;
    matches(text, by, &result);
    return result;
  }

 private:
  regex_t compiled_;
};

}  // namespace qisa::test
