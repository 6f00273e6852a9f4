// Texts of files: read as they are, or as tokens, and refused by name.
#include "nn/text/text_file.hpp"

#include <fstream>

#include "nn/text/utf8.hpp"
#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

namespace text_file_test {

struct Texts : TemporaryFolder {
  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(path / name, std::ios::binary) << content;
    return path / name;
  }
};

using Tokens = std::vector<std::int32_t>;

TEST_CASE("A text file is read byte for byte") {
  const Texts folder;
  std::string text = "caf\xC3\xA9\r\n\n";
  CHECK(read_text(folder.file("short.txt", text)) == text);
  for (int i = 0; i < 200'000; ++i) text += "line " + std::to_string(i) + "\n";
  CHECK(read_text(folder.file("long.txt", text)) == text);
}

TEST_CASE("Tokens of a text are places among its characters, sorted by code point") {
  const Texts folder;
  const EncodedText text = read_tokens(folder.file("text",
                                                   "b\xC3\xA9\xF0\x9F\x99\x82"
                                                   "ab\n"));  // b é 🙂 a b
  CHECK(text.tokenizer.vocabulary() == U"\nab\u00e9\U0001f642");
  CHECK(text.tokens == Tokens{2, 3, 4, 1, 2, 0});
  const Tokenizer given(U"\U0001f642\u00e9ba\n");
  CHECK(read_tokens(folder.path / "text", &given).tokens == Tokens{2, 1, 0, 3, 2, 4});
  CHECK(encode_text("abba", "a song").tokens == Tokens{0, 1, 1, 0});
}

TEST_CASE("The hash of a text is FNV-1a of 64 bits") {
  // The values that its authors publish.
  CHECK(encode_text("a", "").hash == 0xaf63dc4c8601ec8c);
  CHECK(encode_text("foobar", "").hash == 0x85944171f73967e8);
}

TEST_CASE("Characters of every length are read wherever a block of the file cuts them") {
  const Texts folder;
  const std::string pattern =
      "\xF0\x9F\x99\x82"
      "a\xE6\xBC\xA2\xC3\xA9";  // 🙂 a 漢 é, 10 bytes
  for (std::size_t shift = 0; shift < 10; ++shift) {
    std::string content(shift, 'x');
    while (content.size() < (std::size_t{1} << 21) + 100) content += pattern;
    const EncodedText text = read_tokens(folder.file("text", content));
    CAPTURE(shift);
    CHECK((text.tokenizer.decode(text.tokens) == content));
  }
}

TEST_CASE("A byte-order mark at the start of a text is passed over, elsewhere it is a character") {
  const Texts folder;
  const std::string mark = "\xEF\xBB\xBF", path = folder.file("text", mark + "ab" + mark);
  CHECK(read_text(path) == "ab" + mark);
  CHECK(read_tokens(path).tokens == Tokens{0, 1, 2});
  CHECK(read_tokens(path).tokenizer.vocabulary() == U"ab\ufeff");
  check_error(error_of([&] { read_tokens(folder.file("mark", mark)); }), "mark is empty");
  check_error(error_of([&] { read_text(folder.path / "mark"); }), "mark is empty");
}

TEST_CASE("A file that is no text is refused in one line that names it") {
  const Texts folder;
  const auto refused = [](const std::string& path, const std::string& message) {
    CHECK(error_of([&] { read_text(path); }) == message);
    CHECK(error_of([&] { read_tokens(path); }) == message);
  };
  const std::string missing = folder.path / "missing.txt";
  refused(missing, "cannot read " + missing + ": No such file or directory");
  refused(folder.path, "cannot read " + folder.path.string() + ": it is a folder, not a text file");
  const std::string empty = folder.file("empty.txt", "");
  refused(empty, empty + " is empty: a text needs at least one character");
  const std::string latin = folder.file("latin1.txt", "caf\xE9 ol\xE9");
  refused(latin, latin + ": the text is not valid UTF-8: a character is cut off at byte 3; convert the text to UTF-8");
  const std::string far = folder.file("far.txt", std::string(3'000'000, 'a') + "\xE9");
  refused(far,
          far + ": the text is not valid UTF-8: a character is cut off at byte 3000000; convert the text to UTF-8");
  const std::string below_a_file = latin + "/x.txt";
  refused(below_a_file, "cannot read " + below_a_file + ": Not a directory");
}

TEST_CASE("UTF-16 is named as such, with a mark and without one") {
  using namespace std::string_literals;
  const Texts folder;
  for (const std::string& content : {"\xff\xfe"
                                     "a\0b\0"s,
                                     "\xfe\xff\0a\0b"s}) {
    const std::string path = folder.file("text", content);
    check_error(error_of([&] { read_text(path); }), path + " begins with the byte-order mark of UTF-16; convert it");
    check_error(error_of([&] { read_tokens(path); }), path + " begins with the byte-order mark of UTF-16");
  }
  for (const std::string& content : {"a\0b\0c\0"s, "\0a\0b\0c"s}) {
    const std::string path = folder.file("text", content);
    check_error(error_of([&] { read_tokens(path); }), path + " seems to be UTF-16; convert it to UTF-8");
  }
}

TEST_CASE("A character that the vocabulary lacks is named with the file and its place") {
  const Texts folder;
  const Tokenizer tokenizer(U"ab");
  const std::string path = folder.file("text", "abc");
  CHECK(error_of([&] { read_tokens(path, &tokenizer); }) ==
        path + ": the vocabulary of 2 characters lacks 'c' (U+0063), which is character 3 of the text");
  CHECK(error_of([&] { tokenizer.encode("abc", "--start"); }) ==
        "the vocabulary of 2 characters lacks 'c' (U+0063), which is character 3 of --start");
}

}  // namespace text_file_test
