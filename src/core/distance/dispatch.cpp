/* SPDX-License-Identifier: PostgreSQL
 * Choose the kernel table for this machine.
 *
 * Regime: core.
 * Keeps:  compiled without ISA flags; a wide register set counts only if the operating system saves it
 *         (XCR0), since CPUID alone also says yes under a hypervisor or kernel that does not.
 */
#include <atomic>

#include "tables.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace vecdb::core::distance
{
namespace
{

#if defined(__x86_64__)

struct Features
{
	bool avx2;
	bool avx512;
	bool avx512vnni;
	bool avx512vpopcnt;
};

bool
all_of(unsigned value, unsigned bits) noexcept
{
	return (value & bits) == bits;
}

unsigned
enabled_register_state() noexcept
{
	unsigned low = 0;
	unsigned high = 0;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

Features
detect() noexcept
{
	/* Bit numbers: Intel SDM volume 2A, CPUID leaves 1 and 7, and volume 1, 13.3 (XCR0). */
	constexpr unsigned kFma = 1u << 12, kPopcnt = 1u << 23, kOsxsave = 1u << 27, kAvx = 1u << 28, kF16c = 1u << 29;
	constexpr unsigned kAvx2 = 1u << 5;
	constexpr unsigned kAvx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;  // F DQ CD BW VL
	constexpr unsigned kAvx512Vnni = 1u << 11, kAvx512Vpopcntdq = 1u << 14;
	constexpr unsigned kYmmState = 0x06, kZmmState = 0xe6;

	Features f = {};
	unsigned a = 0, b = 0, c = 0, d = 0;
	if (__get_cpuid(1, &a, &b, &c, &d) == 0 || !all_of(c, kFma | kPopcnt | kOsxsave | kAvx | kF16c))
		return f;
	unsigned state = enabled_register_state();
	if (!all_of(state, kYmmState) || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
		return f;
	f.avx2 = all_of(b, kAvx2);
	f.avx512 = f.avx2 && all_of(b, kAvx512) && all_of(state, kZmmState);
	f.avx512vnni = f.avx512 && all_of(c, kAvx512Vnni);
	f.avx512vpopcnt = f.avx512vnni && all_of(c, kAvx512Vpopcntdq);
	return f;
}

#elif defined(__aarch64__)

bool
has_dot_products() noexcept
{
#if defined(__linux__)
	constexpr unsigned long kAsimdDp = 1ul << 20;  // HWCAP_ASIMDDP
	return (getauxval(AT_HWCAP) & kAsimdDp) != 0;
#elif defined(__APPLE__)
	int value = 0;
	std::size_t size = sizeof value;
	return sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &size, nullptr, 0) == 0 && value != 0;
#else
	return false;
#endif
}

#endif

}  // namespace

constinit std::atomic<const Kernels *> chosen_kernels{nullptr};

std::size_t
available_kernels(const Kernels *tables[8]) noexcept
{
	std::size_t count = 0;
	tables[count++] = &kernels_scalar;
#if defined(__x86_64__)
	Features f = detect();
	if (f.avx2)
		tables[count++] = &kernels_avx2;
	if (f.avx512)
		tables[count++] = &kernels_avx512;
	if (f.avx512vnni)
		tables[count++] = &kernels_avx512vnni;
	if (f.avx512vpopcnt)
		tables[count++] = &kernels_avx512vpopcnt;
#elif defined(__aarch64__)
	tables[count++] = &kernels_neon;
	if (has_dot_products())
		tables[count++] = &kernels_neondot;
#endif
	return count;
}

const Kernels &
choose_kernels() noexcept
{
	const Kernels *tables[8];
	const Kernels *table = tables[available_kernels(tables) - 1];
	chosen_kernels.store(table, std::memory_order_relaxed);
	return *table;
}

}  // namespace vecdb::core::distance
