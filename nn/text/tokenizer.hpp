// The tokenizer: every character (Unicode code point) is a token, its place in the vocabulary.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/real.hpp"

namespace qisa {

class Tokenizer {
 public:
  /// Character i of `vocabulary` is token i. Throws when it is empty, or a character appears twice
  /// or is no Unicode scalar value.
  explicit Tokenizer(std::u32string vocabulary);

  /// Number of characters in the vocabulary.
  Index size() const { return std::ssize(vocabulary_); }
  const std::u32string& vocabulary() const { return vocabulary_; }

  /// The token of a character; -1 if the vocabulary lacks it.
  std::int32_t token(char32_t c) const { return c < token_of_.size() ? token_of_[c] : -1; }

  /// One token for each character of `text` (UTF-8). Throws for the first character that the vocabulary lacks, and
  /// when `text` is not valid UTF-8; `from` says in the message where the text is from: an option or a file.
  std::vector<std::int32_t> encode(std::string_view text, const std::string& from = "the text") const;

  /// Throws what encode() throws for a character that the vocabulary lacks, the text's `number`-th.
  [[noreturn]] void throw_unknown(char32_t c, Index number, const std::string& from) const;

  /// The text of the tokens, in UTF-8. Throws for a token outside 0 … size()-1.
  std::string decode(std::span<const std::int32_t> tokens) const;
  std::string decode(std::int32_t token) const { return decode({&token, 1}); }

 private:
  std::u32string vocabulary_;
  std::vector<std::int32_t> token_of_;  // by code point, up to the largest in the vocabulary; -1 for none
};

}  // namespace qisa
