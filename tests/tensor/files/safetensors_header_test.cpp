// The verdicts of safetensors 0.8, the format's own reader, on a table of small files: what it takes is taken, what it
// refuses is refused, with a message that says why. tests/peers/safetensors_verdicts.py asks that reader itself.
#include "tensor/files/safetensors_header.hpp"

#include <cstdlib>
#include <fstream>

#include "tests/tensor/safetensors_bytes.hpp"

using namespace qisa;
using namespace qisa::test;
using namespace std::string_literals;

namespace safetensors_header_test {

struct Case {
  std::string file;     // its bytes
  std::string message;  // a piece of the error; empty: the file is taken
};

const std::string f32 = R"("dtype":"F32",)", one = R"("shape":[1],)", offsets = R"("data_offsets":[0,4])";
const std::string t = R"("t":{)" + f32 + one + offsets + "}", four = "1234";

std::string tensor(const std::string& fields) { return R"({"t":{)" + fields + "}}"; }

/// A tensor with a shape and offsets, as F32.
std::string shaped(const std::string& shape, const std::string& places) {
  return tensor(f32 + R"("shape":)" + shape + R"(,"data_offsets":)" + places);
}

/// The file of one tensor of this dtype and shape with so many bytes.
std::string typed(const std::string& dtype, const std::string& shape, std::size_t bytes) {
  return file_of(tensor(fmt::format(R"("dtype":"{}","shape":{},"data_offsets":[0,{}])", dtype, shape, bytes)),
                 std::string(bytes, 'x'));
}

/// A tensor with an unknown key that holds lists, so many within each other.
std::string nested(int lists) {
  return tensor(f32 + one + offsets + R"(,"x":)" + std::string(static_cast<std::size_t>(lists), '[') +
                std::string(static_cast<std::size_t>(lists), ']'));
}

std::vector<Case> table() {
  std::vector<Case> cases{
      // The length of the header.
      {"", "0 bytes are too short"},
      {"1234567", "7 bytes are too short"},
      {"\0\0\0\0\0\0\0\0"s, "not JSON in UTF-8"},
      {"\2\0\0\0\0\0\0\0{}"s, ""},
      {"\3\0\0\0\0\0\0\0{}"s, "should have 3 bytes, but the file ends after 2"},
      {"\0\xe1\xf5\5\0\0\0\0{}"s, "should have 100000000 bytes, but the file ends after 2"},
      {"\1\xe1\xf5\5\0\0\0\0{}"s, "it is no safetensors file"},
      {std::string(8, '\xff') + "{}", "it is no safetensors file"},
      {"This is a text, and no tensors.", "it is no safetensors file"},
      // The text.
      {file_of("    "), "not JSON in UTF-8"},
      {file_of("[]"), "it must be a JSON object"},
      {file_of("null"), "it must be a JSON object"},
      {file_of("7"), "it must be a JSON object"},
      {file_of("\xef\xbb\xbf{}"), "not JSON in UTF-8 at byte 1"},
      {file_of("{}x"), "not JSON in UTF-8 at byte 3"},
      {file_of("{}{}"), "not JSON in UTF-8 at byte 3"},
      {file_of("{}\0"s), "not JSON in UTF-8 at byte 3"},
      {file_of("{\"t\":}"), "not JSON in UTF-8 at byte 6"},
      {file_of("{'t':{}}"), "not JSON in UTF-8 at byte 2"},
      {file_of("{" + t + ",}", four), "not JSON"},
      {file_of("{/**/}"), "not JSON"},
      {file_of("{\"\xff\":{}}"), "not JSON in UTF-8 at byte 3"},
      {file_of("{\"\xc0\xaf\":{}}"), "not JSON in UTF-8"},
      {file_of("{\"\xed\xa0\x80\":{}}"), "not JSON in UTF-8"},
      {file_of(R"({"\ud800":{}})"), "not JSON in UTF-8"},
      {file_of("{\"a\nb\":{}}"), "not JSON"},
      {file_of("{}"), ""},
      {file_of("{" + t + "}", four), ""},
      {file_of(" \t\r\n{" + t + "}", four), ""},
      {file_of("{" + t + "}\n", four), ""},
      {file_of("{\n" + t + "\t}   ", four), ""},
      {file_of(R"({"\u00e9\ud83d\ude00 Ã©":)" + t.substr(4) + "}", four), ""},
      {file_of(R"({"":)" + t.substr(4) + "}", four), ""},
      // The structure.
      {file_of(R"({"t":[]})"), R"(tensor "t" must be an object, not "[]")"},
      {file_of(R"({"t":1})"), R"(tensor "t" must be an object, not "1")"},
      {file_of(R"({"t":"x"})"), R"(tensor "t" must be an object)"},
      {file_of(R"({"t":null})"), R"(tensor "t" must be an object, not "null")"},
      {file_of(R"({"t":{}})"), R"(tensor "t" has no dtype)"},
      {file_of(tensor(one + offsets), four), R"(tensor "t" has no dtype)"},
      {file_of(tensor(f32 + offsets), four), R"(tensor "t" has no shape)"},
      {file_of(tensor(f32 + R"("shape":[1])"), four), R"(tensor "t" has no data_offsets)"},
      {file_of(tensor(f32 + one + offsets + R"(,"strides":[1],"strides":{"a":null})"), four), ""},
      {file_of(tensor(f32 + one + offsets + R"(,"x":1e999)"), four), "beyond what a double can be"},
      {file_of(R"({"t":["F32",[1],[0,4]]})", four), ""},
      {file_of(R"({"t":["F32",[1],[0,4],0]})", four), R"(tensor "t" must be an object)"},
      {file_of(nested(125), four), ""},
      {file_of(nested(126), four), "more than 127 deep"},
      {file_of("{\"t\":" + std::string(100'000, '[')), "more than 127 deep"},
      // Metadata.
      {file_of(R"({"__metadata__":{},)" + t + "}", four), ""},
      {file_of(R"({"__metadata__":null,)" + t + "}", four), ""},
      {file_of(R"({"__metadata__":{"k":"1","\u006b":"2"}})"), ""},
      {file_of(R"({"__metadata__":{"dtype":"1","dtype":"2"}})"), ""},
      {file_of(R"({"__metadata__":{},"__metadata__":{}})"), "__metadata__ occurs twice"},
      {file_of(R"({"__metadata__":[]})"), "__metadata__ must be an object"},
      {file_of(R"({"__metadata__":"x"})"), "__metadata__ must be an object"},
      {file_of(R"({"__metadata__":{"k":1}})"), R"(metadata "k" must be a string, not "1")"},
      {file_of(R"({"__metadata__":{"k":null}})"), R"(metadata "k" must be a string)"},
      {file_of(R"({"__metadata__":{"k":{}}})"), R"(metadata "k" must be a string)"},
      {file_of(R"({"__metadata__":{"k":["v"]}})"), R"(metadata "k" must be a string)"},
      // Keys that occur twice.
      {file_of("{" + t + "," + t + "}", four), ""},
      {file_of(R"({"t":{"dtype":"U8","shape":[9],"data_offsets":[7,9]},)" + t + "}", four), ""},
      {file_of("{" + t + R"(,"t":{"dtype":"U8","shape":[9],"data_offsets":[7,9]}})", four), "begins at byte 7"},
      {file_of(R"({"t":1,)" + t + "}", four), R"(tensor "t" must be an object)"},
      {file_of(tensor(f32 + f32 + one + offsets), four), R"(tensor "t" has two dtype)"},
      {file_of(tensor(f32 + one + one + offsets), four), R"(tensor "t" has two shape)"},
      {file_of(tensor(f32 + one + offsets + "," + offsets), four), R"(tensor "t" has two data_offsets)"},
      // The dtype.
      {file_of(tensor(R"("dtype":{"F32":null},)" + one + offsets), four), ""},
      {file_of(tensor(R"("dtype":["F32"],)" + one + offsets), four), "unknown dtype"},
      {file_of(tensor(R"("dtype":{"F32":1},)" + one + offsets), four), "unknown dtype"},
      {file_of(tensor(R"("dtype":11,)" + one + offsets), four), "unknown dtype"},
      {typed("F31", "[1]", 4), R"(tensor "t" has the unknown dtype)"},
      {typed("f32", "[1]", 4), "unknown dtype"},
      {typed("C128", "[1]", 16), "unknown dtype"},
      {typed("F4", "[3]", 1), "F4 of shape [3] does not fit the 1 bytes"},
      {typed("F4", "[3]", 2), "F4 of shape [3] does not fit the 2 bytes"},
      {typed("F4", "[3,2]", 3), ""},
      {typed("F6_E2M3", "[2]", 2), "does not fit"},
      // The shape.
      {file_of(shaped("{}", "[0,4]"), four), "shape must be a list of whole numbers from 0 to 2^64 - 1"},
      {file_of(shaped("4", "[0,4]"), four), "shape must be a list"},
      {file_of(shaped("\"4\"", "[0,4]"), four), "shape must be a list"},
      {file_of(shaped("[[1]]", "[0,4]"), four), "shape must be a list"},
      {file_of(shaped("[\"1\"]", "[0,4]"), four), "shape must be a list"},
      {file_of(shaped("[null]", "[0,4]"), four), "shape must be a list"},
      {file_of(shaped("[-1]", "[0,4]"), four), R"(numbers from 0 to 2^64 - 1, not "[-1]")"},
      {file_of(shaped("[-0]", "[0,0]")), "shape must be a list"},
      {file_of(shaped("[1.0]", "[0,4]"), four), "shape must be a list"},
      {file_of(shaped("[1e0]", "[0,4]"), four), "shape must be a list"},
      {file_of(shaped("[99999999999999999999]", "[0,4]"), four), "shape must be a list"},
      {file_of(shaped("[4294967296,4294967296]", "[0,4]"), four), "does not fit the 4 bytes"},
      {file_of(shaped("[4611686018427387905]", "[0,4]"), four), "does not fit the 4 bytes"},
      {file_of(shaped("[18446744073709551615,2,0]", "[0,0]")), "does not fit the 0 bytes"},
      {file_of(shaped("[18446744073709551615,0]", "[0,0]")), ""},
      {file_of(shaped("[0,18446744073709551615,2]", "[0,0]")), ""},
      {file_of(shaped("[]", "[0,4]"), four), ""},
      {file_of(shaped("[1,1,1,1,1,1,1,1,1]", "[0,4]"), four), ""},
      {file_of(shaped("[2]", "[0,4]"), four), R"(tensor "t": F32 of shape [2] does not fit the 4 bytes)"},
      {file_of(shaped("[0]", "[0,4]"), four), "does not fit the 4 bytes"},
      // The offsets and the layout.
      {file_of(shaped("[1]", "[0,5]"), "12345"), "F32 of shape [1] does not fit the 5 bytes"},
      {file_of(shaped("[1]", "[0]"), four), R"(tensor "t": data_offsets must be 2 numbers, not 1)"},
      {file_of(shaped("[1]", "[0,4,8]"), four), R"(tensor "t": data_offsets must be 2 numbers, not 3)"},
      {file_of(shaped("[1]", "{\"0\":0}"), four), "data_offsets must be a list"},
      {file_of(shaped("[0]", "[0,-0]")), "data_offsets must be a list"},
      {file_of(shaped("[1]", "[4,0]"), four), "begins at byte 4 of the data, expected 0"},
      {file_of(shaped("[1]", "[18446744073709551612,0]"), four), "begins at byte 18446744073709551612"},
      {file_of("{" + t + "}", "123"), "the tensors need 4 bytes of data, but the file has 3"},
      {file_of("{" + t + "}", "12345"), "the tensors need 4 bytes of data, but the file has 5"},
      {file_of("{}", "1"), "the tensors need 0 bytes of data, but the file has 1"},
      {file_of(shaped("[1000000000000]", "[0,4000000000000]"), four), "the tensors need 4000000000000 bytes"},
      {file_of(shaped("[1]", "[1,5]"), "12345"),
       R"(tensor "t" begins at byte 1 of the data, expected 0: there is a hole)"},
      {file_of("{" + t + R"(,"u":{)" + f32 + one + R"("data_offsets":[5,9]}})", "123456789"),
       R"(tensor "u" begins at byte 5 of the data, expected 4: there is a hole)"},
      {file_of("{" + t + R"(,"u":{)" + f32 + one + R"("data_offsets":[3,7]}})", "1234567"),
       R"(tensor "u" begins at byte 3 of the data, expected 4: there is an overlap)"},
      {file_of("{" + t + R"(,"u":{)" + f32 + one + offsets + "}}", four), "expected 4: there is an overlap"},
      {file_of("{" + t + R"(,"u":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}})", four), "there is an overlap"},
      {file_of("{" + t + R"(,"u":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}})", four), ""},
      {file_of(R"({"u":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},)" + t + "}", "12345"), ""},
      {file_of("{" + t + R"(,"u":{"dtype":"F32","shape":[1],"data_offsets":[4,3]}})", four), "after their end 3"},
  };
  const std::map<std::string, std::size_t> dtypes = {
      // bytes of four items
      {"F4", 2},          {"F6_E2M3", 3},     {"F6_E3M2", 3}, {"BOOL", 4}, {"U8", 4},   {"I8", 4},
      {"F8_E5M2", 4},     {"F8_E4M3", 4},     {"F8_E8M0", 4}, {"I16", 8},  {"U16", 8},  {"F16", 8},
      {"F8_E4M3FNUZ", 4}, {"F8_E5M2FNUZ", 4}, {"BF16", 8},    {"I32", 16}, {"U32", 16}, {"F32", 16},
      {"C64", 32},        {"F64", 32},        {"I64", 32},    {"U64", 32}};
  for (const auto& [dtype, bytes] : dtypes) {
    cases.push_back({typed(dtype, "[4]", bytes), ""});
    cases.push_back({typed(dtype, "[4]", bytes + 1), "does not fit"});
  }
  return cases;
}

TEST_CASE("Every file has the verdict of the format's own reader") {
  const char* folder = std::getenv("QISA_SAFETENSORS_FOLDER");  // to leave the files and the verdicts there
  const std::vector<Case> cases = table();
  CHECK(cases.size() > 150);
  for (std::size_t number = 0; number < cases.size(); ++number) {
    const auto& [file, message] = cases[number];
    INFO(number << ": " << file);
    const std::string error = error_of([&file = file] { parse(file); });
    if (folder != nullptr) {
      const std::string name = fmt::format("{}/{}-{}", folder, error == "(no error)" ? "taken" : "refused", number);
      std::ofstream(name, std::ios::binary) << file;
    }
    if (message.empty()) {
      CHECK(error == "(no error)");
    } else {
      check_error(error, "test.safetensors: ");
      check_error(error, message);
    }
  }
}

TEST_CASE("A tensor whose sizes are no Shape is there, but cannot be read") {
  const SafetensorsFile file = parse(file_of(shaped("[1,1,1,1,1,1,1]", "[0,4]"), four));
  CHECK(file.entry("t").sizes == std::vector<std::uint64_t>(7, 1));
  check_error(error_of([&] { file.tensor("t"); }), "at most 6 axes, not 7");
  check_error(error_of([&] { parse(typed("U16", "[4]", 8)).tensor("t"); }), "U16, not one of F64, F32, F16 and BF16");
  check_error(error_of([&] { parse(typed("F8_E4M3", "[4]", 4)).tensor("t"); }), "F8_E4M3");
  check_error(error_of([&] { parse(file_of(shaped("[18446744073709551615,0]", "[0,0]"))).tensor("t"); }), "shape");
}

TEST_CASE("Of a name that occurs twice the last counts") {
  const SafetensorsFile file = parse(file_of(
      R"({"__metadata__":{"k":"1","k":"2"},"t":{"dtype":"U8","shape":[9],"data_offsets":[7,9]},)" + t + "}", four));
  CHECK(file.entries().size() == 1);
  CHECK(file.entry("t").dtype == "F32");
  CHECK(file.metadata().at("k") == "2");
}

TEST_CASE("Names from a malformed file appear in messages on one line and cut") {
  const std::string error = error_of([] { parse(file_of(R"({"a\nb)" + std::string(5000, 'x') + R"(":1})")); });
  check_error(error, R"("a\nbxxx)");
  CHECK(error.size() < 200);
}

}  // namespace safetensors_header_test
