// Malformed safetensors headers: each is refused, and the message says why.
#include "tensor/files/safetensors_header.hpp"

#include "tests/tensor/safetensors_bytes.hpp"

using namespace qisa;
using namespace qisa::test;
using namespace std::string_literals;

TEST_CASE("A malformed header is refused with the file, the tensor and what was expected") {
  struct Case {
    std::string header;
    std::string message;
    std::string data = "";
  };
  const auto tensor = [](const std::string& fields) { return R"({"t":{)" + fields + "}}"; };
  const std::string f32 = R"("dtype":"F32",)", one = R"("shape":[1],)", offsets = R"("data_offsets":[0,4])";
  const std::string t = R"("t":{)" + f32 + one + offsets + "}", four = "1234";
  const std::vector<Case> cases{
      // The text.
      {"", "JSON object from its first byte"},
      {"    ", "JSON object from its first byte"},
      {"[]", "JSON object from its first byte"},
      {" {}", "JSON object from its first byte"},
      {"\xef\xbb\xbf{}", "JSON object from its first byte"},
      {"{}\n", "only spaces after it"},
      {"{}x", "only spaces after it"},
      {"{}{}", "not valid JSON in UTF-8 at its byte 3"},
      {"{}\0}"s, "zero byte"},
      {"{\"t\":}", "not valid JSON in UTF-8 at its byte 6"},
      {"{'t':{}}", "not valid JSON in UTF-8 at its byte 2"},
      {"{" + t + ",}", "not valid JSON", four},
      {"{/**/}", "not valid JSON"},
      {"{\"\xff\":{}}", "not valid JSON in UTF-8 at its byte 3"},
      {"{\"\xc0\xaf\":{}}", "not valid JSON in UTF-8"},
      {R"({"\ud800":{}})", "not valid JSON in UTF-8"},
      {"{\"a\nb\":{}}", "not valid JSON"},
      // The structure.
      {R"({"t":[]})", R"("t" must be an object, not a list)"},
      {R"({"t":1})", R"("t" must be an object, not 1)"},
      {R"({"t":"x"})", R"("t" must be an object, not a string)"},
      {R"({"t":null})", R"("t" must be an object, not null)"},
      {R"({"__metadata__":[]})", R"("__metadata__" must be an object, not a list)"},
      {R"({"__metadata__":{"k":1}})", R"(metadata "k" must be a string, not 1)"},
      {R"({"__metadata__":{"k":true}})", R"(metadata "k" must be a string, not true)"},
      {R"({"__metadata__":{"k":{}}})", R"(metadata "k" must be a string, not an object)"},
      {R"({"__metadata__":{"k":["v"]}})", R"(metadata "k" must be a string, not a list)"},
      {tensor(R"("dtype":{})"), R"(tensor "t": "dtype" must be a string, not an object)"},
      {tensor(R"("dtype":["F32"])"), R"(tensor "t": "dtype" must be a string, not a list)"},
      {tensor(R"("shape":{})"), R"(tensor "t": "shape" must be a list, not an object)"},
      {tensor(R"("shape":4)"), R"(tensor "t": "shape" must be a list, not 4)"},
      {tensor(R"("shape":"4")"), R"(tensor "t": "shape" must be a list, not a string)"},
      {tensor(R"("shape":[[1]])"), R"("shape" must hold whole numbers from 0 to 2^63 - 1, not a list)"},
      {tensor(R"("shape":[{}])"), R"("shape" must hold whole numbers from 0 to 2^63 - 1, not an object)"},
      {tensor(R"("shape":["1"])"), R"("shape" must hold whole numbers from 0 to 2^63 - 1, not a string)"},
      {tensor(R"("shape":[null])"), R"("shape" must hold whole numbers from 0 to 2^63 - 1, not null)"},
      // Keys.
      {"{" + t + "," + t + "}", R"(the key "t" occurs twice)", four},
      {R"({"__metadata__":{},"__metadata__":{}})", R"(the key "__metadata__" occurs twice)"},
      {R"({"__metadata__":{"k":"1","\u006b":"2"}})", R"(the metadata key "k" occurs twice)"},
      {tensor(f32 + f32 + one + offsets), R"(tensor "t" has two dtype)", four},
      {tensor(f32 + one + one + offsets), R"(tensor "t" has two shape)", four},
      {tensor(f32 + one + offsets + R"(,"strides":[1])"), R"(tensor "t" has the unknown key "strides")", four},
      {tensor(one + offsets), R"(tensor "t" has no dtype)", four},
      {tensor(f32 + offsets), R"(tensor "t" has no shape)", four},
      {tensor(f32 + R"("shape":[1])"), R"(tensor "t" has no data_offsets)", four},
      {R"({"t":{}})", R"(tensor "t" has no dtype)"},
      // Types, sizes and offsets.
      {tensor(R"("dtype":"F31",)" + one + offsets), R"(tensor "t" has the unknown dtype "F31")", four},
      {tensor(R"("dtype":"f32",)" + one + offsets), R"(tensor "t" has the unknown dtype "f32")", four},
      {tensor(f32 + R"("shape":[-1],)" + offsets), "whole numbers from 0 to 2^63 - 1, not -1", four},
      {tensor(f32 + R"("shape":[1.5],)" + offsets), "whole numbers from 0 to 2^63 - 1, not \"1.5\"", four},
      {tensor(f32 + R"("shape":[1e0],)" + offsets), "whole numbers from 0 to 2^63 - 1, not \"1e0\"", four},
      {tensor(f32 + R"("shape":[9223372036854775808],)" + offsets), "2^63 - 1, not 9223372036854775808", four},
      {tensor(f32 + R"("shape":[99999999999999999999],)" + offsets), "2^63 - 1, not \"99999999999999999999\"", four},
      {tensor(f32 + R"("shape":[1e999],)" + offsets), "not valid JSON", four},
      {tensor(f32 + R"("shape":[4294967296,4294967296],)" + offsets), R"(tensor "t": shape [4294967296, 4294967296])",
       four},
      {tensor(f32 + R"("shape":[4611686018427387905],)" + offsets), "does not fit the 4 bytes", four},
      {tensor(f32 + R"("shape":[1,1,1,1,1,1,1],)" + offsets), R"(tensor "t": a shape has at most 6 axes, not 7)", four},
      {tensor(f32 + R"("shape":[2],)" + offsets), R"(tensor "t": F32 of shape [2] does not fit the 4 bytes)", four},
      {tensor(f32 + R"("shape":[0],)" + offsets), R"(tensor "t": F32 of shape [0] does not fit the 4 bytes)", four},
      {tensor(f32 + one + R"("data_offsets":[0,5])"), R"(F32 of shape [1] does not fit the 5 bytes)", "12345"},
      {tensor(f32 + one + R"("data_offsets":[0])"), R"(tensor "t": data_offsets must be 2 numbers, not 1)", four},
      {tensor(f32 + one + R"("data_offsets":[0,4,8])"), R"(tensor "t": data_offsets must be 2 numbers, not 3)", four},
      {tensor(f32 + one + R"("data_offsets":[4,0])"), R"(tensor "t": data_offsets begin at 4, after their end 0)",
       four},
      {tensor(f32 + one + R"("data_offsets":[-4,0])"), R"("data_offsets" must hold whole numbers)", four},
      {tensor(f32 + one + R"("data_offsets":[9223372036854775804,9223372036854775808])"), "must hold whole numbers",
       four},
      // The layout.
      {tensor(f32 + one + offsets), "the tensors need 4 bytes of data, but the file has 3", "123"},
      {tensor(f32 + one + offsets), "the tensors need 4 bytes of data, but the file has 5", "12345"},
      {"{}", "the tensors need 0 bytes of data, but the file has 1", "1"},
      {tensor(f32 + R"("shape":[1000000000000],"data_offsets":[0,4000000000000])"),
       "the tensors need 4000000000000 bytes of data, but the file has 4", four},
      {tensor(f32 + one + R"("data_offsets":[1,5])"),
       R"(tensor "t" begins at byte 1 of the data, expected 0: there is a hole)", "12345"},
      {"{" + t + R"(,"u":{)" + f32 + one + R"("data_offsets":[5,9]}})",
       R"(tensor "u" begins at byte 5 of the data, expected 4: there is a hole)", "123456789"},
      {"{" + t + R"(,"u":{)" + f32 + one + R"("data_offsets":[3,7]}})",
       R"(tensor "u" begins at byte 3 of the data, expected 4: there is an overlap)", "1234567"},
      {"{" + t + R"(,"u":{)" + f32 + one + offsets + "}}",
       R"(tensor "u" begins at byte 0 of the data, expected 4: there is an overlap)", four},
      {"{" + t + R"(,"u":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}})", R"(there is an overlap)", four},
  };
  for (const auto& [header, message, data] : cases) {
    INFO("header: " << header);
    const std::string error = error_of([&header = header, &data = data] { parse(file_of(header, data)); });
    check_error(error, "test.safetensors: ");
    check_error(error, message);
  }
}

TEST_CASE("Spaces after the header's JSON are allowed, and white space within it") {
  CHECK(parse(file_of("{ }   ")).entries().empty());
  CHECK(parse(file_of("{\n\t\"__metadata__\" : {\r\n}\n}")).metadata().empty());
}

TEST_CASE("Names from a malformed file appear in messages on one line and cut") {
  const std::string error = error_of([] { parse(file_of(R"({"a\nb)" + std::string(5000, 'x') + R"(":1})")); });
  check_error(error, R"("a\nbxxx)");
  CHECK(error.size() < 200);
}

TEST_CASE("A header nested a million deep is refused at once") {
  check_error(error_of([] { parse(file_of("{\"t\":" + std::string(1'000'000, '[') + "}")); }), "must be an object");
  std::string objects = "{";
  for (int i = 0; i < 100'000; ++i) objects += R"("__metadata__":{)";
  check_error(error_of([&] { parse(file_of(objects + "}")); }), "must be a string, not an object");
}
