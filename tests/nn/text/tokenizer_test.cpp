// UTF-8 and the character tokenizer.
#include "nn/text/tokenizer.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "nn/text/text_file.hpp"
#include "nn/text/utf8.hpp"
#include "tensor/error.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace tokenizer_test {

/// The message of the Error that decode_utf8 throws, or nothing when it accepts the text.
std::string refusal(const std::string& text) {
  try {
    decode_utf8(text);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST_CASE("UTF-8: the first and last code point of every length are read and written", "[utf8]") {
  const std::vector<std::pair<std::string, char32_t>> cases = {
      {std::string(1, '\0'), 0},
      {"\x7F", 0x7F},  //
      {"\xC2\x80", 0x80},
      {"\xDF\xBF", 0x7FF},  //
      {"\xE0\xA0\x80", 0x800},
      {"\xED\x9F\xBF", 0xD7FF},  // up to the surrogates
      {"\xEE\x80\x80", 0xE000},
      {"\xEF\xBF\xBF", 0xFFFF},  // and after them
      {"\xF0\x90\x80\x80", 0x10000},
      {"\xF4\x8F\xBF\xBF", 0x10FFFF},
  };
  for (const auto& [bytes, code_point] : cases) {
    CAPTURE(static_cast<std::uint32_t>(code_point));
    CHECK(decode_utf8(bytes) == std::u32string(1, code_point));
    CHECK(encode_utf8({&code_point, 1}) == bytes);
  }
  CHECK(decode_utf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z") == U"a\u00E9\u20AC\U0001F600z");
  CHECK(decode_utf8("").empty());
}

TEST_CASE("UTF-8: malformed sequences are refused with their byte offset and the reason", "[utf8]") {
  struct Case {
    std::string bytes, reason;
  };
  const std::string no_lead = "no character begins as", cut_off = "cut off", too_long = "more bytes than it needs",
                    no_character = "surrogate or a number beyond";
  const std::vector<Case> cases = {
      {"\x80", no_lead},                      // a continuation byte alone
      {"\xBF", no_lead},                      //
      {"\xF8\x88\x80\x80\x80", no_lead},      // five bytes
      {"\xFC\x84\x80\x80\x80\x80", no_lead},  // six bytes
      {"\xFE", no_lead},                      //
      {"\xFF", no_lead},                      //
      {"\xC3", cut_off},                      //
      {"\xE2\x82", cut_off},                  //
      {"\xF0\x9F\x98", cut_off},              //
      {"\xE2\xC3\xA9", cut_off},              // another character begins inside
      {"\xC0\x80", too_long},                 // U+0000 in two bytes
      {"\xC1\xBF", too_long},                 // U+007F in two
      {"\xE0\x9F\xBF", too_long},             // U+07FF in three
      {"\xF0\x8F\xBF\xBF", too_long},         // U+FFFF in four
      {"\xED\xA0\x80", no_character},         // U+D800
      {"\xED\xBF\xBF", no_character},         // U+DFFF
      {"\xF4\x90\x80\x80", no_character},     // U+110000
      {"\xF7\xBF\xBF\xBF", no_character},     // U+1FFFFF
  };
  for (const auto& [bytes, reason] : cases) {
    for (const char* after : {"", "z", "\xC3\xA9"}) {
      CAPTURE(reason, after);
      const std::string message = refusal("a\xC3\xA9" + bytes + after);  // begins at byte 3
      CHECK(message.find("not valid UTF-8") != std::string::npos);
      CHECK(message.find(reason) != std::string::npos);
      CHECK(message.find("at byte 3;") != std::string::npos);
    }
  }
}

TEST_CASE("UTF-8: exactly the byte sequences that a JSON parser accepts are read", "[utf8]") {
  const std::string later = "A\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC2\xED\xF4\xFF";  // the edges of all rules
  int accepted = 0, refused = 0;
  std::vector<std::string> disagreements;
  for (int lead = 0x80; lead < 0x100; ++lead)
    for (const char second : later)
      for (const char third : later)
        for (const char fourth : later) {
          const std::string bytes = {static_cast<char>(lead), second, third, fourth};
          const bool valid = nlohmann::json::accept('"' + bytes + '"');
          ++(valid ? accepted : refused);
          if (refusal(bytes).empty() != valid) disagreements.push_back(bytes);
        }
  CHECK(disagreements.empty());
  CHECK(accepted > 0);
  CHECK(refused > 0);
}

TEST_CASE("UTF-8: what is not a Unicode scalar value is not written", "[utf8]") {
  for (const char32_t code_point : {char32_t{0xD800}, char32_t{0xDFFF}, char32_t{0x110000}, char32_t{0xFFFFFFFF}})
    CHECK_THROWS_AS(encode_utf8({&code_point, 1}), Error);
}

TEST_CASE("a code point is described by itself and its number, control characters by an escape", "[utf8]") {
  CHECK(describe_code_point(U'a') == "'a' (U+0061)");
  CHECK(describe_code_point(U'\u00E9') == "'\xC3\xA9' (U+00E9)");
  CHECK(describe_code_point(U'\U0001F600') == "'\xF0\x9F\x98\x80' (U+1F600)");
  CHECK(describe_code_point(U'\n') == "'\\n' (U+000A)");
  CHECK(describe_code_point(U'\t') == "'\\t' (U+0009)");
  CHECK(describe_code_point(U'\r') == "'\\r' (U+000D)");
  CHECK(describe_code_point(0x1B) == "'\\x1B' (U+001B)");
  CHECK(describe_code_point(0x9F) == "'\\x9F' (U+009F)");
  CHECK(describe_code_point(0x1F) == "'\\x1F' (U+001F)");  // and at the edges of what is a control character
  CHECK(describe_code_point(U' ') == "' ' (U+0020)");
  CHECK(describe_code_point(U'~') == "'~' (U+007E)");
  CHECK(describe_code_point(0x7F) == "'\\x7F' (U+007F)");
  CHECK(describe_code_point(0xA0) == "'\xC2\xA0' (U+00A0)");
}

TEST_CASE("tokenizer: the vocabulary of a text is its characters, each once, sorted by code point", "[tokenizer]") {
  const Tokenizer tokenizer = encode_text("hello \xE2\x82\xAC w\xC3\xB6rld\n", "the text").tokenizer;
  CHECK(tokenizer.vocabulary() == U"\n dehlorw\u00F6\u20AC");
  CHECK(tokenizer.size() == 11);
  CHECK_THROWS_WITH(encode_text("", "the text").tokenizer, "the text is empty: a text needs at least one character");
}

TEST_CASE("tokenizer: a token is the place of its character in the vocabulary", "[tokenizer]") {
  const Tokenizer tokenizer(U"c\u20ACa\U0001F600");  // a given vocabulary keeps its order
  CHECK(tokenizer.encode("ac\xF0\x9F\x98\x80\xE2\x82\xAC") == std::vector<std::int32_t>{2, 0, 3, 1});
  CHECK(tokenizer.encode("").empty());
  CHECK(tokenizer.decode(std::vector<std::int32_t>{1, 2, 2, 3}) ==
        "\xE2\x82\xAC"
        "aa\xF0\x9F\x98\x80");
  CHECK(tokenizer.decode(0) == "c");
}

TEST_CASE("tokenizer: decoding what was encoded gives the text back", "[tokenizer]") {
  const std::string text =
      "First Citizen:\nBefore we proceed\t\xE2\x80\x94 \xCE\xB1\xCE\xB2\xCE\xB3, \xD0\xB6\xD0\xB8\xD1\x82\xD1\x8C, "
      "\xE6\xBC\xA2\xE5\xAD\x97, caf\xC3\xA9, cafe\xCC\x81, \xF0\x9F\x98\x80\r\n";
  const Tokenizer tokenizer = encode_text(text, "the text").tokenizer;
  const std::vector<std::int32_t> tokens = tokenizer.encode(text);
  CHECK(tokens.size() == 66);  // code points
  CHECK(tokenizer.decode(tokens) == text);
  const Tokenizer restored(tokenizer.vocabulary());
  CHECK(restored.encode(text) == tokens);
}

TEST_CASE("tokenizer: what the vocabulary lacks is refused by name and position", "[tokenizer]") {
  const Tokenizer tokenizer = encode_text("abc\xC3\xA9", "the text").tokenizer;
  CHECK_THROWS_WITH(tokenizer.encode("\xC3\xA9"
                                     "a\xE2\x82\xAC!"),
                    "the vocabulary of 4 characters lacks '\xE2\x82\xAC' (U+20AC), which is character 3 of the text");
  CHECK_THROWS_WITH(tokenizer.encode("\n"),
                    "the vocabulary of 4 characters lacks '\\n' (U+000A), which is character 1 of the text");
  CHECK_THROWS_AS(tokenizer.encode("ab\xFF"), Error);
  CHECK_THROWS_WITH(tokenizer.decode(4), "there is no token 4: the vocabulary has tokens 0 to 3");
  CHECK_THROWS_WITH(tokenizer.decode(-1), "there is no token -1: the vocabulary has tokens 0 to 3");
}

TEST_CASE("tokenizer: a vocabulary with a repeated or impossible character is refused", "[tokenizer]") {
  CHECK_THROWS_WITH(Tokenizer(U"xyzy"), "'y' (U+0079) is twice in the vocabulary, as token 1 and as token 3");
  CHECK_THROWS_AS(Tokenizer(std::u32string{U'a', 0xD800}), Error);
  CHECK_THROWS_AS(Tokenizer(std::u32string{U'a', 0xFFFFFFFF}), Error);
}

}  // namespace tokenizer_test
