// A sequence is a lead byte and up to three continuation bytes (10xxxxxx). The lead byte is 0xxxxxxx
// for a sequence of one, otherwise it begins with as many ones as the sequence has bytes.
#include "nn/text/utf8.hpp"

#include <bit>
#include <cstdint>

#include "tensor/error.hpp"

namespace qisa {

char32_t next_code_point(std::string_view text, std::size_t& at, std::size_t offset) {
  const auto lead = static_cast<std::uint8_t>(text[at]);
  if (lead < 0x80) return ++at, lead;
  const auto expect = [&](bool holds, const char* problem) {
    require(holds, "the text is not valid UTF-8: {} at byte {}; convert the text to UTF-8", problem, offset + at);
  };
  const int length = std::countl_one(lead);
  expect(length >= 2 && length <= 4, "no character begins as");
  char32_t code_point = lead & (0x7Fu >> length);
  for (std::size_t i = at + 1; i < at + length; ++i) {
    expect(i < text.size() && (text[i] & 0xC0) == 0x80, "a character is cut off");
    code_point = code_point << 6 | (text[i] & 0x3Fu);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};  // of each length
  expect(code_point >= smallest[length], "a character has more bytes than it needs");
  expect(is_scalar_value(code_point), "there is a surrogate or a number beyond U+10FFFF");
  at += length;
  return code_point;
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string code_points;
  code_points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) code_points.push_back(next_code_point(text, at));
  return code_points;
}

std::string encode_utf8(std::u32string_view code_points) {
  std::string text;
  text.reserve(code_points.size());
  for (const char32_t c : code_points) {
    require(is_scalar_value(c), "UTF-8 cannot write U+{:04X}: it is a surrogate or beyond U+10FFFF",
            static_cast<std::uint32_t>(c));
    constexpr char32_t leads[] = {0, 0xC0, 0xE0, 0xF0};
    const int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;  // bytes after the lead
    text.push_back(static_cast<char>(leads[more] | c >> 6 * more));
    for (int shift = 6 * more - 6; shift >= 0; shift -= 6)
      text.push_back(static_cast<char>(0x80 | (c >> shift & 0x3F)));
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
