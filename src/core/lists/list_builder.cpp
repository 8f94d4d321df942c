/* SPDX-License-Identifier: PostgreSQL
 * The bulk build of lists: rows, clusters, centres, where every page lies, and the images of the pages.
 *
 * Regime: core. No exception leaves.
 * Order:  a list's pages are in extents: up to some list pages, then their slot pages. All block numbers follow from the numbers of
 *         rows, so the threads fill pages in any order.
 * Space:  rows are kept, clustered and measured in "cluster space": code space where codes or slots want that, else (Slots::float32, bits)
 *         the same without the rotation, which changes no distance; there the rows are kept as they came (unit length for cosine,
 *         bit strings as bytes).
 */
#include "vecdb/lists/list_builder.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory_resource>
#include <new>
#include <numeric>
#include <optional>

#include "probe_meter.hpp"
#include "vecdb/base/random.hpp"
#include "vecdb/base/workers.hpp"
#include "vecdb/cluster/kmeans.hpp"
#include "vecdb/quantizer/origin.hpp"
#include "vecdb/quantizer/product.hpp"

namespace vecdb::core::lists
{

using namespace layout;

namespace
{

constexpr std::size_t kLeastChunkBytes = 256u << 10, kMostChunkBytes = 16u << 20;
constexpr std::uint32_t kLeastChunkRows = 64;
/* Rows brought into code space at a time; worth a job of the threads: some of these. */
constexpr std::uint32_t kConvertRows = 256, kConvertJob = 16 * kConvertRows;
constexpr std::uint32_t kMostRows = 0xFFFFFF00u;
/* Rows that the mean is taken from, at most, and their bytes. */
constexpr std::uint32_t kMeanRows = 2048;
constexpr std::size_t kMeanBytes = 16u << 20;
/* Pages of an extent, about; and of a batch. */
constexpr std::uint32_t kExtentPages = 256, kBatchPages = 512;
constexpr std::uint32_t kPollRows = 4096;

/* The pages of one list, in order: list pages in extents with their slot pages. */
struct Chain
{
	const IvfShape *shape;
	std::uint32_t rows;
	std::uint32_t head;

	std::uint32_t
	list_pages() const noexcept
	{
		return rows == 0 ? 1 : (rows - 1) / shape->lanes_per_page + 1;
	}
	std::uint32_t
	rows_on(std::uint32_t page) const noexcept
	{
		return std::min(shape->lanes_per_page, rows - page * shape->lanes_per_page);
	}
	/* Slot pages in use by a list page with so many rows. */
	std::uint32_t
	slot_pages(std::uint32_t n) const noexcept
	{
		return n == 0 || shape->slot_pages == 0 ? 0 : shape->slot_page_of(n - 1) + shape->pages_per_slot;
	}
	/* List pages of an extent, all but the last. */
	std::uint32_t
	extent_list_pages() const noexcept
	{
		return std::max<std::uint32_t>(kExtentPages / (1 + shape->slot_pages), 1);
	}
	std::uint32_t
	extents() const noexcept
	{
		return (list_pages() - 1) / extent_list_pages() + 1;
	}
	/* All list pages in front of the last are full. */
	std::uint64_t
	pages() const noexcept
	{
		const std::uint64_t n = list_pages();
		return n + (n - 1) * shape->slot_pages + slot_pages(rows_on(static_cast<std::uint32_t>(n - 1)));
	}
	std::uint32_t
	extent_block(std::uint32_t extent) const noexcept
	{
		return head + extent * extent_list_pages() * (1 + shape->slot_pages);
	}
	std::uint32_t
	extent_pages(std::uint32_t extent) const noexcept
	{
		return static_cast<std::uint32_t>((extent + 1 < extents() ? extent_block(extent + 1) : head + pages()) -
										  extent_block(extent));
	}
	std::uint32_t
	list_page_block(std::uint32_t page) const noexcept
	{
		return extent_block(page / extent_list_pages()) + page % extent_list_pages();
	}
};

/* Part of a batch: an extent of a list; list == lists: of the directory. */
struct Piece
{
	std::uint32_t list, extent;
	std::uint32_t image;  // where its pages begin in the batch
};

struct Batch
{
	std::vector<Piece> pieces;
	Mapping images;
	std::size_t capacity = 0;  // pages
	std::uint32_t first_block = 0, pages = 0;
	std::uint64_t rows = 0;

	std::uint8_t *
	page(std::uint32_t number) const noexcept
	{
		return static_cast<std::uint8_t *>(images.get()) + static_cast<std::size_t>(number) * kPageBytes;
	}
};

void
set_trailer(std::uint8_t *page, IvfPageKind kind, std::uint32_t owner, std::uint32_t used_end)
{
	PageTrailer trailer = {};
	trailer.kind = static_cast<std::uint16_t>(kind);
	trailer.owner = owner;
	trailer.page_id = kIvfPageId;
	std::memcpy(page + kPageBytes - kPageTrailerBytes, &trailer, sizeof trailer);
	const auto end = static_cast<std::uint16_t>(used_end);
	std::memcpy(page, &end, sizeof end);
}

void
to_unit_length(float *v, std::uint32_t n)
{
	double norm2 = 0;
	for (std::uint32_t j = 0; j < n; j++)
		norm2 += static_cast<double>(v[j]) * static_cast<double>(v[j]);
	const double length = std::sqrt(norm2);
	for (std::uint32_t j = 0; j < n; j++)
		v[j] = static_cast<float>(static_cast<double>(v[j]) / length);
}

}  // namespace

struct ListBuilder::Impl
{
	ListBuilderOptions options;
	ListCodec codec;
	Workers workers;
	std::atomic<ListPhase> phase{ListPhase::loading};
	std::atomic<std::uint64_t> assigned{0};

	/* Rows: `stride` bytes each, and their TIDs, in chunks of 2^chunk_bits. */
	bool as_came, bits;
	std::uint32_t stride, dims;
	int chunk_bits = 0;
	std::vector<Mapping> chunks;
	std::uint32_t count = 0;
	bool origin_known = false;
	std::uint32_t converted = 0, converting = 0;

	/* --- set by the job of cluster() --- */
	Mapping row_memory, centre_memory;
	std::optional<std::pmr::monotonic_buffer_resource> resource;
	std::optional<cluster::Clusters> clusters;
	std::optional<std::pmr::vector<float>> loose_centres;  // where there are no clusters
	float *centres = nullptr;
	std::uint32_t lists = 0;
	float *codebooks = nullptr;
	std::uint32_t *order = nullptr;  // rows by list
	std::vector<std::uint32_t> first;
	std::vector<float> residual2;
	std::vector<bool> own_table;
	ProbeMeter meter;
	bool measured = false;
	std::vector<std::uint32_t> given_queries;  // numbers
	std::vector<RowTid> given_nearest;

	/* --- pages --- */
	std::vector<std::uint32_t> heads;
	std::uint32_t directory_head = 0;
	std::uint64_t blocks = 0;
	Batch batches[2];
	unsigned filling = 0;
	std::uint32_t next_list = 0, next_extent = 0;
	std::uint64_t rows_begun = 0;

	explicit Impl(const ListBuilderOptions &o) noexcept
		: options(o), codec(o.codec), bits(o.codec.shape.slots == Slots::bits), dims(o.codec.shape.code_dims)
	{
		as_came = bits || o.codec.shape.slots == Slots::float32;
		stride = bits ? (codec.shape.dimensions + 7) / 8 : (as_came ? codec.shape.dimensions : dims) * 4;
		const std::size_t bytes = std::clamp(o.memory / 16, kLeastChunkBytes, kMostChunkBytes);
		const std::size_t fit = std::max<std::size_t>(bytes / stride, kLeastChunkRows);
		chunk_bits = static_cast<int>(std::bit_width(fit)) - 1;
	}

	std::uint32_t
	chunk_rows() const noexcept
	{
		return 1u << chunk_bits;
	}
	std::size_t
	chunk_bytes() const noexcept
	{
		return chunk_rows() * (stride + sizeof(RowTid));
	}
	/* Of bit strings the bytes, as_row(). */
	float *
	row(std::uint32_t i) const noexcept
	{
		return reinterpret_cast<float *>(static_cast<std::uint8_t *>(chunks[i >> chunk_bits].get()) +
										 static_cast<std::size_t>(i & (chunk_rows() - 1)) * stride);
	}
	/* chunk_rows() is even. */
	RowTid &
	tid(std::uint32_t i) const noexcept
	{
		auto *tids = reinterpret_cast<RowTid *>(static_cast<std::uint8_t *>(chunks[i >> chunk_bits].get()) +
												static_cast<std::size_t>(chunk_rows()) * stride);
		return tids[i & (chunk_rows() - 1)];
	}
	const float *
	centre(std::uint32_t list) const noexcept
	{
		return centres + static_cast<std::size_t>(list) * dims;
	}
	/* A row in cluster space. out: dims floats, or null where rows lie in it. */
	const float *
	load(std::uint32_t i, float *out) const noexcept
	{
		const float *v = row(i);
		if (in_place())
			return v;
		if (bits)
		{
			CodeSpace unrotated = codec.space;
			unrotated.rotation.signs = nullptr;
			to_code_space(unrotated, v, out, nullptr);
			return out;
		}
		const std::uint32_t n = codec.shape.dimensions;
		const float *mean = codec.space.mean;
		for (std::uint32_t j = 0; j < n; j++)
			out[j] = mean != nullptr ? v[j] - mean[j] : v[j];
		std::fill(out + n, out + dims, 0.0f);
		return out;
	}
	bool
	in_place() const noexcept
	{
		return !as_came || (!bits && codec.space.mean == nullptr && codec.shape.dimensions == dims);
	}
	cluster::RowSource
	source() const noexcept
	{
		return cluster::RowSource{[](const void *self, std::uint32_t i, float *out) noexcept {
									  return static_cast<const Impl *>(self)->load(i, out);
								  },
								  this, count, dims, in_place()};
	}
	Chain
	chain(std::uint32_t list) const noexcept
	{
		if (list == lists)
			return Chain{&options.directory, lists, directory_head};
		return Chain{&codec.shape, first[list + 1] - first[list], heads[list]};
	}

	std::uint32_t likely_lists(std::uint64_t rows) const noexcept;
	void convert(std::uint32_t end);
	void run();
	void find_lists();
	void one_row_each(std::uint32_t *assignment);
	void sort_rows(std::uint32_t *assignment);
	void find_centres();
	void train_codebooks();
	void fill_batch();
	void fill_piece(const Piece &piece, std::uint8_t *images) const;
	void choose_queries();
	void find_given();
};

std::uint32_t
ListBuilder::Impl::likely_lists(std::uint64_t rows) const noexcept
{
	return options.wanted != 0 ? options.wanted : choose_lists(rows);
}

/* From the rows that there are: a sample, or all. */
void
ListBuilder::Impl::choose_queries()
{
	const auto n = options.sketches ? static_cast<std::uint32_t>(given_queries.size())
									: std::min(count, ProbeMeter::kQueries);
	std::vector<float> queries(static_cast<std::size_t>(n) * dims);
	std::vector<RowTid> names(n);
	CodeSpace cluster_space = codec.space;
	if (as_came)
		cluster_space.rotation.signs = nullptr;
	for (std::uint32_t i = 0; i < n; i++)
	{
		const std::uint64_t begin = static_cast<std::uint64_t>(i) * count / n;
		const std::uint64_t end = (static_cast<std::uint64_t>(i) + 1) * count / n;
		const auto number = options.sketches
								? given_queries[i]
								: static_cast<std::uint32_t>(begin + splitmix64(options.seed + i) % (end - begin));
		to_code_space(cluster_space, row(number), queries.data() + static_cast<std::size_t>(i) * dims, nullptr);
		names[i] = tid(number);
	}
	meter.start(workers.count(), codec.space.metric, dims, std::move(queries), std::move(names));
}

/* The rows that the leader has named as near to the queries, by number. */
void
ListBuilder::Impl::find_given()
{
	if (given_queries.empty())
		return;
	auto key = [](const RowTid &t) { return static_cast<std::uint64_t>(tid_block(t)) << 16 | t.offset; };
	const std::size_t of_each = given_nearest.size() / given_queries.size();
	std::vector<std::pair<std::uint64_t, std::uint32_t>> wanted(given_nearest.size());
	for (std::uint32_t i = 0; i < wanted.size(); i++)
		wanted[i] = {key(given_nearest[i]), i};
	std::sort(wanted.begin(), wanted.end());
	for (std::uint32_t row = 0; row < count; row++)
	{
		if (row % kPollRows == 0)
			workers.poll();
		const std::uint64_t name = key(tid(row));
		for (auto at = std::lower_bound(wanted.begin(), wanted.end(), std::make_pair(name, std::uint32_t{0}));
			 at != wanted.end() && at->first == name; ++at)
			if (!(meter.name(at->second / of_each) == tid(row)))
				meter.note(at->second / of_each, row);
	}
}

/* Rows up to `end` into the space in which they are kept; and what is near the queries is noted on the way. */
void
ListBuilder::Impl::convert(std::uint32_t end)
{
	const std::uint32_t begin = converted;
	const bool cosine = codec.space.metric == Metric::cosine;
	workers.parallel(end - begin, kConvertRows, [&](std::size_t from, std::size_t to, unsigned worker) {
		std::vector<float> space(in_place() ? 0 : (to - from) * dims);
		std::vector<const float *> rows(to - from);
		std::vector<RowTid> names(to - from);
		for (std::size_t i = from; i < to; i++)
		{
			const std::uint32_t number = begin + static_cast<std::uint32_t>(i);
			float *v = row(number);
			if (!as_came)
				to_code_space(codec.space, v, v, nullptr);
			else if (cosine)
				to_unit_length(v, codec.shape.dimensions);
			rows[i - from] = load(number, space.data() + (in_place() ? 0 : (i - from) * dims));
			names[i - from] = tid(number);
		}
		if (!options.sketches)
			meter.look(worker, rows.data(), names.data(), begin + static_cast<std::uint32_t>(from), to - from);
	});
	converted = end;
}

void
ListBuilder::Impl::run()
{
	phase = ListPhase::clustering;
	convert(count);
	if (count > 0)
		find_lists();
	else
		first.assign(1, 0);
	phase = ListPhase::encoding;
}

void
ListBuilder::Impl::find_lists()
{
	auto *assignment = static_cast<std::uint32_t *>(row_memory.get());
	order = assignment + count;
	if (options.wanted > count)
		one_row_each(assignment);
	else
	{
		cluster::KmeansOptions k{};
		k.seed = options.seed;
		k.clusters = options.wanted;
		k.rows_per_cluster = std::max<std::uint32_t>(count / choose_lists(count), 1);
		k.most_rows = 2 * k.rows_per_cluster;
		k.assigned = &assigned;
		clusters.emplace(&*resource);
		check(clusters->find(workers, source(), k));
		phase = ListPhase::assigning;
		check(clusters->place(workers, source(), k, assignment));
		centres = clusters->centroids();
		lists = clusters->count();
	}
	sort_rows(assignment);
	find_centres();
	if (codec.shape.codes == Codes::pq4 || codec.shape.codes == Codes::pq8)
		train_codebooks();
	if (options.sketches)
		find_given();
	measured = meter.finish(workers, centres, lists, assignment);
}

/* More lists than rows: a list for each, and the others begin between two of them. */
void
ListBuilder::Impl::one_row_each(std::uint32_t *assignment)
{
	lists = options.wanted;
	loose_centres.emplace(static_cast<std::size_t>(lists) * dims, &*resource);
	centres = loose_centres->data();
	std::vector<float> one(dims), other(dims);
	for (std::uint32_t i = 0; i < lists; i++)
	{
		if (i % kPollRows == 0)
			workers.poll();
		float *c = centres + static_cast<std::size_t>(i) * dims;
		if (i < count)
		{
			assignment[i] = i;
			std::copy_n(load(i, one.data()), dims, c);
			continue;
		}
		const std::uint64_t chance = splitmix64(options.seed + i);
		const float *a = load(static_cast<std::uint32_t>(chance % count), one.data());
		const float *b = load(static_cast<std::uint32_t>((chance >> 32) % count), other.data());
		const auto share = static_cast<float>(0.2 + 0.3 * unit_open(splitmix64(chance)));
		for (std::uint32_t j = 0; j < dims; j++)
			c[j] = a[j] * (1 - share) + b[j] * share;
	}
	assigned = count;
}

/* order and first; lists, and with them the numbers in assignment, that nobody has asked for by number and that got no row go. */
void
ListBuilder::Impl::sort_rows(std::uint32_t *assignment)
{
	std::vector<std::uint32_t> number(lists, 0);
	for (std::uint32_t i = 0; i < count; i++)
		number[assignment[i]]++;
	first.assign(1, 0);
	std::uint32_t kept = 0;
	for (std::uint32_t list = 0; list < lists; list++)
	{
		const std::uint32_t size = number[list];
		number[list] = kept;
		if (size == 0 && options.wanted == 0)
			continue;
		if (kept != list)
			std::copy_n(centre(list), dims, centres + static_cast<std::size_t>(kept) * dims);
		first.push_back(first.back() + size);
		kept++;
	}
	lists = kept;
	std::vector<std::uint32_t> at(first.begin(), first.end() - 1);
	for (std::uint32_t i = 0; i < count; i++)
	{
		if (i % (1u << 20) == 0)
			workers.poll();
		assignment[i] = number[assignment[i]];
		order[at[assignment[i]]++] = i;
	}
}

/* The mean of all rows of each list. An empty one keeps what it has. */
void
ListBuilder::Impl::find_centres()
{
	residual2.assign(lists, 0);
	std::vector<double> norm2(lists, 0.0);
	workers.parallel(lists, 1, [&](std::size_t list, std::size_t, unsigned) {
		const std::uint32_t begin = first[list], end = first[list + 1];
		if (begin == end)
			return;
		/* Floats for some rows at a time: twice as fast, and what they lose is gone in the mean. */
		constexpr std::uint32_t kRun = 32;
		std::vector<double> sum(dims);
		std::vector<float> space(in_place() ? 0 : dims), part(dims);
		for (std::uint32_t run = begin; run < end; run += kRun)
		{
			if ((run - begin) % kPollRows == 0)
				workers.poll();
			std::fill(part.begin(), part.end(), 0.0f);
			for (std::uint32_t i = run; i < std::min(end, run + kRun); i++)
			{
				const float *x = load(order[i], space.data());
				for (std::uint32_t j = 0; j < dims; j++)
					part[j] += x[j];
			}
			for (std::uint32_t j = 0; j < dims; j++)
				sum[j] += static_cast<double>(part[j]);
		}
		float *c = centres + list * dims;
		for (std::uint32_t j = 0; j < dims; j++)
		{
			c[j] = static_cast<float>(sum[j] / (end - begin));
			norm2[list] += static_cast<double>(c[j]) * static_cast<double>(c[j]);
		}
		const distance::Kernels &k = distance::kernels();
		double total = 0;
		for (std::uint32_t i = begin; i < end; i++)
		{
			if (i % kPollRows == 0)
				workers.poll();
			total += static_cast<double>(k.l2_squared(load(order[i], space.data()), c, dims));
		}
		residual2[list] = static_cast<float>(std::min(total / (end - begin), 3e38));
	});
	own_table.assign(lists, false);
	for (std::uint32_t list = 0; list < lists; list++)
		own_table[list] = wants_own_table(codec.shape, norm2[list], static_cast<double>(residual2[list]));
}

/* From residuals of rows of all lists. */
void
ListBuilder::Impl::train_codebooks()
{
	const std::uint32_t n = std::min(count, quantizer::kSampleRowsPerCode << codec.books.bits);
	std::vector<float> residuals(static_cast<std::size_t>(n) * dims);
	std::vector<const float *> rows(n);
	workers.parallel(n, kConvertRows, [&](std::size_t begin, std::size_t end, unsigned) {
		for (std::size_t i = begin; i < end; i++)
		{
			const auto at = static_cast<std::uint32_t>(static_cast<std::uint64_t>(i) * count / n);
			const auto list = std::upper_bound(first.begin(), first.end(), at) - first.begin() - 1;
			const float *x = row(order[at]), *c = centre(static_cast<std::uint32_t>(list));
			float *r = residuals.data() + i * dims;
			for (std::uint32_t j = 0; j < dims; j++)
				r[j] = x[j] - c[j];
			rows[i] = r;
		}
	});
	codec.books.vectors = codebooks;
	check(quantizer::product_train(workers, quantizer::ProductTraining{rows.data(), n, options.seed}, codec.books,
								   codebooks, &codec.deviation));
}

void
ListBuilder::Impl::fill_batch()
{
	Batch &batch = batches[filling];
	workers.parallel(batch.pieces.size(), 1, [&](std::size_t i, std::size_t, unsigned) {
		fill_piece(batch.pieces[i], batch.page(batch.pieces[i].image));
	});
}

void
ListBuilder::Impl::fill_piece(const Piece &piece, std::uint8_t *images) const
{
	const bool is_directory = piece.list == lists;
	const Chain c = chain(piece.list);
	const IvfShape &shape = *c.shape;
	const std::uint32_t list_pages = c.list_pages();
	const std::uint32_t begin = piece.extent * c.extent_list_pages();
	const std::uint32_t end = std::min(begin + c.extent_list_pages(), list_pages);
	const std::uint32_t block = c.extent_block(piece.extent);
	std::memset(images, 0, static_cast<std::size_t>(c.extent_pages(piece.extent)) * kPageBytes);

	std::vector<float> scratch(2 * static_cast<std::size_t>(shape.code_dims));
	std::vector<float> space(is_directory ? dims : 0);
	std::vector<std::uint8_t> codes(shape.segments + 1), long_slot(shape.pages_per_slot > 1 ? shape.slot_bytes : 0);
	std::uint32_t slot_image = end - begin;
	for (std::uint32_t p = begin; p < end; p++)
	{
		std::uint8_t *page = images + static_cast<std::size_t>(p - begin) * kPageBytes;
		const std::uint32_t n = c.rows_on(p);
		ListHeader header = {};
		header.list_id = is_directory ? 0 : piece.list + 1;
		header.next = p + 1 < list_pages ? c.list_page_block(p + 1) : kNoBlock;
		header.head = c.head;
		header.insert_block = p == 0 ? c.list_page_block(list_pages - 1) : kNoBlock;
		header.blocks = static_cast<std::uint16_t>((n + kLanes - 1) / kLanes);
		header.flags = static_cast<std::uint16_t>((p == 0 ? kListHead : 0) | (is_directory ? kListDirectory : 0) |
												  (!is_directory && own_table[piece.list] ? kListOwnTable : 0));
		if (p == 0)
		{
			header.rows = c.rows;
			header.residual2 = is_directory ? 0 : residual2[piece.list];
		}
		std::memcpy(page + kPageHeaderBytes, &header, sizeof header);
		set_trailer(page, IvfPageKind::list, 0, shape.block_offset(header.blocks));
		const std::uint32_t slot_pages = c.slot_pages(n);
		for (std::uint32_t s = 0; s < slot_pages; s++)
		{
			const std::uint32_t number = block + slot_image + s;
			std::memcpy(page + kPageHeaderBytes + sizeof header + 4 * s, &number, sizeof number);
		}
		for (std::uint32_t lane = 0; lane < n; lane++)
		{
			CodedRow coded{0, 0, codes.data(), nullptr};
			const std::uint32_t slot_page = shape.slots == Slots::none ? 0 : shape.slot_page_of(lane);
			std::uint8_t *first_slot_page = images + static_cast<std::size_t>(slot_image + slot_page) * kPageBytes;
			if (shape.pages_per_slot > 1)
				coded.slot = long_slot.data();
			else if (shape.slots != Slots::none)
				coded.slot = first_slot_page + shape.slot_offset(lane);
			RowTid where;
			if (is_directory)
			{
				const std::uint32_t list = p * shape.lanes_per_page + lane;
				const float *centre_of_list = centre(list);
				if (as_came && codec.space.rotation.signs != nullptr)
				{
					std::copy_n(centre_of_list, dims, space.data());
					quantizer::rotate(codec.space.rotation, space.data());
					centre_of_list = space.data();
				}
				where = make_tid(heads[list], 1);
				encode_centre(shape, centre_of_list, where, coded, scratch.data());
			}
			else
			{
				const std::uint32_t i = order[first[piece.list] + p * shape.lanes_per_page + lane];
				where = tid(i);
				encode_row(codec, centre(piece.list), own_table[piece.list], as_came ? row(i) : nullptr,
						   as_came ? nullptr : row(i), where, coded, scratch.data());
			}
			put_lane(shape, page + shape.block_offset(lane / kLanes), lane % kLanes, coded, where);
			if (shape.slots == Slots::none)
				continue;
			for (std::uint32_t part = 0; part < shape.pages_per_slot; part++)
			{
				std::uint8_t *slot_image_page = first_slot_page + static_cast<std::size_t>(part) * kPageBytes;
				const std::uint32_t done = part * kSlotPartBytes;
				const std::uint32_t bytes = std::min(kSlotPartBytes, shape.slot_bytes - done);
				if (shape.pages_per_slot > 1)
					std::memcpy(slot_image_page + kPageHeaderBytes, long_slot.data() + done, bytes);
				set_trailer(slot_image_page, IvfPageKind::slots, block + (p - begin), shape.slot_offset(lane) + bytes);
			}
		}
		slot_image += slot_pages;
	}
}

/* --- the leader's side --- */

ListBuilder::~ListBuilder()
{
	stop();
	delete impl_;
}

Status
ListBuilder::start(const ListBuilderOptions &options) noexcept
{
	impl_ = new (std::nothrow) Impl(options);
	return impl_ == nullptr ? Status::out_of_memory() : impl_->workers.start(std::max(options.threads, 1u));
}

std::uint32_t
ListBuilder::room_rows() const noexcept
{
	return impl_->chunk_rows();
}

std::size_t
ListBuilder::room_bytes() const noexcept
{
	return impl_->chunk_bytes();
}

Status
ListBuilder::add_room(MemorySource source) noexcept
{
	if (impl_->count > kMostRows - impl_->chunk_rows())
		return Status::error(Code::limit_exceeded, "too many rows for an ivf index");
	return guarded([&] {
		/* The threads look at rows while there are more and more chunks: the table of those must not move under them. */
		while (impl_->chunks.size() == impl_->chunks.capacity() && !impl_->workers.wait_idle(10))
			;
		Mapping chunk;
		if (!chunk.map(source.file, source.offset, room_bytes()))
			throw std::bad_alloc();
		impl_->chunks.push_back(std::move(chunk));
	});
}

bool
ListBuilder::has_room() const noexcept
{
	return impl_->count < impl_->chunks.size() << impl_->chunk_bits;
}

void
ListBuilder::append(const float *v, RowTid tid) noexcept
{
	Impl &impl = *impl_;
	std::memcpy(impl.row(impl.count), v, impl.bits ? impl.stride : impl.codec.shape.dimensions * sizeof(float));
	impl.tid(impl.count) = tid;
	impl.count++;
}

std::uint32_t
ListBuilder::rows() const noexcept
{
	return impl_->count;
}

void
ListBuilder::forget_rows() noexcept
{
	impl_->count = 0;
}

Status
ListBuilder::find_mean(float *mean, double *norm, bool *found) const noexcept
{
	const Impl &impl = *impl_;
	const std::uint32_t dimensions = impl.codec.shape.dimensions;
	*found = false;
	if (impl.count == 0)
		return Status::success();
	return guarded([&] {
		const std::size_t fit = std::max<std::size_t>(kMeanBytes / (dimensions * sizeof(float)), 16);
		const auto n = static_cast<std::uint32_t>(std::min<std::size_t>({kMeanRows, fit, impl.count}));
		std::vector<const float *> rows(n);
		std::vector<double> scratch(2 * static_cast<std::size_t>(n));
		std::vector<float> unpacked(impl.bits ? static_cast<std::size_t>(n) * impl.dims : 0);
		for (std::uint32_t i = 0; i < n; i++)
		{
			const auto row = static_cast<std::uint32_t>(static_cast<std::uint64_t>(impl.count) * i / n);
			rows[i] = impl.bits ? impl.load(row, unpacked.data() + static_cast<std::size_t>(i) * impl.dims)
								: impl.row(row);
		}
		*found = quantizer::trimmed_mean(rows.data(), n, dimensions, impl.codec.space.metric == Metric::cosine,
										 scratch.data(), mean, norm);
	});
}

Status
ListBuilder::set_mean(const float *mean, double norm) noexcept
{
	impl_->codec.space.mean = mean;
	impl_->codec.space.mean_norm = norm;
	impl_->origin_known = true;
	return guarded([&] { impl_->choose_queries(); });
}

Status
ListBuilder::use_queries(const std::uint32_t *numbers, std::uint32_t count) noexcept
{
	return guarded([&] { impl_->given_queries.assign(numbers, numbers + count); });
}

Status
ListBuilder::use_nearest(const RowTid *rows, std::uint32_t of_each) noexcept
{
	return guarded([&] { impl_->given_nearest.assign(rows, rows + impl_->given_queries.size() * of_each); });
}

Status
ListBuilder::convert_some() noexcept
{
	Impl &impl = *impl_;
	if (!impl.origin_known || impl.count - impl.converting < kConvertJob || !impl.workers.wait_idle(0))
		return Status::success();
	impl.converting = impl.count;
	return impl.workers.run(
		[](void *self) {
			auto &i = *static_cast<Impl *>(self);
			i.convert(i.converting);
		},
		impl_);
}

std::size_t
ListBuilder::row_bytes() const noexcept
{
	return static_cast<std::size_t>(std::max<std::uint32_t>(impl_->count, 1)) * 2 * sizeof(std::uint32_t);
}

std::size_t
ListBuilder::centre_bytes() const noexcept
{
	const Impl &impl = *impl_;
	const std::size_t bytes = static_cast<std::size_t>(impl.likely_lists(impl.count) + 64) * impl.dims * sizeof(float);
	/* Centres, the same in panels, and where large lists are split another copy and some more lists. */
	return impl.options.wanted != 0 ? bytes * (impl.options.wanted > impl.count ? 1 : 2) + (1u << 20)
									: bytes * 7 / 2 + (1u << 20);
}

Status
ListBuilder::cluster(MemorySource rows, MemorySource centres, float *codebooks) noexcept
{
	Impl &impl = *impl_;
	Status status = guarded([&] {
		while (!impl.workers.wait_idle(10))
			;
		if (!impl.row_memory.map(rows.file, rows.offset, row_bytes()) ||
			!impl.centre_memory.map(centres.file, centres.offset, centre_bytes()))
			throw std::bad_alloc();
		impl.resource.emplace(impl.centre_memory.get(), centre_bytes());
	});
	if (!status.ok())
		return status;
	impl.codebooks = codebooks;
	return impl.workers.run([](void *self) { static_cast<Impl *>(self)->run(); }, impl_);
}

bool
ListBuilder::wait_idle(int milliseconds) noexcept
{
	return impl_->workers.wait_idle(milliseconds);
}

ListPhase
ListBuilder::phase() const noexcept
{
	return impl_->phase.load(std::memory_order_relaxed);
}

std::uint64_t
ListBuilder::assigned() const noexcept
{
	return impl_->assigned.load(std::memory_order_relaxed);
}

void
ListBuilder::stop() noexcept
{
	if (impl_ != nullptr)
		impl_->workers.stop();
}

Status
ListBuilder::status() const noexcept
{
	return impl_->workers.status();
}

Status
ListBuilder::lay_out(std::uint32_t first_block) noexcept
{
	Impl &impl = *impl_;
	return guarded([&] {
		std::uint64_t block = first_block;
		impl.heads.assign(impl.lists, 0);
		for (std::uint32_t list = 0; list <= impl.lists; list++)
		{
			(list < impl.lists ? impl.heads[list] : impl.directory_head) = static_cast<std::uint32_t>(block);
			block += impl.chain(list).pages();
			if (block >= kNoBlock)
				throw Failure{Status::error(Code::limit_exceeded, "index would have too many pages")};
		}
		impl.blocks = block;
	});
}

bool
ListBuilder::begin_batch(Status &status) noexcept
{
	Impl &impl = *impl_;
	status = Status::success();
	if (impl.next_list > impl.lists)
		return false;
	impl.filling ^= 1;
	status = guarded([&] {
		Batch &batch = impl.batches[impl.filling];
		batch.pieces.clear();
		batch.pages = 0;
		while (impl.next_list <= impl.lists && batch.pages < kBatchPages)
		{
			const Chain chain = impl.chain(impl.next_list);
			const std::uint32_t pages = chain.extent_pages(impl.next_extent);
			if (batch.pages > 0 && batch.pages + pages > kBatchPages)
				break;
			if (batch.pages == 0)
				batch.first_block = chain.extent_block(impl.next_extent);
			batch.pieces.push_back(Piece{impl.next_list, impl.next_extent, batch.pages});
			batch.pages += pages;
			if (impl.next_extent == 0 && impl.next_list < impl.lists)
				impl.rows_begun += chain.rows;
			if (++impl.next_extent == chain.extents())
			{
				impl.next_extent = 0;
				impl.next_list++;
			}
		}
		batch.rows = impl.rows_begun;
		if (batch.pages > batch.capacity)
		{
			batch.capacity = std::max(batch.pages, kBatchPages);
			if (!batch.images.map(-1, 0, batch.capacity * kPageBytes))
				throw std::bad_alloc();
		}
	});
	if (status.ok())
		status = impl.workers.run([](void *self) { static_cast<Impl *>(self)->fill_batch(); }, impl_);
	return status.ok();
}

PageBatch
ListBuilder::batch() const noexcept
{
	const Batch &batch = impl_->batches[impl_->filling];
	return PageBatch{batch.page(0), batch.first_block, batch.pages, batch.rows};
}

std::uint32_t
ListBuilder::lists() const noexcept
{
	return impl_->lists;
}

std::uint32_t
ListBuilder::directory_block() const noexcept
{
	return impl_->directory_head;
}

float
ListBuilder::deviation() const noexcept
{
	return impl_->codec.deviation;
}

std::uint64_t
ListBuilder::blocks() const noexcept
{
	return impl_->blocks;
}

bool
ListBuilder::probes(std::uint32_t out[4]) const noexcept
{
	std::copy_n(impl_->meter.probes(), 4, out);
	return impl_->measured;
}

}  // namespace vecdb::core::lists
