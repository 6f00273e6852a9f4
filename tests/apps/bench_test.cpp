// bench: which benchmarks there are, and what its table makes of their times.
#include <algorithm>
#include <map>
#include <sstream>

#include "tests/apps/pattern.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;

namespace bench_test {

/// The lines from the one that contains `first` on.
std::vector<std::string> lines_from(const std::string& text, const std::string& first) {
  std::vector<std::string> lines = lines_of(text);
  while (!lines.empty() && lines.front().find(first) == std::string::npos) lines.erase(lines.begin());
  return lines;
}

TEST_CASE("bench has every benchmark that is asked for by name") {
  const Outcome outcome = Workplace().bench({"--threads=3", "--benchmark_list_tests"});
  REQUIRE(outcome.exit_code == 0);
  std::vector<std::string> expected;
  for (const std::string width : {"16", "128"}) {
    for (const std::string mechanism : {"csa", "qisa-v1", "qisa-v2", "qisa-v3", "qisa"}) {
      expected.push_back("inference/" + mechanism + "/embd:" + width);
      expected.push_back("training/" + mechanism + "/embd:" + width);
    }
    expected.push_back("inference/qisa-v3-stepwise/embd:" + width);
  }
  for (const char* name : {"training/babygpt", "sample/csa/context:64", "sample/csa/context:256",
                           "sample/qisa-v3/context:64", "sample/qisa-v3/context:256"}) {
    expected.push_back(name);
  }
  for (int wires = 2; wires <= 12; ++wires) {
    expected.push_back("circuit/" + std::to_string(wires));
    expected.push_back("circuit/" + std::to_string(wires) + "/gradient");
  }
  for (std::string& name : expected) name += "/real_time";
  for (const char* product : {"gemm/512x128x128", "gemm/512x512x512", "product/512x128x128", "product/512x512x512"}) {
    expected.push_back(product + std::string("/real_time/threads:3"));
  }
  const std::vector<std::string> names = lines_of(outcome.out);
  for (const std::string& name : expected) {
    INFO(name);
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
}

TEST_CASE("bench prints times, their ratio to csa of the same width, and their share of the fastest product") {
  const Outcome outcome = Workplace().bench(
      {"--threads=1", "--benchmark_min_time=0.001",
       "--benchmark_filter=^(inference/(csa|qisa-v1)/embd:16|training/(csa|babygpt)|sample/csa/context:64|"
       "circuit/2|gemm/512x(16|64)x16)"});
  CAPTURE(outcome.out, outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(outcome.out.find("1 thread, OpenBLAS") == 0);

  // What each benchmark measured: milliseconds and, where it counts operations, GFLOP/s.
  std::map<std::string, double> milliseconds, rates;
  const Pattern measured("^([^ ]+)/real_time(/threads:1)? +([0-9.]+) ms +[0-9.]+ ms +[0-9]+( +([0-9.]+)(m?)/s)?");
  for (const std::string& line : lines_of(outcome.out)) {
    for (const Groups& match : measured.matches(line)) {
      milliseconds[match[1]] = std::stod(match[3]);
      if (!match[5].empty()) rates[match[1]] = std::stod(match[5]) * (match[6] == "m" ? 1e-3 : 1);
    }
  }
  for (const char* name : {"inference/csa/embd:16", "inference/qisa-v1/embd:16", "training/csa/embd:16",
                           "training/csa/embd:128", "training/babygpt", "sample/csa/context:64", "circuit/2",
                           "circuit/2/gradient", "gemm/512x16x16", "gemm/512x64x16"}) {
    INFO(name);
    REQUIRE(milliseconds.count(name) == 1);
  }

  // Products of a batch of 1,024 x 16 tokens: 6 layers of 12 x 16 x 16 weights and 65 outputs of 16; with 8.5 keys and
  // 8.5 values of 16 numbers a layer. Twice 21,104 for each token.
  CHECK(rates["inference/csa/embd:16"] * milliseconds["inference/csa/embd:16"] == Approx(691.5).epsilon(0.02));

  const std::vector<std::string> table = lines_from(outcome.out, "ratio to csa");
  REQUIRE(table.size() == 6);  // the heading, two of inference, three of training
  const double roofline = std::max(rates["gemm/512x16x16"], rates["gemm/512x64x16"]);
  for (std::size_t i = 1; i < table.size(); ++i) {
    INFO(table[i]);
    std::istringstream words(table[i]);
    std::string name;
    double time = 0, ratio = 0, share = 0;
    REQUIRE(words >> name >> time);
    CHECK(time == Approx(milliseconds.at(name)).epsilon(0.01));  // printed with three digits there
    if (name != "training/babygpt") {
      REQUIRE(words >> ratio);
      const double classical = milliseconds.at(name.substr(0, name.find('/')) + "/csa" + name.substr(name.rfind('/')));
      CHECK(ratio == Approx(time / classical).epsilon(0.02).margin(0.006));
    }
    REQUIRE(words >> share);
    CHECK(share == Approx(100 * rates.at(name) / roofline).margin(1));
  }
}

TEST_CASE("bench counts every product once, on any number of threads") {
  const Outcome outcome =
      Workplace().bench({"--threads=2", "--benchmark_min_time=0.1", "--benchmark_filter=(gemm|product)/512x512x512"});
  const Pattern measured("^([^ ]+)/real_time/threads:2 +([0-9.]+) ms +[0-9.]+ ms +[0-9]+ +([0-9.]+)/s$");
  int products = 0;
  for (const std::string& line : lines_of(outcome.out)) {
    for (const Groups& match : measured.matches(line)) {
      CHECK(std::stod(match[2]) * std::stod(match[3]) ==
            Approx(268.4).epsilon(0.02));  // 2 x 512 x 512 x 512 operations
      ++products;
    }
  }
  CHECK(products == 2);
  CHECK(lines_from(outcome.out, "ratio to csa").empty());  // a table of nothing
}

TEST_CASE("bench's table keeps the order of the list when benchmarks take turns") {
  const std::string filter = "--benchmark_filter=^inference/.*/embd:16";
  const auto names = [](const std::vector<std::string>& lines, std::size_t first) {
    std::vector<std::string> result;
    for (std::size_t i = first; i < lines.size(); ++i) result.push_back(lines[i].substr(0, lines[i].rfind("embd:16")));
    return result;
  };
  const Outcome list = Workplace().bench({"--benchmark_list_tests", filter});
  const Outcome turns = Workplace().bench({"--benchmark_min_time=0.001", "--benchmark_repetitions=2",
                                           "--benchmark_enable_random_interleaving=true", filter});
  REQUIRE(turns.exit_code == 0);
  std::vector<std::string> listed = lines_from(list.out, "inference/");
  listed.resize(6);
  CHECK(names(lines_from(turns.out, "ratio to csa"), 1) == names(listed, 0));
}

TEST_CASE("bench refuses options that nobody knows, and no threads") {
  CHECK(Workplace().bench({"--benchmark_nonsense=1"}).exit_code == 2);
  check_refused(Workplace().bench({"--threads=0", "--benchmark_filter=csa/embd:16"}), 2, {"--threads", "1 to 1024"});
}

}  // namespace bench_test
