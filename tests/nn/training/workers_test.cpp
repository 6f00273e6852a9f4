// Workers: jobs in parallel, results combined in order, errors that reach the caller.
#include "nn/training/workers.hpp"

#include <atomic>
#include <chrono>
#include <numeric>
#include <set>
#include <stdexcept>

#include "tensor/error.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace workers_test {

std::vector<Index> counted(Index count) {
  std::vector<Index> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  return numbers;
}

/// The jobs in the order in which they were combined. Early jobs take longest, so that without waiting
/// they would come late.
std::vector<Index> combined_order(Workers& workers, Index jobs) {
  std::vector<Index> order;
  workers.run(
      jobs,
      [&](Index job, std::size_t) {
        std::this_thread::sleep_for(std::chrono::microseconds(200 * (jobs - job) % 1000));
      },
      [&](Index job, std::size_t) { order.push_back(job); });
  return order;
}

void nothing(Index, std::size_t) {}

TEST_CASE("Every job is computed once and combined in order, on any number of threads") {
  for (const int threads : {1, 2, 3, 8}) {
    Workers workers(threads);
    CHECK(workers.count() == threads);
    for (const Index jobs : {0, 1, 2, 3, 7, 50}) {
      INFO(threads << " threads, " << jobs << " jobs");
      CHECK(combined_order(workers, jobs) == counted(jobs));
      std::vector<std::atomic<int>> computed(static_cast<std::size_t>(jobs));
      workers.run(
          jobs, [&](Index job, std::size_t) { ++computed[static_cast<std::size_t>(job)]; }, nothing);
      for (const auto& count : computed) CHECK(count == 1);
    }
  }
}

TEST_CASE("A job has its slot alone until it is combined, and the slots are few") {
  constexpr Index jobs = 200;
  for (const int threads : {1, 2, 4}) {
    INFO(threads << " threads");
    Workers workers(threads);
    std::vector<std::atomic<Index>> holder(workers.slots());
    for (auto& job : holder) job = -1;
    std::atomic<int> wrong = 0;
    workers.run(
        jobs,
        [&](Index job, std::size_t slot) {
          if (slot >= holder.size() || holder[slot].exchange(job) != -1) ++wrong;
          if (job % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));  // others get ahead
        },
        [&](Index job, std::size_t slot) {
          if (holder[slot].exchange(-1) != job) ++wrong;
        });
    CHECK(wrong == 0);
    CHECK(workers.slots() <= 2 * static_cast<std::size_t>(threads));
  }
}

TEST_CASE("A thread whose result must wait for its turn goes on with another job") {
  Workers workers(2);
  std::atomic<int> later = 0;
  bool went_on = false;
  std::vector<Index> order;
  workers.run(
      3,
      [&](Index job, std::size_t) {
        if (job > 0) {
          ++later;
          return;
        }
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (later < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        went_on = later == 2;
      },
      [&](Index job, std::size_t) { order.push_back(job); });
  CHECK(went_on);
  CHECK(order == counted(3));
}

TEST_CASE("Jobs run at the same time on several threads") {
  Workers workers(3);
  std::atomic<int> inside = 0;
  std::set<std::thread::id> ids;
  std::mutex mutex;
  workers.run(
      3,
      [&](Index, std::size_t) {  // returns only when all three are inside
        ++inside;
        while (inside < 3) std::this_thread::yield();
        const std::lock_guard lock(mutex);
        ids.insert(std::this_thread::get_id());
      },
      nothing);
  CHECK(ids.size() == 3);
  CHECK(ids.count(std::this_thread::get_id()) == 1);
}

TEST_CASE("What compute throws reaches the caller, and the workers can be used again") {
  for (const int threads : {1, 2, 5}) {
    Workers workers(threads);
    for (const Index bad : {0, 3, 19}) {
      INFO(threads << " threads, job " << bad);
      std::vector<Index> order;
      const auto compute = [&](Index job, std::size_t) {
        if (job == bad) throw std::domain_error("compute " + std::to_string(job));
      };
      CHECK_THROWS_WITH(workers.run(20, compute, [&](Index job, std::size_t) { order.push_back(job); }),
                        "compute " + std::to_string(bad));
      CHECK(std::ssize(order) <= bad);  // jobs after the bad one are not combined
      CHECK(order == counted(std::ssize(order)));
      CHECK(combined_order(workers, 10) == counted(10));
    }
  }
}

TEST_CASE("What combine throws reaches the caller, and the workers can be used again") {
  for (const int threads : {1, 2, 5}) {
    Workers workers(threads);
    for (const Index bad : {0, 3, 19}) {
      INFO(threads << " threads, job " << bad);
      std::vector<Index> order;
      const auto combine = [&](Index job, std::size_t) {
        if (job == bad) throw std::domain_error("combine " + std::to_string(job));
        order.push_back(job);
      };
      CHECK_THROWS_WITH(workers.run(20, nothing, combine), "combine " + std::to_string(bad));
      CHECK(order == counted(bad));
      CHECK(combined_order(workers, 10) == counted(10));
    }
  }
}

TEST_CASE("When every job throws, one error reaches the caller") {
  Workers workers(4);
  for (int round = 0; round < 50; ++round) {
    CHECK_THROWS_AS(workers.run(
                        20, [](Index, std::size_t) { throw std::domain_error("all"); }, nothing),
                    std::domain_error);
  }
  CHECK(combined_order(workers, 10) == counted(10));
}

TEST_CASE("Two thousand rounds of few jobs each give the same ordered sums") {
  Workers workers(3);
  Index wrong = 0;
  for (Index round = 0; round < 2000; ++round) {
    const Index jobs = round % 6;
    std::vector<Index> results(workers.slots());
    Index total = 0;
    workers.run(
        jobs, [&](Index job, std::size_t slot) { results[slot] = round + job; },
        [&](Index job, std::size_t slot) { total = 10 * total + (results[slot] - round) - job + 1; });
    Index expected = 0;
    for (Index job = 0; job < jobs; ++job) expected = 10 * expected + 1;
    wrong += total != expected;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Workers that never ran can be destroyed, and impossible numbers are refused") {
  { const Workers unused(6); }
  CHECK_THROWS_AS(Workers(0), Error);
  CHECK_THROWS_AS(Workers(-1), Error);
  CHECK_THROWS_AS(Workers(1025), Error);
  CHECK(available_processors() >= 1);
}

TEST_CASE("No more threads are useful than there are processors, and what is asked for is not rounded up") {
  const int processors = available_processors();
  CHECK(useful_threads(1) == 1);
  CHECK(useful_threads(processors) == processors);
  CHECK(useful_threads(processors + 3) == processors);
  CHECK(useful_threads(-1) == -1);  // for the workers to refuse
}

}  // namespace workers_test
