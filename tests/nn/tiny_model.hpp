// What the tests of checkpoints share: a tiny model, with the state of its training.
#pragma once

#include "nn/files/checkpoint.hpp"
#include "nn/text/utf8.hpp"

namespace qisa::test {

inline const std::string characters = "\n \"Zaé\\ß漢🙂";  // in order of code points but for the backslash

inline ModelSettings tiny(const std::string& attention) {
  ModelSettings settings;
  settings.vocabulary_size = 10;
  settings.n_layer = 1;
  settings.n_head = 2;
  settings.n_embd = 4;
  settings.block_size = 3;
  settings.attention = attention;
  return settings;
}

inline Tokenizer tokenizer() { return Tokenizer(decode_utf8(characters)); }

inline TrainingState some_state(const GPT& model) {
  Random random(1, Purpose::tests);
  TrainingState state;
  state.steps = 1234567;
  for (Tensor* moment : {&state.first_moment, &state.second_moment}) {
    *moment = Tensor({model.parameters().size()});
    for (Real& value : moment->values()) value = static_cast<Real>(random.uniform());
  }
  state.best_loss = 0.1 + 0.2;
  state.settings = {{"learning_rate", "3e-3"}, {"data", "a \"quoted\" näme"}};
  return state;
}

}  // namespace qisa::test
