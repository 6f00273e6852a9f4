#include "nn/training/workers.hpp"

#include <sched.h>

#include <algorithm>

#include "tensor/error.hpp"

namespace qisa {

Workers::Workers(int threads) {
  require(threads >= 1 && threads <= 1024, "threads must be from 1 to 1024, not {}", threads);
  for (int thread = 1; thread < threads; ++thread) threads_.emplace_back([this] { wait_for_work(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  started_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::run(Index jobs, const Function& compute, const Function& combine) {
  {
    const std::lock_guard lock(mutex_);
    compute_ = &compute;
    combine_ = &combine;
    jobs_ = jobs;
    next_job_ = next_combine_ = 0;
    computed_.assign(slots(), false);
    combining_ = false;
    busy_ = threads_.size();
    error_ = nullptr;
    ++round_;
  }
  started_.notify_all();
  take_jobs();
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [this] { return busy_ == 0; });
  if (error_) std::rethrow_exception(error_);
}

void Workers::wait_for_work() {
  for (std::uint64_t round = 1;; ++round) {
    {
      std::unique_lock lock(mutex_);
      started_.wait(lock, [&] { return stopping_ || round_ == round; });
      if (stopping_) return;
    }
    take_jobs();
    const std::lock_guard lock(mutex_);
    if (--busy_ == 0) finished_.notify_one();
  }
}

void Workers::take_jobs() {
  std::unique_lock lock(mutex_);
  const Index ahead = static_cast<Index>(slots());
  try {
    while (true) {
      combined_.wait(lock, [&] { return error_ || next_job_ == jobs_ || next_job_ < next_combine_ + ahead; });
      if (error_ || next_job_ == jobs_) return;
      const Index job = next_job_++;
      lock.unlock();
      (*compute_)(job, slot(job));
      lock.lock();
      computed_[slot(job)] = true;
      if (!combining_) combine_in_order(lock);
    }
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    if (!error_) error_ = std::current_exception();
    combined_.notify_all();
  }
}

/// Combines all results whose turn it is. Other threads go on meanwhile, and leave theirs to this one.
void Workers::combine_in_order(std::unique_lock<std::mutex>& lock) {
  combining_ = true;
  while (!error_ && computed_[slot(next_combine_)]) {
    const Index job = next_combine_;
    lock.unlock();
    (*combine_)(job, slot(job));
    lock.lock();
    computed_[slot(job)] = false;
    ++next_combine_;
    combined_.notify_all();
  }
  combining_ = false;
}

int available_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int useful_threads(int asked) { return std::min(asked, available_processors()); }

}  // namespace qisa
