#include "nn/workers.hpp"

#include <sched.h>

#include <algorithm>

#include "tensor/error.hpp"

namespace qisa {

Workers::Workers(int threads) {
  check(threads >= 1 && threads <= 1024, "threads must be from 1 to 1024, not {}", threads);
  for (int worker = 1; worker < threads; ++worker) {
    threads_.emplace_back([this, worker] { wait_for_work(worker); });
  }
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
    busy_ = static_cast<int>(threads_.size());
    error_ = nullptr;
    ++round_;
  }
  started_.notify_all();
  take_jobs(0);
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [this] { return busy_ == 0; });
  if (error_) std::rethrow_exception(error_);
}

void Workers::wait_for_work(int worker) {
  for (std::uint64_t round = 1;; ++round) {
    {
      std::unique_lock lock(mutex_);
      started_.wait(lock, [&] { return stopping_ || round_ == round; });
      if (stopping_) return;
    }
    take_jobs(worker);
    const std::lock_guard lock(mutex_);
    if (--busy_ == 0) finished_.notify_one();
  }
}

void Workers::take_jobs(int worker) {
  std::unique_lock lock(mutex_);
  while (next_job_ < jobs_ && !error_) {
    const Index job = next_job_++;
    lock.unlock();
    try {
      (*compute_)(job, worker);
      lock.lock();
      combined_.wait(lock, [&] { return next_combine_ == job || error_; });
      if (error_) return;
      lock.unlock();  // no other job is combined before next_combine_ moves on
      (*combine_)(job, worker);
      lock.lock();
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      if (!error_) error_ = std::current_exception();
      combined_.notify_all();
      return;
    }
    ++next_combine_;
    combined_.notify_all();
  }
}

int available_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int useful_threads(int asked) { return std::min(asked, available_processors()); }

}  // namespace qisa
