// UTF-8 (RFC 3629) read strictly into code points, and written back.
//
// Everything else in the project that counts characters counts these code points.
#pragma once

#include <string>
#include <string_view>

namespace qisa {

/// The code point that begins at byte `at` of `text`; moves `at` behind it. Throws where the text is not valid UTF-8
/// (a sequence cut off or longer than needed, a surrogate, a number beyond U+10FFFF), and names the sequence's byte
/// in the text, from 0, if this part of it begins at byte `offset`.
char32_t next_code_point(std::string_view text, std::size_t& at, std::size_t offset = 0);

/// The code points of `text`. Throws what next_code_point() throws.
std::u32string decode_utf8(std::string_view text);

/// The inverse of decode_utf8. Throws for a number that is no Unicode scalar value.
std::string encode_utf8(std::u32string_view code_points);

/// Whether UTF-8 can write this number: at most U+10FFFF and no surrogate (U+D800 … U+DFFF).
constexpr bool is_scalar_value(char32_t code_point) {
  return code_point < 0xD800 || (code_point > 0xDFFF && code_point <= 0x10FFFF);
}

/// A scalar value as messages show it: 'é' (U+00E9), control characters escaped: '\n' (U+000A).
std::string describe_code_point(char32_t code_point);

}  // namespace qisa
