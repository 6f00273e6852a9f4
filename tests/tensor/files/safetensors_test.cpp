// Reading safetensors files. The oracles are bytes put together by hand, and the golden files, which
// another program wrote. Malformed headers are in safetensors_header_test.cpp.
#include "tensor/files/safetensors.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "tests/tensor/safetensors_bytes.hpp"

using namespace qisa;
using namespace qisa::test;
using namespace std::string_literals;
namespace fs = std::filesystem;

namespace safetensors_test {

/// One tensor "t" with the given bytes.
SafetensorsFile parse_one(const std::string& dtype, const std::string& shape, const std::string& data) {
  return parse(file_of(R"({"t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[0,)" +
                           std::to_string(data.size()) + "]}}",
                       data));
}

TEST_CASE("A safetensors file gives its metadata, and its tensors in the order of their data") {
  const SafetensorsFile file = parse(file_of(small_header, small_data));
  CHECK((file.metadata() == std::map<std::string, std::string>{{"k", "v"}}));
  REQUIRE(file.entries().size() == 2);
  CHECK(file.entries()[0].name == "b");
  CHECK(file.entries()[0].dtype == "I16");
  CHECK((file.entries()[0].shape() == Shape{1, 2}));
  CHECK(file.entries()[1].name == "a");
  CHECK(file.entry("a").dtype == "F32");
  CHECK(file.contains("a"));
  CHECK(!file.contains("__metadata__"));
  CHECK((file.tensor("a").shape() == Shape{2}));
  check_values(file.tensor("a"), {1, -2.5});
  CHECK(std::ranges::equal(file.bytes("b"), std::as_bytes(std::span(small_data).first(4))));
}

TEST_CASE("Each floating-point dtype is read by its bit pattern") {
  check_values(parse_one("F64", "[2]", "\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\x10\xc0"s).tensor("t"), {1.5, -4});
  check_values(parse_one("F32", "[]", "\0\0\x40\x40"s).tensor("t"), {3});
  // 1, -2, 65504 (largest), 2^-24 (smallest), 2^-14 - 2^-24 (largest subnormal), 1365/4096 (near 1/3), +-inf
  constexpr Real infinity = std::numeric_limits<Real>::infinity();
  check_values(parse_one("F16", "[4,2]", "\0\x3c\0\xc0\xff\x7b\x01\0\xff\x03\x55\x35\0\x7c\0\xfc"s).tensor("t"),
               {1, -2, 65504, Real(1) / 16777216, Real(1023) / 16777216, Real(1365) / 4096, infinity, -infinity});
  const Tensor special = parse_one("F16", "[2]", "\0\x7e\0\x80"s).tensor("t");
  CHECK(std::isnan(special[0]));
  CHECK((special[1] == 0 && std::signbit(special[1])));
  // 1, -2, 3.140625, 2^-133 (smallest), inf
  check_values(parse_one("BF16", "[5]", "\x80\x3f\0\xc0\x49\x40\x01\0\x80\x7f"s).tensor("t"),
               {1, -2, Real(3.140625), std::ldexp(Real(1), -133), infinity});
}

TEST_CASE("Tensors may have no elements, and a file no tensors") {
  const SafetensorsFile file = parse(file_of(R"({"x":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]},)"
                                             R"("y":{"dtype":"I32","shape":[],"data_offsets":[0,4]},)"
                                             R"("z":{"dtype":"I64","shape":[0],"data_offsets":[0,0]}})",
                                             "\x07\0\0\0"s));
  CHECK((file.tensor("x").shape() == Shape{0, 3}));
  CHECK(file.bytes("y").size() == 4);
  CHECK(file.bytes("z").empty());
  CHECK(parse(file_of("{}")).entries().empty());
}

TEST_CASE("Asking for a tensor that is not there, or of another kind, says what there is") {
  const SafetensorsFile file = parse(file_of(small_header, small_data));
  check_error(error_of([&] { file.tensor("c"); }), R"(test.safetensors: no tensor "c" among its 2)");
  check_error(error_of([&] { file.bytes("c"); }), R"(no tensor "c" among its 2)");
  check_error(error_of([&] { file.tensor("b"); }), R"(tensor "b" is I16, not one of F64, F32)");
}

TEST_CASE("A file cut off anywhere is refused") {
  const std::string whole = file_of(small_header, small_data);
  REQUIRE(parse(whole).entries().size() == 2);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO("cut to " << size << " bytes");
    CHECK_THROWS_AS(parse(whole.substr(0, size)), Error);
  }
}

TEST_CASE("A file with one flipped bit before the data is refused or still readable") {
  const std::string whole = file_of(small_header, small_data);
  int refused = 0, readable = 0;
  for (std::size_t bit = 0; bit < 8 * (8 + small_header.size()); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    try {
      const SafetensorsFile file = parse(flipped);
      for (const SafetensorsEntry& entry : file.entries()) {
        CHECK(file.bytes(entry.name).size() == entry.end - entry.begin);
        if (entry.dtype == "F32") CHECK(file.tensor(entry.name).shape() == entry.shape());
      }
      ++readable;
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 500);  // most of the header is structure,
  CHECK(readable > 20);  // but a name or a metadata text may be any other
}

TEST_CASE("Reading a path that is no readable file says so in one line") {
  const TemporaryFolder folder;
  const auto read = [](const fs::path& path) { return error_of([&] { SafetensorsFile::read(path); }); };
  const fs::path missing = folder.path / "missing.safetensors";
  check_error(read(missing), missing.string() + ": No such file or directory");
  check_error(read(folder.path), folder.path.string() + ": it is not a file");
  check_error(read("/dev/zero"), "/dev/zero: it is not a file");
  std::ofstream(folder.path / "empty") << "";
  check_error(read(folder.path / "empty"), "0 bytes are too short");
  std::ofstream(folder.path / "file") << file_of(small_header, small_data.substr(1));
  check_error(read(folder.path / "file"), (folder.path / "file").string());
  check_error(read(folder.path / "file" / "below"), "Not a directory");
  if (::geteuid() != 0) {  // permissions do not stop root
    fs::permissions(folder.path / "file", fs::perms::none);
    check_error(read(folder.path / "file"), "Permission denied");
  }
}

TEST_CASE("A bad header is refused before memory is taken for the data") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "huge";
  std::ofstream(path) << file_of("{}");
  fs::resize_file(path, Index{1} << 40);  // a tebibyte, of which the disk holds one block
  check_error(error_of([&] { SafetensorsFile::read(path); }),
              "the tensors need 0 bytes of data, but the file has 1099");
}

TEST_CASE("Golden files: each is read, and each model's loss follows from its logits and targets") {
  const char* chosen = std::getenv("QISA_GOLDEN_DIR");
  const fs::path folder = chosen != nullptr ? chosen : QISA_SOURCE_DIR "/tests/golden";
  int files = 0, models = 0;
  REQUIRE(fs::is_directory(folder));
  for (const auto& item : fs::directory_iterator(folder)) {
    if (item.path().extension() != ".safetensors") continue;
    INFO(item.path());
    ++files;
    const SafetensorsFile file = SafetensorsFile::read(item.path());
    CHECK(file.metadata().contains("kind"));
    CHECK(!file.entries().empty());
    for (const SafetensorsEntry& entry : file.entries()) {
      if (entry.dtype.starts_with('I')) continue;
      const Tensor tensor = file.tensor(entry.name);
      INFO(entry.name);
      CHECK(
          std::all_of(tensor.values().begin(), tensor.values().end(), [](Real value) { return std::isfinite(value); }));
    }

    if (!file.contains("output/logits")) continue;
    ++models;
    const Tensor logits = file.tensor("output/logits");               // [B, T, V]
    const std::vector<Index> targets = integers_of(file, "input/y");  // [B, T]
    const Index vocabulary = logits.shape()[-1], positions = static_cast<Index>(targets.size());
    REQUIRE(positions * vocabulary == logits.size());
    double loss = 0;  // mean of log(sum of exp(logits)) - logit of the target
    for (Index position = 0; position < positions; ++position) {
      double sum = 0;
      for (Index token = 0; token < vocabulary; ++token)
        sum += std::exp(static_cast<double>(logits[position * vocabulary + token]));
      const Index target = targets[static_cast<std::size_t>(position)];
      REQUIRE((target >= 0 && target < vocabulary));
      loss += std::log(sum) - static_cast<double>(logits[position * vocabulary + target]);
    }
    CHECK(file.tensor("output/loss").item() ==
          Approx(loss / static_cast<double>(positions)).epsilon(sizeof(Real) == 8 ? 1e-12 : 1e-6));
  }
  CHECK(files > 0);
  CHECK(models > 0);
}

}  // namespace safetensors_test
