// The checkpoints of a training run: the one to go on from, and those that it leaves.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "apps/shared/options.hpp"
#include "apps/shared/run_folder.hpp"
#include "nn/files/checkpoint.hpp"
#include "nn/text/text_file.hpp"

namespace qisa {

/// What makes a run this one: its options, and the text that it reads.
std::map<std::string, std::string> identity(const TrainOptions& options, const EncodedText& text);

/// The checkpoint to resume from; none if the run was stopped before it had saved one. Throws when it is
/// another run's, or the run has ended. `source` is where the text is from.
std::optional<Checkpoint> load_resumed(const TrainOptions& options, const RunFolder& folder, const EncodedText& text,
                                       const std::string& source);

/// The model that --init_from names, to begin a new run with on this text: characters that it does not know are
/// added to its vocabulary, with weights that the seed determines. The options take its settings; throws, by name,
/// when other ones were given.
Checkpoint load_initial(TrainOptions& options, const EncodedText& text);

/// Makes the text's tokens those of a tokenizer that has all of its characters, perhaps in another order.
void translate(EncodedText& text, const Tokenizer& tokenizer);

/// Saves the model and where its training stands: `run`, but for what the optimizer has. Throws, and leaves the
/// file as it was, when a number is not finite: such a checkpoint could not be loaded.
void save_run(const std::filesystem::path& path, const GPT& model, const Tokenizer& tokenizer, const AdamW& optimizer,
              TrainingState run);

}  // namespace qisa
