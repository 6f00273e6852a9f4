// A sequence is a lead byte and up to three continuation bytes (10xxxxxx). The lead byte is 0xxxxxxx
// for a sequence of one, otherwise it begins with as many ones as the sequence has bytes.
#include "nn/text/utf8.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "tensor/error.hpp"

namespace qisa {

std::u32string decode_utf8(std::string_view text) {
  std::u32string code_points;
  code_points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto expect = [at](bool holds, const char* problem) {
      require(holds, "the text is not valid UTF-8: {} at byte {}; convert the text to UTF-8", problem, at);
    };
    const auto lead = static_cast<std::uint8_t>(text[at]);
    const int ones = std::countl_one(lead);
    expect(ones != 1 && ones <= 4, "no character begins as");
    const auto length = static_cast<std::size_t>(std::max(ones, 1));
    char32_t code_point = lead & (0x7Fu >> ones);
    for (std::size_t i = 1; i < length; ++i) {
      expect(at + i < text.size() && (text[at + i] & 0xC0) == 0x80, "a character is cut off");
      code_point = code_point << 6 | (text[at + i] & 0x3Fu);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};  // of each length
    expect(code_point >= smallest[length], "a character has more bytes than it needs");
    expect(is_scalar_value(code_point), "there is a surrogate or a number beyond U+10FFFF");
    code_points.push_back(code_point);
    at += length;
  }
  return code_points;
}

std::string encode_utf8(std::u32string_view code_points) {
  std::string text;
  text.reserve(code_points.size());
  for (const char32_t c : code_points) {
    require(is_scalar_value(c), "UTF-8 cannot write U+{:04X}: it is a surrogate or beyond U+10FFFF",
            static_cast<std::uint32_t>(c));
    const auto lead = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
    const auto continuation = [&](int shift) { text.push_back(static_cast<char>(0x80 | (c >> shift & 0x3F))); };
    if (c < 0x80) {
      lead(c);
    } else if (c < 0x800) {
      lead(0xC0 | c >> 6);
    } else if (c < 0x10000) {
      lead(0xE0 | c >> 12);
    } else {
      lead(0xF0 | c >> 18);
    }
    if (c >= 0x10000) continuation(12);
    if (c >= 0x800) continuation(6);
    if (c >= 0x80) continuation(0);
  }
  return text;
}

std::string describe_code_point(char32_t code_point) {
  const auto number = static_cast<std::uint32_t>(code_point);
  const bool control = number < 0x20 || (number >= 0x7F && number < 0xA0);
  const std::string shown = code_point == U'\n'   ? "\\n"
                            : code_point == U'\t' ? "\\t"
                            : code_point == U'\r' ? "\\r"
                            : control             ? fmt::format("\\x{:02X}", number)
                                                  : encode_utf8({&code_point, 1});
  return fmt::format("'{}' (U+{:04X})", shown, number);
}

}  // namespace qisa
