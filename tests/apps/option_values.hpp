// A value for each option of train that differs from its default and from train_tiny's.
#pragma once

#include "tests/apps/run.hpp"

namespace qisa::test {

inline const Options model_options = {{"attention", "csa"}, {"normalizer", "softmax"}, {"aggregation", "transposed"},
                                      {"pauli", "real"},    {"n_layer", "2"},          {"n_head", "2"},
                                      {"n_embd", "12"},     {"block_size", "9"},       {"activation", "gelu"},
                                      {"init", "gpt"},      {"score_scale", "head"},   {"tie_embeddings", "true"}};
inline const Options training_options = {{"batch_size", "5"},
                                         {"max_iters", "19"},
                                         {"learning_rate", "0.01"},
                                         {"min_lr", "0.001"},
                                         {"warmup_iters", "7"},
                                         {"lr_decay_iters", "30"},
                                         {"weight_decay", "0.5"},
                                         {"decay", "matrices"},
                                         {"beta1", "0.8"},
                                         {"beta2", "0.99"},
                                         {"grad_clip", "0.01"},
                                         {"dropout", "0.25"},
                                         {"seed", "18446744073709551615"}};
inline const Options other_options = {{"eval_interval", "7"},   {"eval_iters", "2"},     {"log_interval", "3"},
                                      {"sample_interval", "9"}, {"keep", "4"},           {"threads", "2"},
                                      {"data", "other.txt"},    {"out_dir", "elsewhere"}};

}  // namespace qisa::test
