#include "nn/training/workers.hpp"

#include <sched.h>

#include <algorithm>

#include "tensor/error.hpp"

namespace qisa {

Workers::Workers(int threads) {
  require(threads >= 1 && threads <= 1024, "threads must be from 1 to 1024, not {}", threads);
  for (int thread = 1; thread < threads; ++thread) {
    threads_.emplace_back([this] {
      std::unique_lock lock(mutex_);
      work(lock, [this] { return stopping_; });
    });
  }
}

Workers::~Workers() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void Workers::run(Index jobs, const Function& compute, const Function& combine) {
  std::unique_lock lock(mutex_);
  compute_ = &compute;
  combine_ = &combine;
  jobs_ = jobs;
  next_job_ = next_combine_ = 0;
  computed_.assign(slots(), false);
  combining_ = false;
  error_ = nullptr;
  changed_.notify_all();
  work(lock, [this] { return busy_ == 0 && (error_ || next_job_ == jobs_); });
  if (error_) std::rethrow_exception(error_);
}

template <class Done>
void Workers::work(std::unique_lock<std::mutex>& lock, const Done& done) {
  const Index ahead = slots();
  const auto has_job = [&] { return !error_ && next_job_ < std::min(jobs_, next_combine_ + ahead); };
  while (true) {
    changed_.wait(lock, [&] { return done() || has_job(); });
    if (done()) return;
    const Index job = next_job_++;
    ++busy_;
    try {
      lock.unlock();
      (*compute_)(job, slot(job));
      lock.lock();
      computed_[slot(job)] = true;
      if (!combining_) combine_in_order(lock);
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      if (!error_) error_ = std::current_exception();
    }
    if (--busy_ == 0) changed_.notify_all();
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
    if (next_job_ < jobs_) changed_.notify_all();
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
