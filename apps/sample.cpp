// Writes text with a trained model.
#include <fmt/format.h>

#include <algorithm>

#include "apps/shared/command_line.hpp"
#include "apps/shared/opening.hpp"
#include "apps/shared/run_folder.hpp"
#include "nn/files/checkpoint.hpp"
#include "nn/sampler.hpp"
#include "nn/text/text_file.hpp"
#include "nn/text/utf8.hpp"

using namespace qisa;

namespace {

struct SampleOptions {
  std::string checkpoint, start;
  bool has_start = false;
  Index num_samples = 1, max_new_tokens = 500;
  SamplingSettings sampling{0.8, 0, 1, 1337};
  bool allow_nonfinite = false;
};

SampleOptions parse(int argc, char** argv) {
  CLI::App app("Write text with a trained model.", "sample");
  SampleOptions options;
  app.add_option("--checkpoint,checkpoint", options.checkpoint,
                 "checkpoint file, or a run's folder (default: the newest in runs/)");
  const CLI::Option* start =
      app.add_option("--start", options.start,
                     "text to continue, or FILE:path (default: a new line, or the model's most frequent character)");
  app.add_option("--num_samples", options.num_samples, "texts to write")->capture_default_str();
  app.add_option("--max_new_tokens", options.max_new_tokens, "characters a text")->capture_default_str();
  app.add_option("--temperature", options.sampling.temperature,
                 "below 1 safer, above 1 wilder; 0 takes the likeliest character always")
      ->capture_default_str();
  app.add_option("--top_k", options.sampling.top_k, "only the k likeliest characters (0: all)")->capture_default_str();
  app.add_option("--top_p", options.sampling.top_p, "only the likeliest characters that together have probability p")
      ->capture_default_str();
  app.add_option("--seed", options.sampling.seed, "the same seed writes the same text")->capture_default_str();
  app.add_flag("--allow_nonfinite", options.allow_nonfinite,
               "take a checkpoint with weights that are infinite or no numbers too");
  parse_or_exit(app, argc, argv);
  options.has_start = start->count() > 0;
  return options;
}

/// The tokens of what --start gives: a text, or FILE:path.
std::vector<std::int32_t> read_start(const std::string& start, const Tokenizer& tokenizer) {
  require(!start.empty(), "--start is empty; give at least one character, or leave it out");
  if (!start.starts_with("FILE:")) {
    try {
      decode_utf8(start);
    } catch (const Error& error) {
      throw_error("--start: {}", error.what());
    }
    return tokenizer.encode(start, "--start");
  }
  return tokenizer.encode(read_text(start.substr(5)), "--start " + start);
}

int sample(const SampleOptions& options) {
  require(options.num_samples >= 1 && options.max_new_tokens >= 1,
          "num_samples {} and max_new_tokens {} must be at least 1", options.num_samples, options.max_new_tokens);
  options.sampling.validate();
  const std::filesystem::path path = find_checkpoint(options.checkpoint);
  const Checkpoint checkpoint = load_checkpoint(path, options.allow_nonfinite ? NonFinite::allow : NonFinite::refuse);
  const std::vector<std::int32_t> prompt = options.has_start
                                               ? read_start(options.start, checkpoint.tokenizer)
                                               : std::vector{opening_token(checkpoint.model, checkpoint.tokenizer)};
  const bool shown = checkpoint.tokenizer.decode(prompt) != "\n";
  const std::string steps = checkpoint.training ? fmt::format(" (step {})", checkpoint.training->steps) : std::string();
  complain(fmt::format("from {}{}{}\n", path.string(), steps, why_this_checkpoint(options.checkpoint, path)));

  const auto write = [&](std::int32_t token) {
    fmt::print("{}", checkpoint.tokenizer.decode(token));
    flush_output();  // a character at a time, as a whole: wherever the program ends, it cuts none
  };
  for (Index number = 0; number < options.num_samples; ++number) {
    if (number > 0) fmt::print("\n---------------\n");
    if (shown) std::for_each(prompt.begin(), prompt.end(), write);
    Sampler sampler(checkpoint.model, options.sampling, prompt, static_cast<std::uint32_t>(number));
    for (Index i = 0; i < options.max_new_tokens; ++i) write(sampler.next());
    fmt::print("\n");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] { return sample(parse(argc, argv)); });
}
