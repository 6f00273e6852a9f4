// The one place where work is split over threads.
//
// Jobs are computed in parallel, each by one thread, and their results are combined strictly in the
// order of the jobs. So a sum over jobs is the same to the last bit on any number of threads.
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
  /// The calling thread is worker 0; threads - 1 more are started. Throws unless 1 <= threads <= 1024.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int count() const { return static_cast<int>(threads_.size()) + 1; }

  using Function = std::function<void(Index job, int worker)>;
  /// For each job 0 … jobs-1: compute(job, worker), in parallel; then combine(job, worker) by the same
  /// worker, after the combine of job - 1. Throws what a job threw first (the rest is abandoned).
  void run(Index jobs, const Function& compute, const Function& combine);

 private:
  void wait_for_work(int worker);
  void take_jobs(int worker);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable started_, combined_, finished_;
  // All below is read and written under the mutex.
  const Function *compute_ = nullptr, *combine_ = nullptr;
  Index jobs_ = 0, next_job_ = 0, next_combine_ = 0;
  std::uint64_t round_ = 0;  // counts calls of run()
  int busy_ = 0;             // threads that have not finished this round
  bool stopping_ = false;
  std::exception_ptr error_;
};

/// Number of processors this process may run on, at least 1.
int available_processors();

/// The threads to start where `asked` are asked for: not more than one a processor, as others would only take turns
/// and push each other's memory out of the caches.
int useful_threads(int asked);

}  // namespace qisa
