/* SPDX-License-Identifier: PostgreSQL
 * A flag that long loops of the core poll, so that a cancel ends them without a jump.
 *
 * Regime: core. The shell sets `stop` from the leader (it alone calls CHECK_FOR_INTERRUPTS);
 * threads only read it.
 */
#pragma once

#include <atomic>

namespace vecdb::core
{

struct InterruptFlag
{
	std::atomic<bool> stop{false};

	bool
	requested() const noexcept
	{
		return stop.load(std::memory_order_relaxed);
	}
};

}  // namespace vecdb::core
