// Writing safetensors files: the exact bytes, and the round trip through a file.
#include "tensor/files/safetensors_writer.hpp"

#include <cmath>
#include <limits>

#include "tests/tensor/safetensors_bytes.hpp"

using namespace qisa;
using namespace qisa::test;
using namespace std::string_literals;

TEST_CASE("The writer's bytes are the format's, whatever the order of adding") {
  const Tensor a({1, 2}, {1, -2.5}), b({2}, {0, 0.5}), none(Shape{0, 3});
  SafetensorsWriter writer, other;
  writer.add_metadata("z", "1");
  writer.add_metadata("kind", "a \"test\"\n\xc3\xa9");
  writer.add("a", a);
  writer.add("e", none);
  writer.add("b", b);
  other.add("e", none);
  other.add("b", b);
  other.add("a", a);
  other.add_metadata("kind", "a \"test\"\n\xc3\xa9");
  other.add_metadata("z", "1");

  const std::string metadata = R"({"__metadata__":{"kind":"a \"test\"\n)"s + "\xc3\xa9" + R"(","z":"1"},)";
  const std::string as_float = "\xd8\0\0\0\0\0\0\0"s + metadata +
                               R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                               R"("b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
                               R"("e":{"dtype":"F32","shape":[0,3],"data_offsets":[16,16]}})" +
                               "\0\0\x80\x3f\0\0\x20\xc0\0\0\0\0\0\0\0\x3f"s;
  const std::string as_double = "\xe0\0\0\0\0\0\0\0"s + metadata +
                                R"("a":{"dtype":"F64","shape":[1,2],"data_offsets":[0,16]},)"
                                R"("b":{"dtype":"F64","shape":[2],"data_offsets":[16,32]},)"
                                R"("e":{"dtype":"F64","shape":[0,3],"data_offsets":[32,32]}}      )" +
                                "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\x04\xc0"
                                "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe0\x3f"s;
  CHECK(bytes_of(writer) == (sizeof(Real) == 4 ? as_float : as_double));
  CHECK(bytes_of(writer) == bytes_of(other));
}

TEST_CASE("An empty writer writes a valid file") {
  CHECK(bytes_of(SafetensorsWriter()) == "\x08\0\0\0\0\0\0\0{}      "s);
}

TEST_CASE("Tensors and metadata come back from a file as they were written") {
  using Limits = std::numeric_limits<Real>;
  const std::vector<Real> special{0,
                                  -Real(0),
                                  Limits::max(),
                                  Limits::lowest(),
                                  Limits::min(),
                                  Limits::epsilon(),
                                  Limits::infinity(),
                                  -Limits::infinity(),
                                  Limits::denorm_min(),
                                  Real(1) / 3};
  const std::string text = "quotes \" ' \\, a\nnew\r\nline,\ttab, zero \0, \u00fcber \u03c8 \U0001f600"s;
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path / "file.safetensors";

  SafetensorsWriter writer;
  writer.add_metadata("text", text);
  writer.add_metadata(text, "");
  writer.add("special", Tensor({2, 5}, special));
  writer.add("nan", Tensor::scalar(Limits::quiet_NaN()));
  writer.add("six axes", Tensor({1, 2, 1, 1, 3, 1}, {1, 2, 3, 4, 5, 6}));
  writer.add("nothing", Tensor(Shape{3, 0}));
  writer.add(text, Tensor({3}, {7, 8, 9}));
  writer.write(path);

  const SafetensorsFile file = SafetensorsFile::read(path);
  CHECK((file.metadata() == std::map<std::string, std::string>{{"text", text}, {text, ""}}));
  CHECK(file.entries().size() == 5);
  CHECK((file.tensor("special").shape() == Shape{2, 5}));
  check_values(file.tensor("special"), special);
  CHECK(std::signbit(file.tensor("special")[1]));
  CHECK(std::isnan(file.tensor("nan").item()));
  CHECK(file.tensor("nan").rank() == 0);
  CHECK((file.tensor("six axes").shape() == Shape{1, 2, 1, 1, 3, 1}));
  check_values(file.tensor("six axes"), {1, 2, 3, 4, 5, 6});
  CHECK((file.tensor("nothing").shape() == Shape{3, 0}));
  check_values(file.tensor(text), {7, 8, 9});
}

TEST_CASE("The writer aligns every tensor in the file to its item size") {
  SafetensorsWriter writer;
  writer.add("a", Tensor({3}, {1, 2, 3}));
  writer.add("c", Tensor({1}, {4}));
  for (std::size_t length = 0; length < 9; ++length) {
    SafetensorsWriter padded = writer;
    padded.add_metadata("k", std::string(length, 'x'));
    const std::string bytes = bytes_of(padded);
    const SafetensorsFile file = parse(bytes);
    REQUIRE(file.entries().size() == 2);
    CHECK((bytes.size() - file.entries().back().end) % 8 == 0);
    for (const SafetensorsEntry& entry : file.entries()) CHECK(entry.begin % sizeof(Real) == 0);
  }
}

TEST_CASE("The writer refuses what a file cannot hold") {
  SafetensorsWriter writer;
  writer.add("a", Tensor::scalar(1));
  writer.add_metadata("k", "v");
  const std::string before = bytes_of(writer);
  check_error(error_of([&] { writer.add("a", Tensor::scalar(2)); }), R"(tensor "a" is added twice)");
  check_error(error_of([&] { writer.add_metadata("k", "w"); }), R"(metadata "k" is added twice)");
  check_error(error_of([&] { writer.add("b", Tensor()); }), R"(tensor "b" is an empty Tensor())");
  check_error(error_of([&] { writer.add("__metadata__", Tensor::scalar(1)); }), "'__metadata__' is no tensor's name");
  check_error(error_of([&] { writer.add("\xff", Tensor::scalar(1)); }), "UTF-8");
  check_error(error_of([&] { writer.add_metadata("x", "\xc3"); }), "UTF-8");
  check_error(error_of([&] { writer.add_metadata("\xc3", "x"); }), "UTF-8");
  CHECK(bytes_of(writer) == before);
  CHECK_THROWS_AS(writer.write("/missing-folder/file"), Error);
}
