// The causality audit: it clears causal models, and convicts every kind that reads later tokens.
#include "nn/training/audit.hpp"

#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

namespace audit_test {

using Tokens = std::vector<std::int32_t>;
constexpr Index vocabulary = 7;

ModelSettings tiny(const std::string& attention, Aggregation aggregation, Index block_size) {
  ModelSettings settings;
  settings.vocabulary_size = vocabulary;
  settings.n_layer = settings.n_head = 2;
  settings.n_embd = 6;
  settings.block_size = block_size;
  settings.attention = attention;
  settings.aggregation = aggregation;
  return settings;
}

Tokens random_text(Index size) {
  Random random(1, Purpose::tests);
  Tokens text;
  for (Index i = 0; i < size; ++i) text.push_back(static_cast<std::int32_t>(random.below(vocabulary)));
  return text;
}

constexpr Index lengths[] = {6, 40};

TEST_CASE("Causal models of every mechanism are cleared") {
  for (const MechanismEntry& mechanism : mechanisms()) {
    for (const Index length : lengths) {
      for (const Normalizer normalizer : {Normalizer::sum, Normalizer::softmax}) {
        INFO(mechanism.name << ", length " << length);
        ModelSettings settings = tiny(mechanism.name, Aggregation::causal, length);
        settings.normalizer = normalizer;
        const CausalityAudit audit = audit_causality(GPT(settings, 1), random_text(300), 3);
        CHECK(audit.causal());
        CHECK(audit.changes == 3 * (length - 1));
      }
    }
  }
}

TEST_CASE("Transposed models of every mechanism are convicted, by the last character of a window") {
  for (const MechanismEntry& mechanism : mechanisms()) {
    for (const Index length : lengths) {
      INFO(mechanism.name << ", length " << length);
      const GPT model(tiny(mechanism.name, Aggregation::transposed, length), 1);
      const CausalityAudit audit = audit_causality(model, random_text(300), 3);
      CHECK_FALSE(audit.causal());
      CHECK(audit.changes == 3 * (length - 1));
      CHECK(audit.position == length - 1);  // every earlier position reads it
      CHECK(audit.moved_positions == length - 1);
      CHECK(audit.largest_move > 0);
    }
  }
}

// Width 4. Token embeddings are in columns 0 and 1. At all positions but the last, the position embedding is
// so large there that adding the token's changes nothing; values read column 0 and are added to column 2,
// which alone reaches the logits. So transposed attention carries a single token: the last.
TEST_CASE("A model that reads the future at the last position only is convicted there") {
  constexpr Index length = 6;
  constexpr Real large = 0x1p60;
  ModelSettings settings = tiny("csa", Aggregation::transposed, length);
  settings.n_layer = settings.n_head = 1;
  settings.n_embd = 4;
  GPT model(settings, 1);
  Parameters& parameters = model.parameters();
  parameters.values().fill(0);
  const auto part = [&](const char* name) { return parameters.part(parameters.values(), name); };
  for (const char* norm : {"blocks.0.norm1.weight", "norm.weight"}) part(norm).fill(1);
  Tensor tokens = part("embedding.weight"), positions = part("positional_embedding_table.weight");
  for (Index token = 0; token < vocabulary; ++token) {
    tokens[token * 4] = static_cast<Real>(token);
    tokens[token * 4 + 1] = 1;
  }
  for (Index position = 0; position < length - 1; ++position) {
    positions[position * 4] = large;
    positions[position * 4 + 1] = -large;
  }
  part("blocks.0.mhsa.heads.0.value.weight")[0] = 1;  // row 0, column 0
  part("blocks.0.mhsa.project.weight")[2 * 4] = 1;    // row 2, column 0
  for (Index token = 0; token < vocabulary; ++token) part("fc.weight")[token * 4 + 2] = large;

  const CausalityAudit audit = audit_causality(model, random_text(300), 3);
  CHECK(audit.position == length - 1);
  CHECK(audit.moved_positions == length - 1);

  positions[(length - 1) * 4] = large;  // now no token is read at all
  positions[(length - 1) * 4 + 1] = -large;
  CHECK(audit_causality(model, random_text(300), 3).causal());
}

TEST_CASE("An audit takes the windows that there are, and needs one") {
  const GPT model(tiny("csa", Aggregation::causal, 6), 1);
  CHECK(audit_causality(model, random_text(13), 5).changes == 2 * 5);
  check_error(error_of([&] { audit_causality(model, random_text(6)); }), "6 characters has no window of 6");
}

TEST_CASE("With a single character nothing can be changed") {
  ModelSettings settings = tiny("csa", Aggregation::causal, 6);
  settings.vocabulary_size = 1;
  const CausalityAudit audit = audit_causality(GPT(settings, 1), Tokens(20, 0));
  CHECK(audit.causal());
  CHECK(audit.changes == 0);
}

}  // namespace audit_test
