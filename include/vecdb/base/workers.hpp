/* SPDX-License-Identifier: PostgreSQL
 * Threads that compute for a backend: one job at a time, split over all of them.
 *
 * Regime: core. The leader (who calls start, run, wait_idle, stop) is not one of the threads: it polls, so that it can look
 * for a cancel. Threads block all signals and touch nothing of the caller's but what the job hands them.
 * Keeps:  an exception ends at the thread's edge as a Status; after stop() or a failure every thread leaves its job at
 *         the next piece of it, so a piece should take some milliseconds at most.
 */
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include <atomic>

#include "vecdb/base/status.hpp"

namespace vecdb::core
{

/* A Status on its way through code of the core that throws. */
struct Failure
{
	Status status;
};

inline void
check(const Status &status)
{
	if (!status.ok())
		throw Failure{status};
}

/* Runs f; an exception becomes a Status. */
template <class F>
Status
guarded(F &&f) noexcept
{
	try
	{
		f();
		return Status::success();
	}
	catch (const Failure &failure)
	{
		return failure.status;
	}
	catch (const std::bad_alloc &)
	{
		return Status::out_of_memory();
	}
	catch (const std::length_error &)
	{
		return Status::out_of_memory();
	}
	catch (const std::system_error &e)
	{
		/* A thread that could not be started had no memory for its stack, or no place among the user's processes. */
		if (e.code() == std::errc::resource_unavailable_try_again || e.code() == std::errc::not_enough_memory)
			return Status::out_of_memory();
		return Status::error(Code::internal, "computation failed: %s", e.what());
	}
	catch (const std::exception &e)
	{
		return Status::error(Code::internal, "computation failed: %s", e.what());
	}
	catch (...)
	{
		return Status::error(Code::internal, "computation failed");
	}
}

class Workers
{
public:
	Workers() noexcept = default;
	~Workers();
	Workers(const Workers &) = delete;
	Workers &operator=(const Workers &) = delete;

	/* --- leader --- */

	Status start(unsigned threads) noexcept;
	/* Starts job(argument) on a thread; it may throw and split itself with parallel(). Only when idle. */
	Status run(void (*job)(void *argument), void *argument) noexcept;
	/* Waits up to milliseconds; true: no job is running. */
	bool wait_idle(int milliseconds) noexcept;
	/* Makes the threads leave their job and joins them. Called by the destructor too. */
	void stop() noexcept;
	/* The first error of a job; cancelled after a stop(). */
	Status status() noexcept;

	/* --- inside a job --- */

	unsigned
	count() const noexcept
	{
		return static_cast<unsigned>(threads_.size());
	}

	/* Throws when the job is to end. */
	void
	poll() const
	{
		if (stopping_.load(std::memory_order_relaxed))
			throw Failure{Status::error(Code::cancelled, "stopped")};
	}

	/*
	 * Calls f(begin, end, worker) for pieces of [0, n), `grain` long, on all threads (worker < count()) and returns when
	 * all are done. What depends on (begin, end) alone is the same with any number of threads. Not nested.
	 */
	template <class F>
	void
	parallel(std::size_t n, std::size_t grain, F &&f)
	{
		split(
			n, grain,
			[](void *argument, std::size_t begin, std::size_t end, unsigned worker) {
				(*static_cast<std::remove_reference_t<F> *>(argument))(begin, end, worker);
			},
			&f);
	}

private:
	using Piece = void (*)(void *argument, std::size_t begin, std::size_t end, unsigned worker);

	void split(std::size_t n, std::size_t grain, Piece piece, void *argument);
	void take_pieces(unsigned worker);
	void work(unsigned worker) noexcept;
	void fail(const Status &status) noexcept;

	std::vector<std::thread> threads_;
	std::mutex mutex_;
	std::condition_variable wake_, finished_;
	Status failure_ = Status::success();
	std::atomic<bool> stopping_{false};
	bool quit_ = false;
	/* The job: thread 0 runs it. */
	void (*job_)(void *) = nullptr;
	void *job_argument_ = nullptr;
	bool busy_ = false;
	/* The loop that the job is in. */
	std::uint64_t loop_ = 0;
	unsigned helping_ = 0;
	Piece piece_ = nullptr;
	void *piece_argument_ = nullptr;
	std::size_t loop_size_ = 0, loop_grain_ = 1;
	std::atomic<std::size_t> next_{0};
};

}  // namespace vecdb::core
