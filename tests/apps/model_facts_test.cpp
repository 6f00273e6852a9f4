#include "apps/shared/model_facts.hpp"

#include "tests/catch.hpp"

using namespace qisa;

namespace model_facts_test {

TEST_CASE("The verdict on a model that reads the future names the character, the positions and the distance") {
  CausalityAudit audit{60, 15, 4, 0.0625};
  CHECK(verdict(audit) ==
        "reads the future: changing character 16 moved the logits of 4 earlier positions, by up to 0.062");
  audit.moved_positions = 1;
  CHECK(verdict(audit) ==
        "reads the future: changing character 16 moved the logits of 1 earlier position, by up to 0.062");
}

TEST_CASE("The verdict on a causal model says how many changes were tried") {
  CHECK(verdict({.changes = 15}) == "causal: no logit before a changed character moved (15 changes tried)");
  CHECK(verdict({}) == "causal: no logit before a changed character moved (0 changes tried)");
}

}  // namespace model_facts_test
