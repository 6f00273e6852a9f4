// The built-in corpus: a play without end, drawn from a grammar of our own, to train on without a
// network. As its rules are known, so is its entropy: the cross-entropy that no causal model can beat.
#pragma once

#include <cstdint>
#include <string>

#include "nn/text/grammar.hpp"

namespace qisa {

/// The play's rules. A text of the grammar is one scene. No scene is the beginning of another and
/// none comes from two series of choices, so a text of scenes has exactly one derivation.
const Grammar& builtin_corpus_grammar();

/// The first `characters` characters (ASCII) of an endless play: scenes drawn independently, one
/// after the other. The same on every machine; another seed gives another play. Throws Error if
/// `characters` is negative.
std::string builtin_corpus(std::uint64_t seed, Index characters);

/// Entropy of the endless play in nats a character: mean entropy of a scene / mean length of a scene
/// (renewal reward theorem). A model whose mean cross-entropy on new text is below it reads the future.
double builtin_corpus_entropy();

}  // namespace qisa
