/* SPDX-License-Identifier: PostgreSQL
 * vecdb.check_index() of an ivf index: lanes, their slots and codes; the rows of the table.
 *
 * Regime: shell.
 * A code follows from the row and its list's centre, and is worked out again here: from the slot, within what the slot has lost,
 * and with the table at hand from the row itself, but for rounding (sums differ by instruction set).
 */
#include "maintenance/check_ivf.hpp"

#include <algorithm>
#include <cmath>

#include "ivf/insert.hpp"
#include "vecdb/distance/kernels.hpp"
#include "vecdb/lists/row_set.hpp"

namespace vecdb::maintenance
{

using namespace core::layout;
using core::lists::block_header;
using core::lists::block_tids;
using ivf::IvfShape;

/* Relative error of sums of floats in another order. */
constexpr double kRounding = 1e-5;

static uint32
heap_block(uint64 tid)
{
	return static_cast<uint32>(tid >> 16);
}

static uint32
heap_offset(uint64 tid)
{
	return static_cast<uint32>(tid & 0xffff);
}

static SlotHeader
slot_header(const uint8 *slot)
{
	SlotHeader header;
	memcpy(&header, slot, sizeof header);
	return header;
}

static bool
is_relative(const IvfShape &shape)
{
	return shape.slots == Slots::sq4 || shape.slots == Slots::sq8 || shape.slots == Slots::half;
}

/* --- slots --- */

/* All parts of the slot to c->slot. False: a page of it is missing. */
static bool
copy_slot(IvfCheck *c, const IvfShape &shape, uint32 lane)
{
	uint32 entry = shape.slot_page_of(lane);
	for (uint32 part = 0, done = 0; part < shape.pages_per_slot; part++)
	{
		BlockNumber blkno = ivf::slot_blocks(c->page)[entry + part];
		if (blkno == 0 || blkno >= c->blocks || c->kinds[blkno] != static_cast<uint8>(IvfPageKind::slots))
			return false;
		uint32 bytes = std::min(shape.slot_bytes - done, kSlotPartBytes);
		Buffer buffer = ReadBuffer(c->index, blkno);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		memcpy(c->slot + done, BufferGetPage(buffer) + shape.slot_offset(lane), bytes);
		UnlockReleaseBuffer(buffer);
		done += bytes;
	}
	return true;
}

bool
read_slot(IvfCheck *c, const IvfShape &shape, BlockNumber owner, uint32 lane, RowTid tid)
{
	if (!copy_slot(c, shape, lane))
	{
		ivf_problem(c, kIvfSlot, owner, "lane %u: there is no page for its slot", lane);
		return false;
	}
	SlotHeader header = slot_header(c->slot);
	if (header.crc != core::lists::slot_crc(shape, c->slot))
	{
		ivf_problem(c, kIvfChecksum, owner, "lane %u: checksum of its slot does not match", lane);
		return false;
	}
	if (!(header.tid == tid))
	{
		ivf_problem(c, kIvfSlot, owner, "lane %u: its slot is of row (%u,%u)", lane, tid_block(header.tid),
					header.tid.offset);
		return false;
	}
	return true;
}

/* The centre of a list to c->centre. Changes c->page and c->slot. */
static bool
read_centre(IvfCheck *c, const ListEntry &list)
{
	copy_ivf_page(c, list.page);
	if (!copy_slot(c, c->directory, list.lane))
		return false;
	memcpy(c->centre, c->slot + sizeof(SlotHeader), c->shape.code_dims * sizeof(float));
	return true;
}

/* --- codes --- */

/* How far a row in code space, c->x, may be from the one that was coded: in each element, and in Euclidean norm. */
struct Slack
{
	double element;
	double norm;
};

static double
greatest(const float *values, uint32 n)
{
	float most = 0;
	for (uint32 i = 0; i < n; i++)
		most = std::fmax(most, std::fabs(values[i]));
	return static_cast<double>(most);
}

static double
norm_of(const float *values, uint32 n)
{
	double sum = 0;
	for (uint32 i = 0; i < n; i++)
		sum += static_cast<double>(values[i]) * values[i];
	return std::sqrt(sum);
}

static uint8
lane_code(const IvfShape &shape, const uint8 *block, uint32 lane, uint32 segment)
{
	const uint8 *codes = block + shape.codes_offset;
	if (shape.codes == Codes::pq8)
		return codes[segment * kLanes + lane];
	return static_cast<uint8>(codes[segment * 16 + lane % 16] >> (lane < 16 ? 0 : 4) & 15);
}

static double
distance_to_word(const core::lists::Codebooks &books, const float *residual, uint32 segment, uint8 word)
{
	const float *panels = books.segment(segment);
	double sum = 0;
	for (uint32 i = 0; i < books.length(segment); i++)
	{
		double d = static_cast<double>(residual[books.first(segment) + i]) - panels[books.place(segment, word, i)];
		sum += d * d;
	}
	return std::sqrt(sum);
}

/* A segment whose stored code is not the one worked out: could it be, within the slack? */
static bool
code_could_be(const IvfCheck *c, uint32 segment, uint8 stored, uint8 expected, const Slack &slack)
{
	const IvfShape &shape = c->shape;
	if (shape.codes != Codes::sign)
	{
		const core::lists::Codebooks &books = c->state->codec.books;
		double from = distance_to_word(books, c->residual, segment, stored);
		double best = distance_to_word(books, c->residual, segment, expected);
		double apart = std::min(slack.norm, slack.element * std::sqrt(static_cast<double>(books.length(segment))));
		return from <= best * (1 + kRounding) + 2 * apart || !std::isfinite(from);
	}
	for (uint32 j = 0; j < 4; j++)
		if (((stored ^ expected) >> j & 1) != 0 &&
			std::fabs(static_cast<double>(c->residual[4 * segment + j])) > slack.element)
			return false;
	return true;
}

static bool
factor_could_be(uint16 stored, float scale, double expected, double error)
{
	float value;
	core::distance::kernels().f16_to_f32(&stored, &value, 1);
	double got = static_cast<double>(value) * scale;
	double allowed = std::fabs(expected) / 512 + std::ldexp(static_cast<double>(scale), -20) + error;
	/* Near 3e38 sums overflow: then nothing can be told. */
	return std::fabs(got - expected) <= allowed || !std::isfinite(allowed);
}

/*
 * What is wrong with the code of a lane of the page in c->page, or null. c->x: the row in code space; c->v: the row as the slot
 * of float32 has it; c->centre: of its list.
 */
static const char *
code_fault(IvfCheck *c, uint32 lane, RowTid tid, bool own_table, const Slack &given)
{
	const IvfShape &shape = c->shape;
	const uint32 n = shape.code_dims;
	if (shape.codes == Codes::none || (shape.codes != Codes::sign && c->state->codec.books.vectors == nullptr))
		return nullptr;
	core::lists::encode_row(c->state->codec, c->centre, own_table, c->v, c->x, tid, c->expected, c->scratch);
	for (uint32 i = 0; i < n; i++)
		c->residual[i] = c->x[i] - c->centre[i];
	double size = greatest(c->x, n) + greatest(c->centre, n);
	Slack slack = {given.element + kRounding * size, given.norm + kRounding * size * std::sqrt(static_cast<double>(n))};

	const uint8 *block = ivf::list_block(c->page, shape, lane / kLanes);
	bool same = true;
	for (uint32 segment = 0; segment < shape.segments; segment++)
	{
		uint8 stored = lane_code(shape, block, lane % kLanes, segment);
		if (stored == c->expected.codes[segment])
			continue;
		same = false;
		if (!code_could_be(c, segment, stored, c->expected.codes[segment], slack))
			return "code";
	}
	/* Another direction has other factors. */
	double length = norm_of(c->residual, n);
	if (!same || !(length > 4 * slack.norm) || c->expected.mul == 0)
		return nullptr;
	/* |y|: of signs known, of product codes about that of the residual. */
	double y = shape.codes == Codes::sign ? std::sqrt(static_cast<double>(shape.sign_dims)) : 2 * length;
	bool inner_product = c->state->metric == ivf::Metric::inner_product;
	double mul = std::fabs(static_cast<double>(c->expected.mul));
	double agreement = length * length / (inner_product ? mul : mul / 2);
	double relative = 3 * slack.norm / length + y * slack.norm / agreement;
	if (relative > 0.5)
		return nullptr;
	double reach = mul * y * (own_table ? 0 : norm_of(c->centre, n));
	double error = 2 * relative * (length * length + reach) + (inner_product ? slack.norm * norm_of(c->centre, n) : 0);
	const BlockHeader *header = block_header(block);
	if (!factor_could_be(header->add[lane % kLanes], header->add_scale, static_cast<double>(c->expected.add),
						 error + kRounding * reach) ||
		!factor_could_be(header->mul[lane % kLanes], header->mul_scale, static_cast<double>(c->expected.mul),
						 2 * relative * mul))
		return "factors";
	return nullptr;
}

/* From the slot in c->slot: the row it stands for, to c->x. */
static Slack
row_of_slot(IvfCheck *c)
{
	SlotHeader header = slot_header(c->slot);
	core::lists::decode_slot(c->shape, c->slot, c->residual);
	for (uint32 i = 0; i < c->shape.code_dims; i++)
		c->x[i] = c->centre[i] + c->residual[i];
	auto error = static_cast<double>(header.error);
	double step = c->shape.slots == Slots::sq8 ? 0.51 * static_cast<double>(header.scale) : error;
	return Slack{std::min(step, error), error};
}

static void
check_lane(IvfCheck *c, const ListNote &note, uint32 lane, RowTid tid, bool codes)
{
	if (tid.offset == 0)
	{
		ivf_problem(c, kIvfSlot, note.block, "lane %u: invalid row (%u,0)", lane, tid_block(tid));
		return;
	}
	c->rows.push(LaneRow{core::lists::row_key(tid), note.block, lane});
	if (c->shape.slots == Slots::none)
		return;
	if (!read_slot(c, c->shape, note.block, lane, tid) || !codes || !is_relative(c->shape))
		return;
	Slack slack = row_of_slot(c);
	const char *fault = code_fault(c, lane, tid, (note.header.flags & kListOwnTable) != 0, slack);
	if (fault != nullptr)
		ivf_problem(c, kIvfCode, note.block, "lane %u: wrong %s", lane, fault);
}

void
check_lanes(IvfCheck *c)
{
	uint32 list = kNoList;
	bool codes = false;
	for (Size i = 0; i < c->chain.count; i++)
	{
		const ListNote &note = *list_note(c, c->chain.items[i]);
		if (note.list != list)
		{
			list = note.list;
			codes = c->state != nullptr && read_centre(c, c->lists.items[list]);
		}
		copy_ivf_page(c, note.block);
		for (uint32 b = 0; b < note.header.blocks; b++)
		{
			const uint8 *block = ivf::list_block(c->page, c->shape, b);
			for (uint32 live = block_header(block)->live; live != 0; live &= live - 1)
			{
				uint32 lane = static_cast<uint32>(__builtin_ctz(live));
				check_lane(c, note, b * kLanes + lane, block_tids(c->shape, block)[lane], codes);
			}
		}
	}
}

/* --- rows of the table --- */

/* The slot in c->slot against the row itself: c->x in code space, c->v as the index keeps it. */
static bool
slot_could_be(IvfCheck *c)
{
	const IvfShape &shape = c->shape;
	const uint32 n = shape.code_dims;
	const uint8 *payload = c->slot + sizeof(SlotHeader);
	if (shape.slots == Slots::bits)
		return memcmp(payload, c->v, (shape.dimensions + 7) / 8) == 0;
	if (shape.slots == Slots::float32)
	{
		const auto *stored = reinterpret_cast<const float *>(payload);
		float apart = c->state->metric == ivf::Metric::cosine ? 1e-6f : 0.0f;
		for (uint32 i = 0; i < shape.dimensions; i++)
			if (!(std::fabs(stored[i] - c->v[i]) <= apart))
				return false;
		return true;
	}
	bool absolute = c->state->metric == ivf::Metric::l1;
	core::lists::decode_slot(shape, c->slot, c->residual);
	double sum = 0;
	for (uint32 i = 0; i < n; i++)
	{
		double d = static_cast<double>(c->x[i]) - c->centre[i] - c->residual[i];
		sum += absolute ? std::fabs(d) : d * d;
	}
	double apart = absolute ? sum : std::sqrt(sum);
	double size = greatest(c->x, n) + greatest(c->centre, n) + greatest(c->residual, n);
	double rounding = kRounding * size * (absolute ? n : std::sqrt(static_cast<double>(n)));
	auto error = static_cast<double>(slot_header(c->slot).error);
	return apart <= error * (1 + kRounding) + rounding || !std::isfinite(apart) || !std::isfinite(error);
}

static void
check_vector(IvfCheck *c, const LaneRow &row)
{
	const ListNote &note = *list_note(c, row.page);
	if (!read_centre(c, c->lists.items[note.list]))
		return;
	copy_ivf_page(c, row.page);
	RowTid tid = make_tid(heap_block(row.tid), static_cast<uint16>(heap_offset(row.tid)));
	bool good = c->shape.slots == Slots::none || !copy_slot(c, c->shape, row.lane) || slot_could_be(c);
	if (good && code_fault(c, row.lane, tid, (note.header.flags & kListOwnTable) != 0, Slack{0, 0}) == nullptr)
		return;
	ivf_problem(c, kIvfWrongVector, row.page, "lane %u: not the vector of row (%u,%u)", row.lane, heap_block(row.tid),
				heap_offset(row.tid));
}

static void
check_row(Relation, ItemPointer tid, Datum *values, bool *isnull, bool, void *arg)
{
	auto *c = static_cast<IvfCheck *>(arg);
	MemoryContext old = MemoryContextSwitchTo(c->row_context);
	bool indexed = ivf::indexable_row(c->state, values[0], isnull[0], c->v);
	uint64 wanted = static_cast<uint64>(ItemPointerGetBlockNumber(tid)) << 16 | ItemPointerGetOffsetNumber(tid);
	const LaneRow *row = std::lower_bound(c->rows.begin(), c->rows.end(), wanted,
										  [](const LaneRow &a, uint64 b) noexcept { return a.tid < b; });
	bool found = row != c->rows.end() && row->tid == wanted;
	if (!indexed)
	{
		if (found)
			ivf_problem(c, kIvfExtraRow, row->page, "lane %u: row (%u,%u) should not be in the index", row->lane,
						heap_block(wanted), heap_offset(wanted));
	}
	else if (!found)
		ivf_problem(c, kIvfMissingRow, -1, "row (%u,%u) of the table is not in the index", heap_block(wanted),
					heap_offset(wanted));
	else if (c->counts[kIvfSlot] + c->counts[kIvfOwner] + c->counts[kIvfChecksum] + c->counts[kIvfList] == 0)
	{
		core::lists::to_code_space(c->state->codec.space, c->v, c->x, nullptr);
		for (; row != c->rows.end() && row->tid == wanted; row++)
			check_vector(c, *row);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(c->row_context);
}

static void
check_repeated(IvfCheck *c)
{
	uint64 doubled = 0;
	for (Size i = 1; i < c->rows.count; i++)
	{
		const LaneRow &a = c->rows.items[i - 1], &b = c->rows.items[i];
		if (a.tid != b.tid)
			continue;
		if (list_note(c, a.page)->list != list_note(c, b.page)->list)
			doubled++;
		else
			ivf_problem(c, kIvfRepeatedRow, b.page, "lane %u: row (%u,%u) is in lane %u of block %u too", b.lane,
						heap_block(b.tid), heap_offset(b.tid), a.lane, a.page);
	}
	if (doubled > 0)
		ereport(NOTICE, (errmsg("%llu rows of index \"%s\" are in two lists", static_cast<unsigned long long>(doubled),
								RelationGetRelationName(c->index)),
						 errdetail("A reorganisation of lists did not end. Searches return each of these rows once.")));
}

void
check_ivf_rows(IvfCheck *c)
{
	if (c->rows.count > 0)
		std::sort(c->rows.begin(), c->rows.end(), [](const LaneRow &a, const LaneRow &b) noexcept {
			return a.tid != b.tid ? a.tid < b.tid : a.page != b.page ? a.page < b.page : a.lane < b.lane;
		});
	check_repeated(c);
	if (!c->heap_rows || c->state == nullptr)
		return;
	c->row_context = AllocSetContextCreate(CurrentMemoryContext, "vecdb check row", ALLOCSET_DEFAULT_SIZES);
	/* Not the transaction's snapshot, which may be older than the index. */
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexInfo *info = BuildIndexInfo(c->index);
	scan_indexed_rows(c->own, info, snapshot, check_row, c);
	UnregisterSnapshot(snapshot);
}

}  // namespace vecdb::maintenance
