// JSON that is read strictly.
#include "tensor/files/json.hpp"

#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

TEST_CASE("Strict JSON gives the value of a text") {
  CHECK(parse_json(R"({"a": [1, {"a": 2}], "b": {"a": null}})", 3)["a"][1]["a"] == 2);
  CHECK(parse_json("7", 0) == 7);
}

TEST_CASE("A key that occurs twice in one object is refused, in two it is not") {
  check_error(error_of([] { parse_json(R"({"a": 1, "b": [], "a": 2})", 2); }), R"(the key "a" occurs twice)");
  check_error(error_of([] { parse_json(R"([{"x": {"\u0061": 1, "a": 2}}])", 3); }), R"(the key "a" occurs twice)");
  CHECK(parse_json(R"([{"a": 1}, {"a": 2}])", 2).size() == 2);
}

TEST_CASE("Lists and objects nest as deep as allowed, and no deeper") {
  CHECK(parse_json(R"([{"a": []}])", 3).size() == 1);
  check_error(error_of([] { parse_json(R"([{"a": []}])", 2); }), "more than 2 deep");
  check_error(error_of([] { parse_json("[]", 0); }), "more than 0 deep");
}

TEST_CASE("A text that is no JSON in UTF-8 is refused") {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s, "{"s, "[1,]"s, "1 2"s, "{'a': 1}"s, "\"\xff\""s, "// 1\n1"s, "1\0"s, "\xef\xbb\xbf"s}) {
    INFO(text);
    check_error(error_of([&] { parse_json(text, 1); }), "not JSON in UTF-8 at byte ");
  }
  check_error(error_of([] { parse_json("1e999", 1); }), "beyond what a double can be");
}
