// UTF-8 (RFC 3629) read strictly into code points, and written back.
//
// Everything else in the project that counts characters counts these code points.
#pragma once

#include <string>
#include <string_view>

namespace qisa {

/// The code points of `text`. Throws where it is not valid UTF-8 (a sequence cut off or longer than
/// needed, a surrogate, a number beyond U+10FFFF), naming the offset of the sequence in bytes, from 0.
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
