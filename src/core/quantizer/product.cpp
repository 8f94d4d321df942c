/* SPDX-License-Identifier: PostgreSQL
 * Product quantization: training, codes and the query's tables.
 *
 * Regime: core.
 * A panel of 16 codes is what Kernels::dot_panel multiplies with, so encoding and tables are the same loop.
 */
#include "vecdb/quantizer/product.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "vecdb/base/random.hpp"
#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::quantizer
{
namespace
{

constexpr std::uint32_t kPanel = 16;
constexpr std::uint32_t kMostCodes = 256;
constexpr std::uint32_t kIterations = 8;
/* One row in so many is left out of the training, to measure with, where that leaves enough rows a code. */
constexpr std::uint32_t kMeasureEvery = 8;
constexpr std::uint32_t kMostMeasured = 2048, kMostPairs = 8;
constexpr double kGreatest = 3e38;

/* out[k] = <x, code k> for `count` rows x; out: `codes` floats a row. */
void
products(const float *const *rows, std::size_t count, const float *panels, std::uint32_t codes, std::size_t length,
		 float *out) noexcept
{
	const distance::Kernels &k = distance::kernels();
	for (std::uint32_t first = 0; first < codes; first += kPanel)
		k.dot_panel(rows, count, panels + first * length, length, out + first, codes);
}

/* The code that is nearest, from what products() gives: least half norm - product. */
std::uint32_t
nearest(const float *dots, const float *half_norms, std::uint32_t codes) noexcept
{
	/* Sixteen at a time, so that the compiler keeps them in registers. */
	float least[kPanel];
	std::uint32_t at[kPanel];
	for (std::uint32_t j = 0; j < kPanel; j++)
	{
		least[j] = half_norms[j] - dots[j];
		at[j] = 0;
	}
	for (std::uint32_t first = kPanel; first < codes; first += kPanel)
		for (std::uint32_t j = 0; j < kPanel; j++)
		{
			float score = half_norms[first + j] - dots[first + j];
			bool less = score < least[j];
			least[j] = less ? score : least[j];
			at[j] = less ? first : at[j];
		}
	std::uint32_t best = 0;
	for (std::uint32_t j = 1; j < kPanel; j++)
		if (least[j] < least[best])
			best = j;
	return at[best] + best;
}

/* One segment's k-means. */
class SegmentTraining
{
public:
	SegmentTraining(const Codebooks &books, std::uint32_t segment, float *vectors)
		: books_(books), segment_(segment), codes_(books.codes()), length_(books.length(segment)),
		  panels_(vectors + (books.segment(segment) - books.vectors)),
		  half_norms_(vectors + (books.half_norms(segment) - books.vectors))
	{
	}

	/* rows: pointers to whole residuals. */
	void
	run(Workers &workers, const std::vector<const float *> &rows, std::uint64_t seed)
	{
		std::vector<const float *> parts(rows.size());
		for (std::size_t i = 0; i < rows.size(); i++)
			parts[i] = rows[i] + books_.first(segment_);
		start(parts, seed);
		/* As many codes as rows or more: each row has its own already. */
		for (std::uint32_t round = 0; round < kIterations && parts.size() > codes_; round++)
		{
			workers.poll();
			if (!improve(parts, seed ^ splitmix64(round + 1)))
				break;
		}
	}

private:
	static constexpr std::size_t kRowsAtOnce = 96;

	void
	set_code(std::uint32_t code, const float *x)
	{
		double norm2 = 0;
		for (std::uint32_t j = 0; j < length_; j++)
		{
			panels_[books_.place(segment_, code, j)] = x[j];
			norm2 += static_cast<double>(x[j]) * x[j];
		}
		half_norms_[code] = static_cast<float>(std::min(norm2 / 2, kGreatest));
	}

	/* Rows spread over all; what repeats a row does no harm. */
	void
	start(const std::vector<const float *> &parts, std::uint64_t seed)
	{
		const std::vector<float> zero(length_);
		const std::size_t n = parts.size();
		for (std::uint32_t code = 0; code < codes_; code++)
		{
			if (n == 0)
			{
				set_code(code, zero.data());
				continue;
			}
			std::size_t begin = n * code / codes_, end = n * (code + 1) / codes_;
			std::size_t row = n <= codes_ ? code % n
										  : begin + splitmix64(seed + code) % std::max<std::size_t>(end - begin, 1);
			set_code(code, parts[row]);
		}
	}

	/* One round of Lloyd. False: no row has changed its code. */
	bool
	improve(const std::vector<const float *> &parts, std::uint64_t seed)
	{
		std::vector<float> dots(kRowsAtOnce * codes_), mean(length_);
		std::vector<double> sums(static_cast<std::size_t>(codes_) * length_);
		std::vector<std::uint32_t> size(codes_);
		bool changed = assigned_.empty();
		assigned_.resize(parts.size());
		for (std::size_t first = 0; first < parts.size(); first += kRowsAtOnce)
		{
			const std::size_t n = std::min(kRowsAtOnce, parts.size() - first);
			products(parts.data() + first, n, panels_, codes_, length_, dots.data());
			for (std::size_t i = 0; i < n; i++)
			{
				auto code = static_cast<std::uint8_t>(nearest(dots.data() + i * codes_, half_norms_, codes_));
				changed |= assigned_[first + i] != code;
				assigned_[first + i] = code;
				size[code]++;
				const float *x = parts[first + i];
				for (std::uint32_t j = 0; j < length_; j++)
					sums[static_cast<std::size_t>(code) * length_ + j] += static_cast<double>(x[j]);
			}
		}
		for (std::uint32_t code = 0; code < codes_ && changed; code++)
		{
			/* A code that nobody wants begins again at some row. */
			if (size[code] == 0)
			{
				set_code(code, parts[splitmix64(seed + code) % parts.size()]);
				continue;
			}
			for (std::uint32_t j = 0; j < length_; j++)
				mean[j] = static_cast<float>(sums[static_cast<std::size_t>(code) * length_ + j] / size[code]);
			set_code(code, mean.data());
		}
		return changed;
	}

	const Codebooks &books_;
	std::uint32_t segment_, codes_, length_;
	float *panels_, *half_norms_;
	std::vector<std::uint8_t> assigned_;
};

double
dot(const float *a, const float *b, std::size_t n) noexcept
{
	double sum = 0;
	for (std::size_t i = 0; i < n; i++)
		sum += static_cast<double>(a[i]) * b[i];
	return sum;
}

/*
 * Rows stand for queries too: the error of <r, p> as estimated from r's code, over rho |p|, p being another row; root of
 * the mean square. Not less than it would be in directions that have nothing to do with the rows.
 */
double
measure(Workers &workers, const Codebooks &books, const std::vector<const float *> &rows)
{
	const std::size_t n = std::min<std::size_t>(rows.size(), kMostMeasured), dims = books.code_dims;
	if (n < 2)
		return 0;
	std::vector<double> seen(n, -1.0), blind(n, -1.0);
	workers.parallel(n, 16, [&](std::size_t begin, std::size_t end, unsigned) {
		std::vector<std::uint8_t> codes(books.segments);
		std::vector<float> y(dims);
		for (std::size_t i = begin; i < end; i++)
		{
			const float *r = rows[i];
			product_encode(books, r, codes.data());
			product_decode(books, codes.data(), y.data());
			double squares = dot(r, r, dims), agreement = dot(y.data(), r, dims);
			if (!(agreement > 0) || !(squares > 0))
				continue;
			double rho = squares / agreement;
			double across = std::max(dot(y.data(), y.data(), dims) - agreement * agreement / squares, 0.0);
			blind[i] = across / static_cast<double>(std::max<std::size_t>(dims - 1, 1));
			double sum = 0;
			unsigned pairs = 0;
			for (unsigned j = 1; j <= kMostPairs; j++)
			{
				const float *p = rows[(i + j * (n / (kMostPairs + 1) + 1)) % n];
				double norm2 = dot(p, p, dims);
				if (p == r || !(norm2 > 0))
					continue;
				double error = dot(r, p, dims) / rho - dot(y.data(), p, dims);
				sum += error * error / norm2;
				pairs++;
			}
			seen[i] = pairs > 0 ? sum / pairs : 0;
		}
	});
	double of_seen = 0, of_blind = 0;
	std::size_t count = 0;
	for (std::size_t i = 0; i < n; i++)
		if (blind[i] >= 0)
		{
			of_seen += seen[i];
			of_blind += blind[i];
			count++;
		}
	return count == 0 ? 0 : std::sqrt(std::max(of_seen, of_blind) / static_cast<double>(count));
}

}  // namespace

Status
product_train(Workers &workers, const ProductTraining &training, const Codebooks &books, float *vectors,
			  float *deviation) noexcept
{
	return guarded([&] {
		const bool leave_out = training.count / 2 > books.codes();
		std::vector<const float *> rows, left;
		for (std::uint32_t i = 0; i < training.count; i++)
			(leave_out && i % kMeasureEvery == kMeasureEvery - 1 ? left : rows).push_back(training.rows[i]);
		workers.parallel(books.segments, 1, [&](std::size_t begin, std::size_t end, unsigned) {
			for (std::size_t s = begin; s < end; s++)
				SegmentTraining(books, static_cast<std::uint32_t>(s), vectors)
					.run(workers, rows, splitmix64(training.seed + s));
		});
		*deviation = static_cast<float>(std::min(measure(workers, books, leave_out ? left : rows), kGreatest));
	});
}

void
product_encode(const Codebooks &books, const float *r, std::uint8_t *codes) noexcept
{
	float dots[kMostCodes];
	for (std::uint32_t s = 0; s < books.segments; s++)
	{
		const float *x = r + books.first(s);
		products(&x, 1, books.segment(s), books.codes(), books.length(s), dots);
		codes[s] = static_cast<std::uint8_t>(nearest(dots, books.half_norms(s), books.codes()));
	}
}

void
product_decode(const Codebooks &books, const std::uint8_t *codes, float *y) noexcept
{
	for (std::uint32_t s = 0; s < books.segments; s++)
	{
		const float *panels = books.segment(s);
		for (std::uint32_t j = 0; j < books.length(s); j++)
			y[books.first(s) + j] = panels[books.place(s, codes[s], j)];
	}
}

void
product_sums(const Codebooks &books, const std::uint8_t *codes, const float *r, const float *u, double out[3]) noexcept
{
	out[0] = out[1] = out[2] = 0;
	for (std::uint32_t s = 0; s < books.segments; s++)
	{
		const float *panels = books.segment(s) + books.place(s, codes[s], 0);
		const std::size_t first = books.first(s), length = books.length(s);
		for (std::size_t j = 0; j < length; j++)
		{
			double y = panels[j * kPanel];
			out[0] += y * static_cast<double>(r[first + j]);
			out[1] += u != nullptr ? y * static_cast<double>(u[first + j]) : 0.0;
			out[2] += y * y;
		}
	}
}

void
product_table(const Codebooks &books, const float *q, float *table) noexcept
{
	for (std::uint32_t s = 0; s < books.segments; s++)
	{
		const float *x = q + books.first(s);
		products(&x, 1, books.segment(s), books.codes(), books.length(s),
				 table + (static_cast<std::size_t>(s) << books.bits));
	}
}

SignQuery
product_query(const Codebooks &books, const float *q, std::uint8_t *lut, float *scratch) noexcept
{
	constexpr double kMostEntry = 127, kMostSum = 64900, kLeastStep = 1e-30;
	product_table(books, q, scratch);
	SignQuery query = {};
	query.lut = lut;
	query.segments = books.segments;
	double widest = 0, all = 0, bias = 0;
	for (std::uint32_t s = 0; s < books.segments; s++)
	{
		const float *entry = scratch + s * kPanel;
		float least = entry[0], most = entry[0];
		for (std::uint32_t k = 1; k < kPanel; k++)
		{
			least = std::min(least, entry[k]);
			most = std::max(most, entry[k]);
		}
		double range = static_cast<double>(most) - least;
		widest = std::max(widest, range);
		all += range;
		bias += least;
	}
	/* NaN, too, of a table that has overflowed. */
	if (!(all <= kGreatest) || !(std::fabs(bias) <= kGreatest))
	{
		std::memset(lut, 0, query.segments * 16);
		return query;
	}
	/* An entry is rounded up by half a step at most. */
	double step = std::max(widest / kMostEntry, all / (kMostSum - 0.5 * books.segments));
	query.step = static_cast<float>(std::max(step * (1 + 1e-6), kLeastStep));
	query.bias = static_cast<float>(bias);
	const float inverse = 1 / query.step;
	for (std::uint32_t s = 0; s < books.segments; s++)
	{
		const float *entry = scratch + s * kPanel;
		float least = *std::min_element(entry, entry + kPanel);
		for (std::uint32_t k = 0; k < kPanel; k++)
			lut[s * kPanel + k] = static_cast<std::uint8_t>(std::min((entry[k] - least) * inverse + 0.5f, 127.0f));
	}
	return query;
}

}  // namespace vecdb::core::quantizer
