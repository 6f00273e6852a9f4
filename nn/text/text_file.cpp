#include "nn/text/text_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "nn/text/utf8.hpp"
#include "tensor/error.hpp"

namespace qisa {
namespace {

constexpr std::string_view utf8_mark = "\xef\xbb\xbf";  // U+FEFF, the byte-order mark

/// Throws when a text begins as UTF-16 does: with its byte-order mark, or with one zero byte in each pair.
void refuse_utf16(std::string_view start, const std::string& name) {
  const bool marked = start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff");
  const auto has_zero = [&](std::size_t at) { return (start[at] == 0) != (start[at + 1] == 0); };
  require(!marked && !(start.size() >= 4 && has_zero(0) && has_zero(2)),
          "{} {} UTF-16; convert it to UTF-8: iconv -f UTF-16 -t UTF-8", name,
          marked ? "begins with the byte-order mark of" : "seems to be");
}

/// Encodes a text that comes in parts.
class TextEncoder {
 public:
  /// For a text of `size` bytes, if that is known.
  TextEncoder(std::string from, const Tokenizer* tokenizer, std::uint64_t size)
      : from_(std::move(from)), tokenizer_(tokenizer) {
    tokens_.reserve(size);
    if (!tokenizer) token_of_.assign(0x110000, -1);
  }

  void add(std::string_view part) {
    for (const char byte : part) hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    waiting_ += part;
    // A character has at most four bytes: one that begins in the last three may go on in the next part.
    encode_until(waiting_.size() - std::min<std::size_t>(3, waiting_.size()));
  }

  /// Numbers the characters in their order, where they are numbered as they came.
  EncodedText finish() {
    encode_until(waiting_.size());
    require(!tokens_.empty(), "{} is empty: a text needs at least one character", from_);
    if (tokenizer_) return {*tokenizer_, std::move(tokens_), hash_};
    std::ranges::sort(characters_);
    std::vector<std::int32_t> place(characters_.size());  // by the number that a character has had
    std::int32_t token = 0;
    for (const char32_t c : characters_) place[token_of_[c]] = token++;
    for (std::int32_t& number : tokens_) number = place[number];
    return {Tokenizer(characters_), std::move(tokens_), hash_};
  }

 private:
  void encode_until(std::size_t end) try {
    std::size_t at = 0;
    if (offset_ == 0 && end > 0 && waiting_.starts_with(utf8_mark)) at = utf8_mark.size();
    while (at < end) {
      const char32_t c = next_code_point(waiting_, at, offset_);
      const std::int32_t known = tokenizer_ ? tokenizer_->token(c) : token_of_[c];
      tokens_.push_back(known < 0 ? add_character(c) : known);
    }
    offset_ += at;
    waiting_.erase(0, at);
  } catch (const Error& error) {
    throw_error("{}: {}", from_, error.what());
  }

  std::int32_t add_character(char32_t c) {
    if (tokenizer_) tokenizer_->throw_unknown(c, std::ssize(tokens_) + 1, "the text");
    characters_ += c;
    return token_of_[c] = static_cast<std::int32_t>(characters_.size()) - 1;
  }

  std::string from_;
  const Tokenizer* tokenizer_;
  std::vector<std::int32_t> tokens_, token_of_;  // token_of_: by code point, without a tokenizer
  std::u32string characters_;                    // in the order in which they came, until the end
  std::string waiting_;                          // bytes that are not encoded yet, and
  std::size_t offset_ = 0;                       // how many came before them
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace

std::string read_text(const std::filesystem::path& path) {
  const EncodedText text = read_tokens(path);
  return text.tokenizer.decode(text.tokens);
}

EncodedText read_tokens(const std::filesystem::path& path, const Tokenizer* tokenizer,
                        const std::function<void(std::uint64_t done, std::uint64_t all)>& progress) {
  const std::string name = path.string();
  std::error_code ignored;  // what cannot be looked at cannot be opened either, which is told next
  require(!std::filesystem::is_directory(path, ignored), "cannot read {}: it is a folder, not a text file", name);
  std::ifstream file(path, std::ios::binary);
  require(file.is_open(), "cannot read {}: {}", name, std::generic_category().message(errno));
  const std::uint64_t size = std::filesystem::is_regular_file(path, ignored) ? std::filesystem::file_size(path) : 0;
  TextEncoder encoder(name, tokenizer, size);
  std::string block(std::size_t{1} << 20, '\0');
  for (std::uint64_t done = 0; file.read(block.data(), std::ssize(block)) || file.gcount() > 0;) {
    const std::string_view text(block.data(), file.gcount());
    if (done == 0) refuse_utf16(text, name);
    encoder.add(text);
    done += text.size();
    if (progress) progress(done, size);
  }
  require(!file.bad(), "cannot read {}: reading stopped with an error", name);
  return encoder.finish();
}

EncodedText encode_text(std::string_view text, const std::string& from, const Tokenizer* tokenizer) {
  TextEncoder encoder(from, tokenizer, text.size());
  encoder.add(text);
  return encoder.finish();
}

}  // namespace qisa
