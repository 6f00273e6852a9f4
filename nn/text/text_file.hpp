// The text of a file, as it is or as tokens. A byte-order mark at its start is no part of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nn/text/tokenizer.hpp"

namespace qisa {

/// A text as tokens.
struct EncodedText {
  Tokenizer tokenizer;
  std::vector<std::int32_t> tokens;
  std::uint64_t hash;  // FNV-1a of its bytes, to notice that a text is another one
};

/// The text of a file. Throws, naming it, when there is no such file, or it is a folder, cannot be read, is empty, or
/// is not valid UTF-8; UTF-16 is named as such.
std::string read_text(const std::filesystem::path& path);

/// Reads, checks and encodes the text of a file in one pass, with a block of it in memory at a time. The vocabulary is
/// that of `tokenizer` or, without one, the text's characters sorted by code point. `progress` is called after each
/// block with the bytes read, and all there are: 0 if that is not known. Throws what read_text() throws, and for a
/// character that the tokenizer lacks.
EncodedText read_tokens(const std::filesystem::path& path, const Tokenizer* tokenizer = nullptr,
                        const std::function<void(std::uint64_t done, std::uint64_t all)>& progress = {});

/// The same for a text in memory, which messages call `from`.
EncodedText encode_text(std::string_view text, const std::string& from, const Tokenizer* tokenizer = nullptr);

}  // namespace qisa
