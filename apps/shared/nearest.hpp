// What a person may have meant by a name that there is not.
#pragma once

#include <string>
#include <vector>

namespace qisa {

/// Those of `names` that are most like `name`, at most two, in their order; none if nothing is like it. Alike are
/// the same letters with other dashes or capitals, initials (lr: learning_rate), a few wrong letters, and a part.
std::vector<std::string> nearest(const std::string& name, const std::vector<std::string>& names);

/// "; did you mean --max_iters?", with `prefix` before each of nearest(); empty if there is none.
std::string did_you_mean(const std::string& name, const std::vector<std::string>& names, const std::string& prefix);

}  // namespace qisa
