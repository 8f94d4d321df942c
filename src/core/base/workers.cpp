/* SPDX-License-Identifier: PostgreSQL
 * The threads of include/vecdb/base/workers.hpp.
 *
 * Regime: core.
 * Thread 0 runs the job; the others wait for loops that it splits, and it takes pieces of them too.
 */
#include "vecdb/base/workers.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>

namespace vecdb::core
{

Workers::~Workers()
{
	stop();
}

Status
Workers::start(unsigned threads) noexcept
{
	/* A signal must not be handled on a thread: handlers belong to the leader. */
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	Status status = guarded([&] {
		threads_.reserve(threads);
		for (unsigned i = 0; i < threads; i++)
			threads_.emplace_back([this, i] { work(i); });
	});
	pthread_sigmask(SIG_SETMASK, &old, nullptr);
	return status;
}

Status
Workers::run(void (*job)(void *argument), void *argument) noexcept
{
	std::lock_guard<std::mutex> guard(mutex_);
	if (!failure_.ok() || threads_.empty())
		return failure_;
	job_ = job;
	job_argument_ = argument;
	busy_ = true;
	wake_.notify_all();
	return Status::success();
}

bool
Workers::wait_idle(int milliseconds) noexcept
{
	std::unique_lock<std::mutex> lock(mutex_);
	return finished_.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return !busy_; });
}

void
Workers::stop() noexcept
{
	stopping_.store(true);
	{
		std::lock_guard<std::mutex> guard(mutex_);
		quit_ = true;
		wake_.notify_all();
	}
	for (std::thread &thread : threads_)
		thread.join();
	threads_.clear();
}

Status
Workers::status() noexcept
{
	std::lock_guard<std::mutex> guard(mutex_);
	return failure_;
}

void
Workers::fail(const Status &status) noexcept
{
	std::lock_guard<std::mutex> guard(mutex_);
	if (failure_.ok())
		failure_ = status;
	stopping_.store(true);
}

void
Workers::take_pieces(unsigned worker)
{
	for (;;)
	{
		std::size_t begin = next_.fetch_add(loop_grain_, std::memory_order_relaxed);
		if (begin >= loop_size_ || stopping_.load(std::memory_order_relaxed))
			return;
		piece_(piece_argument_, begin, std::min(loop_size_, begin + loop_grain_), worker);
	}
}

void
Workers::split(std::size_t n, std::size_t grain, Piece piece, void *argument)
{
	poll();
	{
		std::lock_guard<std::mutex> guard(mutex_);
		piece_ = piece;
		piece_argument_ = argument;
		loop_size_ = n;
		loop_grain_ = std::max<std::size_t>(grain, 1);
		next_.store(0);
		/* A single piece is no work for others. */
		if (n > loop_grain_)
		{
			helping_ = count() - 1;
			loop_++;
			wake_.notify_all();
		}
	}
	/* The others use what `argument` points to: none may be at it when this returns or throws. */
	Status status = guarded([&] { take_pieces(0); });
	if (!status.ok())
		fail(status);
	{
		std::unique_lock<std::mutex> lock(mutex_);
		finished_.wait(lock, [&] { return helping_ == 0; });
	}
	poll();
}

void
Workers::work(unsigned worker) noexcept
{
	std::uint64_t seen = 0;
	std::unique_lock<std::mutex> lock(mutex_);
	for (;;)
	{
		wake_.wait(lock, [&] { return worker == 0 ? quit_ || job_ != nullptr : (quit_ && !busy_) || loop_ != seen; });
		if (worker == 0)
		{
			if (job_ != nullptr)
			{
				auto job = job_;
				void *argument = job_argument_;
				job_ = nullptr;
				lock.unlock();
				Status status = guarded([&] {
					poll();
					job(argument);
				});
				if (!status.ok())
					fail(status);
				lock.lock();
				busy_ = false;
				finished_.notify_all();
				wake_.notify_all();  // helpers wait for the end of the job before they quit
				continue;
			}
			return;
		}
		if (loop_ == seen)
			return;
		seen = loop_;
		lock.unlock();
		Status status = guarded([&] { take_pieces(worker); });
		if (!status.ok())
			fail(status);
		lock.lock();
		if (--helping_ == 0)
			finished_.notify_all();
	}
}

}  // namespace vecdb::core
