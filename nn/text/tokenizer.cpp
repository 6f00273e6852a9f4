#include "nn/text/tokenizer.hpp"

#include <algorithm>

#include "nn/text/utf8.hpp"
#include "tensor/error.hpp"

namespace qisa {

Tokenizer::Tokenizer(std::u32string vocabulary) : vocabulary_(std::move(vocabulary)) {
  require(!vocabulary_.empty(), "a vocabulary needs at least one character");
  for (const char32_t c : vocabulary_)
    require(is_scalar_value(c), "U+{:04X} in a vocabulary is not a character", static_cast<std::uint32_t>(c));
  token_of_.assign(*std::max_element(vocabulary_.begin(), vocabulary_.end()) + 1, -1);
  std::int32_t token = 0;
  for (const char32_t c : vocabulary_) {
    require(token_of_[c] < 0, "{} is twice in the vocabulary, as token {} and as token {}", describe_code_point(c),
            token_of_[c], token);
    token_of_[c] = token++;
  }
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, const std::string& from) const {
  std::vector<std::int32_t> tokens;
  tokens.reserve(text.size());
  for (const char32_t c : decode_utf8(text)) {
    tokens.push_back(token(c));
    if (tokens.back() < 0) throw_unknown(c, std::ssize(tokens), from);
  }
  return tokens;
}

void Tokenizer::throw_unknown(char32_t c, Index number, const std::string& from) const {
  throw_error("the vocabulary of {} characters lacks {}, which is character {} of {}", size(), describe_code_point(c),
              number, from);
}

std::string Tokenizer::decode(std::span<const std::int32_t> tokens) const {
  std::u32string characters;
  characters.reserve(tokens.size());
  for (const std::int32_t token : tokens) {
    require(token >= 0 && token < size(), "there is no token {}: the vocabulary has tokens 0 to {}", token, size() - 1);
    characters.push_back(vocabulary_[token]);
  }
  return encode_utf8(characters);
}

}  // namespace qisa
