/* SPDX-License-Identifier: PostgreSQL
 * Memory from the kernel: anonymous, or a part of a file that the caller has opened and made long enough.
 *
 * Regime: core.
 */
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace vecdb::core
{

/* Where memory is to come from: a file at an offset (a multiple of the page size), or the system where file < 0. */
struct MemorySource
{
	int file;
	std::uint64_t offset;
};

/* Memory from the kernel: anonymous, or a part of a file. */
class Mapping
{
public:
	Mapping() noexcept = default;
	Mapping(Mapping &&other) noexcept : address_(std::exchange(other.address_, nullptr)), bytes_(other.bytes_)
	{
	}
	Mapping &
	operator=(Mapping &&other) noexcept
	{
		std::swap(address_, other.address_);
		std::swap(bytes_, other.bytes_);
		return *this;
	}
	~Mapping()
	{
		if (address_ != nullptr)
			munmap(address_, bytes_);
	}

	/* file < 0: memory of zeros. False: no memory. */
	bool
	map(int file, std::uint64_t offset, std::size_t bytes) noexcept
	{
		void *p = file < 0 ? mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
						   : mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, static_cast<off_t>(offset));
		if (p == MAP_FAILED)
			return false;
#ifdef MADV_HUGEPAGE
		/* Rows are written once from end to end: fewer faults. Where the kernel does not want to, nothing is lost. */
		constexpr std::size_t kLarge = 4u << 20;
		if (file < 0 && bytes >= kLarge)
			(void) madvise(p, bytes, MADV_HUGEPAGE);
#endif
		*this = Mapping();
		address_ = p;
		bytes_ = bytes;
		return true;
	}

	void *
	get() const noexcept
	{
		return address_;
	}

private:
	void *address_ = nullptr;
	std::size_t bytes_ = 0;
};

}  // namespace vecdb::core
