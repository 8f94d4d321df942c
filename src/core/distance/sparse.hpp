/* SPDX-License-Identifier: PostgreSQL
 * Sums over two sparse vectors as templates on an instruction set.
 *
 * Regime: core. Private to src/core/distance; included by simd.hpp.
 * How:    L indices of each side are compared all with all, then the side whose last index is the smaller goes on by L.
 *         Nothing branches on the data but the question whether any index met. Where one side is much the longer, each
 *         element of the short one is searched for in it instead.
 * Keeps:  every element counts in one term alone, so what both have is subtracted before it is squared: the distance of
 *         nearly equal vectors keeps its digits.
 *
 * Isa gives, beyond what simd.hpp lists (P = const std::int32_t *, any alignment):
 *   unsigned among(P a, P b)              bit k: the k-th of the L indices at a is one of the L at b
 *   V compress(const float *p, mask)      those of the L floats at p whose bit is set, in order, then zeros
 *   V keep(const float *p, mask)          the L floats at p, zero where the bit is clear
 *   void pad(P indices, values, k, filler, int32 *to_indices, float *to_values)
 *                                         k < L elements, then filler and 0; to: aligned to 64 bytes
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "tables.hpp"

namespace vecdb::core::distance::simd
{

template <class Isa>
struct SparseSums
{
	using V = typename Isa::V;
	static constexpr std::size_t L = V::size;

	/* From this ratio of lengths on, search (measured: equal at about 200, from cache). */
	static constexpr std::size_t kSearchRatio = 128;

	/* Greater than any index, and different: padding never meets padding. */
	static constexpr std::int32_t kFillerA = INT32_MAX, kFillerB = INT32_MAX - 1;

	struct SquaredDifference
	{
		static constexpr bool kAlone = true;  // elements that one side alone has count

		static V
		add(const V &a, const V &b, const V &sum) noexcept
		{
			V d = a - b;
			return Isa::fma(d, d, sum);
		}

		static V
		add(const V &a, const V &sum) noexcept
		{
			return Isa::fma(a, a, sum);
		}

		static float
		of(float a, float b) noexcept
		{
			return (a - b) * (a - b);
		}
	};

	struct Product
	{
		static constexpr bool kAlone = false;

		static V
		add(const V &a, const V &b, const V &sum) noexcept
		{
			return Isa::fma(a, b, sum);
		}

		static V
		add(const V &, const V &sum) noexcept
		{
			return sum;
		}

		static float
		of(float a, float b) noexcept
		{
			return a * b;
		}
	};

	struct AbsoluteDifference
	{
		static constexpr bool kAlone = true;

		static V
		add(const V &a, const V &b, const V &sum) noexcept
		{
			return sum + xsimd::abs(a - b);
		}

		static V
		add(const V &a, const V &sum) noexcept
		{
			return sum + xsimd::abs(a);
		}

		static float
		of(float a, float b) noexcept
		{
			return __builtin_fabsf(a - b);
		}
	};

	template <class T>
	static T
	at(const T *p, std::size_t i) noexcept
	{
		T x;
		__builtin_memcpy(&x, p + i, sizeof x);
		return x;
	}

	/* A vector in blocks of L, of which the last is padded. */
	struct Blocks
	{
		SparseRow row;
		std::size_t whole;  // elements in blocks that need no padding
		std::size_t i = 0;
		unsigned seen = 0;  // those of the block at i that the other side has
		alignas(64) std::int32_t last_indices[L];
		alignas(64) float last_values[L];

		Blocks(const SparseRow &row_, std::int32_t filler) noexcept : row(row_), whole(row_.n / L * L)
		{
			Isa::pad(row.indices + whole, row.values + whole, row.n - whole, filler, last_indices, last_values);
		}

		bool
		more() const noexcept
		{
			return i < row.n;
		}

		const std::int32_t *
		indices() const noexcept
		{
			return i < whole ? row.indices + i : last_indices;
		}

		const float *
		values() const noexcept
		{
			return i < whole ? row.values + i : last_values;
		}

		/* Goes on to the next block if so told, and adds what nobody has met in this one. */
		template <class Term>
		void
		advance(bool finished, const float *x, V &sum) noexcept
		{
			if constexpr (Term::kAlone)
			{
				sum = Term::add(Isa::keep(x, finished ? ~seen : 0u), sum);
				seen = finished ? 0u : seen;
			}
			i += finished ? L : 0;
		}

		template <class Term>
		void
		rest(V &sum) noexcept
		{
			if constexpr (Term::kAlone)
				while (more())
					advance<Term>(true, values(), sum);
		}
	};

	template <class Term>
	static float
	merge(const SparseRow &short_row, const SparseRow &long_row) noexcept
	{
		Blocks a(short_row, kFillerA), b(long_row, kFillerB);
		V met(0.0f), alone_a(0.0f), alone_b(0.0f);
		while (a.more() && b.more())
		{
			const std::int32_t *ai = a.indices(), *bi = b.indices();
			const float *av = a.values(), *bv = b.values();
			std::int32_t a_last = at(ai, L - 1), b_last = at(bi, L - 1);
			unsigned in_a = Isa::among(ai, bi);
			if (in_a != 0)
			{
				unsigned in_b = Isa::among(bi, ai);
				met = Term::add(Isa::compress(av, in_a), Isa::compress(bv, in_b), met);
				a.seen |= in_a;
				b.seen |= in_b;
			}
			a.template advance<Term>(a_last <= b_last, av, alone_a);
			b.template advance<Term>(b_last <= a_last, bv, alone_b);
		}
		a.template rest<Term>(alone_a);
		b.template rest<Term>(alone_b);
		return Isa::sum(met + (alone_a + alone_b));
	}

	/* Where key stands in the ascending indices from..n, or would. step: a first guess at how far that is. */
	static std::size_t
	find(const std::int32_t *indices, std::size_t from, std::size_t n, std::int32_t key, std::size_t step) noexcept
	{
		std::size_t end = from;
		while (end < n && at(indices, end) < key)
		{
			from = end + 1;
			end += step;
			step *= 2;
		}
		std::size_t length = (end < n ? end : n) - from;
		while (length > 0)
		{
			std::size_t half = length / 2;
			bool below = at(indices, from + half) < key;
			from = below ? from + half + 1 : from;
			length = below ? length - half - 1 : half;
		}
		return from;
	}

	/* What elements add that the other side does not have. */
	template <class Term>
	static void
	add_alone(const float *x, std::size_t n, V &s0, V &s1) noexcept
	{
		std::size_t i = 0;
		for (; i + 2 * L <= n; i += 2 * L)
		{
			s0 = Term::add(V::load_unaligned(x + i), s0);
			s1 = Term::add(V::load_unaligned(x + i + L), s1);
		}
		if (i + L <= n)
		{
			s0 = Term::add(V::load_unaligned(x + i), s0);
			i += L;
		}
		if (i < n)
			s1 = Term::add(Isa::load_part(x + i, n - i), s1);
	}

	template <class Term>
	static float
	search(const SparseRow &few, const SparseRow &many) noexcept
	{
		float met = 0.0f;
		V s0(0.0f), s1(0.0f);
		std::size_t step = many.n / (few.n + 1) / 2 + 1;
		std::size_t at_many = 0, counted = 0;
		for (std::size_t i = 0; i < few.n; i++)
		{
			std::int32_t key = at(few.indices, i);
			at_many = find(many.indices, at_many, many.n, key, step);
			if (at_many < many.n && at(many.indices, at_many) == key)
			{
				met += Term::of(at(few.values, i), at(many.values, at_many));
				if constexpr (Term::kAlone)
					add_alone<Term>(many.values + counted, at_many - counted, s0, s1);
				counted = ++at_many;
			}
			else if constexpr (Term::kAlone)
				met += Term::of(at(few.values, i), 0.0f);
		}
		if constexpr (Term::kAlone)
			add_alone<Term>(many.values + counted, many.n - counted, s0, s1);
		return met + Isa::sum(s0 + s1);
	}

	template <class Term>
	static float
	sum_of(const SparseRow &a, const SparseRow &b) noexcept
	{
		const SparseRow &few = a.n <= b.n ? a : b, &many = a.n <= b.n ? b : a;
		return many.n / kSearchRatio > few.n ? search<Term>(few, many) : merge<Term>(few, many);
	}

	/* A code: blocks of 16 indices and 16 values, L of each at a time. */
	struct CodeBlocks
	{
		const std::uint8_t *at;
		std::size_t left;  // pieces of L
		unsigned part = 0, seen = 0;

		CodeBlocks(const std::uint8_t *code, std::size_t blocks) noexcept : at(code), left(blocks * (16 / L))
		{
		}

		const std::int32_t *
		indices() const noexcept
		{
			return reinterpret_cast<const std::int32_t *>(at) + part * L;
		}

		const float *
		values() const noexcept
		{
			return reinterpret_cast<const float *>(at + 64) + part * L;
		}

		/* As Blocks::advance. */
		template <class Term>
		void
		advance(bool finished, const float *x, V &sum) noexcept
		{
			if constexpr (Term::kAlone)
			{
				sum = Term::add(Isa::keep(x, finished ? ~seen : 0u), sum);
				seen = finished ? 0u : seen;
			}
			left -= finished ? 1 : 0;
			part += finished ? 1 : 0;
			at += part == 16 / L ? 128 : 0;
			part = part == 16 / L ? 0 : part;
		}
	};

	/* Padding has the greatest index, as unsigned, and value 0: it may meet padding. */
	template <class Term>
	static float
	merge_codes(const std::uint8_t *a_code, std::size_t a_blocks, const std::uint8_t *b_code,
				std::size_t b_blocks) noexcept
	{
		CodeBlocks a(a_code, a_blocks), b(b_code, b_blocks);
		V met(0.0f), alone_a(0.0f), alone_b(0.0f);
		while (a.left > 0 && b.left > 0)
		{
			const std::int32_t *ai = a.indices(), *bi = b.indices();
			const float *av = a.values(), *bv = b.values();
			auto a_last = static_cast<std::uint32_t>(at(ai, L - 1)), b_last = static_cast<std::uint32_t>(at(bi, L - 1));
			unsigned in_a = Isa::among(ai, bi);
			if (in_a != 0)
			{
				unsigned in_b = Isa::among(bi, ai);
				met = Term::add(Isa::compress(av, in_a), Isa::compress(bv, in_b), met);
				a.seen |= in_a;
				b.seen |= in_b;
			}
			a.template advance<Term>(a_last <= b_last, av, alone_a);
			b.template advance<Term>(b_last <= a_last, bv, alone_b);
		}
		if constexpr (Term::kAlone)
		{
			while (a.left > 0)
				a.template advance<Term>(true, a.values(), alone_a);
			while (b.left > 0)
				b.template advance<Term>(true, b.values(), alone_b);
		}
		return Isa::sum(met + (alone_a + alone_b));
	}

	static float
	block_inner_product(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b,
						std::size_t b_blocks) noexcept
	{
		return merge_codes<Product>(a, a_blocks, b, b_blocks);
	}

	static float
	block_l1(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b, std::size_t b_blocks) noexcept
	{
		return merge_codes<AbsoluteDifference>(a, a_blocks, b, b_blocks);
	}

	static float
	l2_squared(const SparseRow &a, const SparseRow &b) noexcept
	{
		return sum_of<SquaredDifference>(a, b);
	}

	static float
	inner_product(const SparseRow &a, const SparseRow &b) noexcept
	{
		return sum_of<Product>(a, b);
	}

	static float
	l1(const SparseRow &a, const SparseRow &b) noexcept
	{
		return sum_of<AbsoluteDifference>(a, b);
	}
};

}  // namespace vecdb::core::distance::simd
