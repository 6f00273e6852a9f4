// The one place where work is split over threads.
//
// Jobs are computed in parallel, each by one thread, and their results are combined strictly in the
// order of the jobs. So a sum over jobs is the same to the last bit on any number of threads. A result
// whose turn has not come waits in its slot, while its thread goes on with another job.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "tensor/real.hpp"

namespace qisa {

class Workers {
 public:
  /// The calling thread works too; threads - 1 more are started. Throws unless 1 <= threads <= 1024.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int count() const { return static_cast<int>(threads_.size()) + 1; }
  /// The number of results that there must be room for: two a thread, or one if there is one thread.
  static std::size_t slots(int threads) { return threads == 1 ? 1 : 2 * static_cast<std::size_t>(threads); }
  std::size_t slots() const { return slots(count()); }

  using Function = std::function<void(Index job, std::size_t slot)>;
  /// For each job 0 … jobs-1: compute(job, slot), in parallel; then combine(job, slot), after the combine of
  /// job - 1. The slot of a job is job modulo slots(); no other job has it until this one is combined. Throws what a
  /// job threw first (the rest is abandoned).
  void run(Index jobs, const Function& compute, const Function& combine);

 private:
  void wait_for_work();
  void take_jobs();
  void combine_in_order(std::unique_lock<std::mutex>& lock);
  std::size_t slot(Index job) const { return static_cast<std::size_t>(job) % slots(); }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable started_, combined_, finished_;
  // All below is read and written under the mutex.
  const Function *compute_ = nullptr, *combine_ = nullptr;
  Index jobs_ = 0, next_job_ = 0, next_combine_ = 0;
  std::vector<bool> computed_;  // whether the result in a slot waits for its turn
  bool combining_ = false;      // some thread is about it
  std::uint64_t round_ = 0;     // counts calls of run()
  std::size_t busy_ = 0;        // threads that have not finished this round
  bool stopping_ = false;
  std::exception_ptr error_;
};

/// Number of processors this process may run on, at least 1.
int available_processors();

/// The threads to start where `asked` are asked for: not more than one a processor, as others would only take turns
/// and push each other's memory out of the caches.
int useful_threads(int asked);

}  // namespace qisa
