// train: the files that it leaves, that a seed alone decides the weights, and its answers to wrong usage.
#include <chrono>
#include <cmath>
#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/shared/command_line.hpp"
#include "nn/files/checkpoint.hpp"
#include "nn/training/evaluation.hpp"
#include "tensor/fast/blas_kernel.hpp"
#include "tests/apps/pattern.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
using nlohmann::json;

namespace train_test {

std::vector<json> log_of(const Workplace& place, const std::string& folder) {
  std::vector<json> entries;
  for (const std::string& line : lines_of(place.read(folder + "/log.jsonl"))) {
    INFO("line: " << line);
    REQUIRE_NOTHROW(entries.push_back(json::parse(line)));
  }
  return entries;
}

TEST_CASE("train ends with 0 and leaves two checkpoints, its options and a log") {
  const Workplace place;
  const Outcome outcome = place.train_tiny({{"out_dir", "out"}});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  for (const char* name : {"latest.safetensors", "best.safetensors"}) {
    const Checkpoint checkpoint = load_checkpoint(place.path / "out" / name);
    CHECK(checkpoint.model.settings().n_embd == 8);
    REQUIRE(checkpoint.training.has_value());
    CHECK(checkpoint.training->steps == 20);
  }
  CHECK(place.read("out/config.toml").find("n_embd = 8\n") != std::string::npos);
  CHECK(log_of(place, "out").back()["event"] == "done");
  CHECK(place.names() == std::set<std::string>{"out", "text.txt"});
  CHECK(std::distance(std::filesystem::directory_iterator(place.path / "out"), {}) == 4);
}

TEST_CASE("OpenBLAS runs a kernel that uses all of the processor's vectors, or the one that is named, with a hint") {
  const Workplace place;
  const auto output = [&place](const Surroundings& around) {
    const Outcome outcome = place.train_tiny({{"max_iters", "1"}}, around);
    require_success(outcome);
    return outcome.out;
  };
  const std::string chosen = output({.without = {"OPENBLAS_CORETYPE"}});
  const std::string named = output({.environment = {{"OPENBLAS_CORETYPE", "Prescott"}}});
  INFO(chosen << named);
  const std::vector<Groups> kernels = Pattern(", OpenBLAS [^,]+, ([A-Za-z0-9_]+)\n").matches(chosen);
  REQUIRE(kernels.size() == 1);
  CHECK(chosen.find("OPENBLAS_CORETYPE") == std::string::npos);
  const bool processor_has_avx2 = better_blas_kernel(kernels[0][1], true, false).empty();
  if (processor_has_avx2) CHECK(named.find(", Prescott\n") != std::string::npos);
  const Pattern hint(
      "note   OpenBLAS runs its kernel for Prescott, but this processor has "
      "(AVX2: try OPENBLAS_CORETYPE=Haswell|AVX-512: try OPENBLAS_CORETYPE=SkylakeX)\n");
  CHECK(hint.is_in(named) == processor_has_avx2);
}

#if defined(__SSE__)
TEST_CASE("Programs take subnormal numbers for 0") {
  float half = 1;
  std::thread([&half] {
    run_main([&half] {
      volatile float smallest = std::numeric_limits<float>::min();
      half = smallest * 0.5F;
      return 0;
    });
  }).join();
  CHECK(half == 0);
}
#endif

TEST_CASE("Runs without out_dir get numbered folders in runs/, and none is overwritten") {
  const Workplace place;
  for (const char* folder : {"runs/qisa-v3-1", "runs/qisa-v3-2"}) {
    const Outcome outcome = place.train_tiny({{"attention", "qisa-v3"}, {"max_iters", "1"}});
    require_success(outcome);
    CHECK(outcome.out.find(folder) != std::string::npos);
    CHECK(std::filesystem::exists(place.path / folder / "latest.safetensors"));
  }
  require_success(place.train_tiny({{"attention", "csa"}, {"max_iters", "1"}}));
  CHECK(std::filesystem::exists(place.path / "runs/csa-1"));
}

TEST_CASE("The log has every log_interval-th step, every eval_interval-th with its validation loss, and the end") {
  const Workplace place;
  const Outcome outcome = place.train_tiny({{"out_dir", "out"}, {"log_interval", "4"}, {"eval_interval", "6"}});
  require_success(outcome);
  std::vector<json> entries = log_of(place, "out");
  const json done = entries.back(), first = entries.front();
  entries.pop_back();
  entries.erase(entries.begin());

  std::vector<int> steps, evaluations;
  double elapsed = 0;
  for (const json& entry : entries) {
    INFO(entry);
    steps.push_back(entry.at("step"));
    if (entry.contains("val_loss")) evaluations.push_back(entry.at("step"));
    for (const char* positive : {"loss", "learning_rate", "gradient_norm", "tokens_per_second", "elapsed_s"}) {
      CHECK(entry.at(positive).get<double>() > 0);
    }
    for (const auto& [name, value] : entry.items()) CHECK(first.contains(name));
    CHECK(entry.at("elapsed_s") >= elapsed);
    elapsed = entry.at("elapsed_s");
    if (entry.contains("val_loss")) CHECK(entry.at("val_loss").get<double>() > 0);
  }
  CHECK(steps == std::vector{4, 6, 8, 12, 16, 18, 20});
  CHECK(evaluations == std::vector{6, 12, 18});
  CHECK(done.at("event") == "done");
  CHECK(done.at("step") == 20);
  const Checkpoint latest = load_checkpoint(place.path / "out/latest.safetensors");
  Workers workers(1);
  const TextData data = split(latest.tokenizer.encode(Workplace::verse()), 8);
  CHECK(done.at("full_val_loss") == predict(latest.model, data.validation(), workers).mean_loss());
  for (const auto& [name, value] : done.items()) CHECK(first.contains(name));
  CHECK(done.at("elapsed_s") >= elapsed);
}

TEST_CASE("The log begins with every field, and with the settings as they came out") {
  const Workplace place;
  require_success(place.train_tiny({{"out_dir", "out"}, {"learning_rate", "0.003"}, {"threads", "0"}}));
  const json first = log_of(place, "out").front();
  CHECK(first.at("event") == "settings");
  for (const char* name : {"step", "loss", "learning_rate", "gradient_norm", "val_loss", "full_val_loss",
                           "tokens_per_second", "elapsed_s"}) {
    CHECK(first.at(name).is_null());
  }
  const json& settings = first.at("settings");
  CHECK(settings.at("min_lr").dump() == "0.0003");
  CHECK(settings.at("lr_decay_iters") == 20);
  CHECK(settings.at("threads") >= 1);
  CHECK(settings.at("out_dir") == "out");
  CHECK(settings.at("attention") == "qisa-v3");
  CHECK(settings.at("tie_embeddings") == false);
}

TEST_CASE("The validation loss of some batches and that of the whole text have different names") {
  const Workplace place;
  require_success(place.train_tiny({{"out_dir", "out"}, {"eval_interval", "10"}, {"eval_iters", "1"}}));
  const std::vector<json> log = log_of(place, "out");
  CHECK(log.back().at("step") == 20);
  CHECK_FALSE(log.back().contains("val_loss"));
  CHECK(log.at(log.size() - 2).at("step") == 20);
  CHECK(log.at(log.size() - 2).at("val_loss") != log.back().at("full_val_loss"));
}

TEST_CASE("The gradient's norm in the log is that before clipping") {
  const Workplace place;
  require_success(
      place.train_tiny({{"out_dir", "free"}, {"grad_clip", "0"}, {"max_iters", "1"}, {"log_interval", "1"}}));
  require_success(
      place.train_tiny({{"out_dir", "cut"}, {"grad_clip", "1e-3"}, {"max_iters", "1"}, {"log_interval", "1"}}));
  const json free = log_of(place, "free").at(1), cut = log_of(place, "cut").at(1);
  CHECK(free.at("gradient_norm") == cut.at("gradient_norm"));
  CHECK(cut.at("gradient_norm") > 1e-3);
}

TEST_CASE("With sample_interval the model writes a line now and then, and its weights stay what they would be") {
  const Workplace place;
  const Outcome outcome = place.train_tiny({{"out_dir", "out"}, {"sample_interval", "7"}});
  require_success(outcome);
  std::vector<std::string> written;
  for (const std::string& line : lines_of(outcome.out)) {
    if (line.find("  writes: ") != std::string::npos) written.push_back(line);
  }
  REQUIRE(written.size() == 2);
  CHECK(written[0].starts_with("step      7  writes: "));
  CHECK(written[1].starts_with("step     14  writes: "));
  CHECK(written[1].size() == std::string("step     14  writes: ").size() + 80);
  require_success(place.train_tiny({{"out_dir", "silent"}}));
  CHECK((place.read("out/latest.safetensors") == place.read("silent/latest.safetensors")));
}

TEST_CASE("Training learns: the loss on held-back text falls well below that of guessing") {
  const Workplace place;
  require_success(place.train_tiny({{"out_dir", "out"},
                                    {"max_iters", "300"},
                                    {"eval_interval", "50"},
                                    {"learning_rate", "0.02"},
                                    {"warmup_iters", "5"}}));
  const Checkpoint best = load_checkpoint(place.path / "out/best.safetensors");
  const double guessing = std::log(static_cast<double>(best.tokenizer.size()));
  CHECK(log_of(place, "out").back().at("full_val_loss") < 0.75 * guessing);
}

TEST_CASE("best.safetensors is the model of the smallest logged validation loss") {
  const Workplace place;
  // The rate rises until the weights are thrown about: the best model is not the last.
  require_success(place.train_tiny({{"out_dir", "out"},
                                    {"eval_interval", "3"},
                                    {"learning_rate", "3"},
                                    {"lr_decay_iters", "40"},
                                    {"warmup_iters", "30"}}));
  double smallest = std::numeric_limits<double>::infinity();
  Index step = 0;
  for (const json& entry : log_of(place, "out")) {
    if (!entry.contains("val_loss") || !entry.at("val_loss").is_number() || entry.at("val_loss") >= smallest) continue;
    smallest = entry.at("val_loss");
    step = entry.at("step");
  }
  REQUIRE(step < 20);
  const Checkpoint best = load_checkpoint(place.path / "out/best.safetensors");
  CHECK(best.training->steps == step);
  CHECK(best.training->best_loss == smallest);
  CHECK(load_checkpoint(place.path / "out/latest.safetensors").training->best_loss == smallest);
}

TEST_CASE("The number of threads changes no byte of a checkpoint, a seed changes it") {
  for (const std::string attention : {"csa", "qisa-v3"}) {
    CAPTURE(attention);
    const Workplace place;
    // Enough sequences for more shards than threads, or there would be nothing to share out.
    REQUIRE(shard(512, 8).shards > 3);
    const auto trained = [&](const std::string& threads, const std::string& seed) {
      const std::string folder = threads + "-" + seed;
      require_success(place.train_tiny({{"out_dir", folder},
                                        {"attention", attention},
                                        {"batch_size", "512"},
                                        {"dropout", "0.2"},
                                        {"threads", threads},
                                        {"seed", seed}}));
      return place.read(folder + "/latest.safetensors");
    };
    const std::string one = trained("1", "7");
    CHECK((one == trained("2", "7")));
    CHECK((one == trained("3", "7")));
    CHECK((one != trained("1", "8")));
  }
}

TEST_CASE("Wrong usage ends with 2 and one line about what is wrong") {
  const Workplace place;
  struct Case {
    Arguments arguments;
    std::vector<std::string> pieces;
  };
  const std::vector<Case> cases = {
      {{"--n_layers", "2"}, {"no option --n_layers", "did you mean --n_layer?"}},
      {{"--dropuot", "0.1"}, {"no option --dropuot", "did you mean --dropout?"}},
      {{"--n-layer", "2"}, {"no option --n-layer", "did you mean --n_layer?"}},
      {{"--lr=0.1"}, {"no option --lr;", "did you mean --learning_rate?"}},
      {{"--bs=4"}, {"did you mean --block_size or --batch_size?"}},
      {{"--embd=4"}, {"did you mean --n_embd?"}},
      {{"--chocolate=4"}, {"no option --chocolate (see --help)"}},
      {{"something"}, {"something"}},
      {{"--", "something"}, {"\"something\" was not expected"}},
      {{"---"}, {"\"---\" was not expected"}},
      {{"--dropout", ""}, {"--dropout", "\"\" is not a number"}},
      {{"--learning_rate="}, {"--learning_rate= has no value"}},
      {{"--out_dir=", "--seed=3"}, {"--out_dir= has no value"}},
      {{"--dropout", "0.1x"}, {"--dropout", "0.1x"}},
      {{"--n_layer", ""}, {"--n_layer", "\"\""}},
      {{"--n_layer", "1e-3"}, {"--n_layer", "1e-3"}},
      {{"--seed", "1", "--seed=2"}, {"--seed is given more than once"}},
      {{"--keep=1", "--keep=2", "--keep=3"}, {"--keep is given more than once"}},
      {{"--n_layer", "1e300"}, {"--n_layer", "1e300"}},
      {{"--n_layer"}, {"--n_layer"}},
      {{"--n_layer", "two"}, {"--n_layer", "two"}},
      {{"--n_layer", "2.5"}, {"--n_layer", "2.5"}},
      {{"--n_layer", "99999999999999999999"}, {"--n_layer", "99999999999999999999"}},
      {{"--learning_rate", "fast"}, {"--learning_rate", "fast"}},
      {{"--attention", "softmax"}, {"--attention", "softmax", "csa", "qisa-v3"}},
      {{"--normalizer", "none"}, {"--normalizer", "none", "softmax", "sum"}},
      {{"--decay", "some"}, {"--decay", "some", "all", "matrices"}},
      {{"--seed", "-1"}, {"--seed", "-1"}},
      {{"--seed", "99999999999999999999"}, {"--seed", "99999999999999999999"}},
      {{"--n_layer", "1", "--n_layer", "2"}, {"--n_layer"}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.arguments);
    Arguments arguments = {"--data=text.txt", "--block_size=8", "--max_iters=1"};  // soon done if it is accepted
    arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
    check_refused(place.train(arguments), 2, one.pieces);
  }
  CHECK(place.names() == std::set<std::string>{"text.txt"});
}

TEST_CASE("A whole number may be written as 1e1 or 2.0, and the text's path without its option") {
  const Workplace place;
  const Outcome outcome = place.train(
      {"text.txt", "--n_layer=1", "--n_head=2.0", "--n_embd=8", "--block_size=8", "--max_iters=1e1", "--out_dir=out"});
  require_success(outcome);
  CHECK(outcome.out.find("text.txt; ") != std::string::npos);
  CHECK(outcome.out.find(", 1 layer, 2 heads, ") != std::string::npos);
  CHECK(load_checkpoint(place.path / "out/latest.safetensors").training->steps == 10);
}

TEST_CASE("Bad input ends with 1 and one line that names it, and leaves no folder behind") {
  const Workplace place;
  place.write("short.txt", "To be, or not to be.\n");
  place.write("latin1.txt", std::string(200, 'a') + "caf\xe9 " + std::string(200, 'b'));
  place.write("empty.txt", "");
  place.write("folder/inside.txt", "text");
  struct Case {
    Options options;
    std::vector<std::string> pieces;
  };
  const std::vector<Case> cases = {
      {{{"data", "no-such.txt"}}, {"no-such.txt"}},
      {{{"data", "folder"}}, {"folder"}},
      {{{"data", "empty.txt"}}, {"empty.txt"}},
      {{{"data", "short.txt"}, {"block_size", "16"}}, {"21", "block_size 16"}},
      {{{"data", "latin1.txt"}}, {"latin1.txt", "UTF-8"}},
      {{{"n_embd", "10"}, {"n_head", "4"}}, {"n_embd 10", "n_head 4"}},
      {{{"n_layer", "0"}}, {"n_layer", "0"}},
      {{{"n_head", "0"}}, {"n_head", "0"}},
      {{{"n_embd", "-8"}}, {"n_embd", "-8"}},
      {{{"block_size", "0"}}, {"block_size", "0"}},
      {{{"dropout", "1"}}, {"dropout", "1"}},
      {{{"dropout", "-0.1"}}, {"dropout", "-0.1"}},
      {{{"dropout", "0.99999999"}}, {"dropout", "0.99999999"}},
      {{{"dropout", "nan"}}, {"dropout", "nan"}},
      {{{"batch_size", "0"}}, {"batch_size", "0"}},
      {{{"max_iters", "0"}}, {"max_iters", "0"}},
      {{{"log_interval", "0"}}, {"log_interval", "0"}},
      {{{"eval_interval", "0"}}, {"eval_interval", "0"}},
      {{{"sample_interval", "-3"}}, {"sample_interval", "-3"}},
      {{{"eval_iters", "-3"}}, {"eval_iters", "-3"}},
      {{{"learning_rate", "-0.003"}}, {"learning_rate", "-0.003"}},
      {{{"learning_rate", "nan"}}, {"learning_rate", "nan"}},
      {{{"min_lr", "-0.5"}}, {"min_lr", "-0.5"}},
      {{{"min_lr", "0.5"}}, {"min_lr", "0.5", "0.003"}},
      {{{"learning_rate", "1e39"}}, {"learning_rate", "1e+39"}},
      {{{"weight_decay", "inf"}}, {"weight_decay", "inf"}},
      {{{"max_iters", "5000000000"}}, {"max_iters", "5000000000"}},
      {{{"warmup_iters", "9223372036854775807"}}, {"warmup_iters", "9223372036854775807"}},
      {{{"lr_decay_iters", "9223372036854775807"}}, {"lr_decay_iters", "9223372036854775807"}},
      {{{"warmup_iters", "-5"}}, {"warmup_iters", "-5"}},
      {{{"lr_decay_iters", "-5"}}, {"lr_decay_iters", "-5"}},
      {{{"weight_decay", "-0.1"}}, {"weight_decay", "-0.1"}},
      {{{"beta1", "1"}}, {"beta1", "1"}},
      {{{"beta2", "-0.9"}}, {"beta2", "-0.9"}},
      {{{"grad_clip", "-1"}}, {"grad_clip", "-1"}},
      {{{"threads", "-1"}}, {"threads", "-1"}},
      {{{"out_dir", "text.txt"}}, {"text.txt"}},
      {{{"out_dir", "text.txt/out"}}, {"text.txt/out"}},
  };
  const std::set<std::string> before = place.names();
  for (const Case& one : cases) {
    CAPTURE(as_arguments(one.options));
    check_refused(place.train_tiny(one.options), 1, one.pieces);
    CHECK(place.names() == before);
  }
}

TEST_CASE("A stop by Ctrl-C or SIGTERM saves the step it came to, and the exit code tells the signal") {
  const auto [signal, exit_code] = GENERATE(std::pair{SIGINT, 130}, std::pair{SIGTERM, 143});
  CAPTURE(exit_code);
  const Workplace place;
  Surroundings around;
  around.signal = signal;
  around.signal_after = "step ";
  const Outcome outcome = place.train_tiny(
      {{"out_dir", "out"}, {"max_iters", "100000000"}, {"eval_interval", "100000000"}, {"log_interval", "1"}}, around);
  CHECK(outcome.exit_code == exit_code);
  CHECK(outcome.err.empty());
  const std::string last = lines_of(outcome.out).back();
  CAPTURE(last);
  const Index steps = load_checkpoint(place.path / "out/latest.safetensors").training->steps;
  CHECK(last.starts_with("stopped at step " + std::to_string(steps) + ";"));
  CHECK(last.find("--resume out") != std::string::npos);

  CHECK(outcome.out.find(": saving the last finished step in out") != std::string::npos);

  const Outcome text = place.sample({"--checkpoint", "out", "--max_new_tokens", "30"});
  CHECK(text.exit_code == 0);
  CHECK(text.out.size() == 31);
}

}  // namespace train_test
