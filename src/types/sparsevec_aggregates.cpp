/* SPDX-License-Identifier: PostgreSQL
 * sum and avg over sparsevecs: one state for both.
 *
 * Regime: shell.
 * State:  the number of rows, and a hash table index -> sum in double, so that memory goes with the indices seen and never
 *         with the dimensions. Linear probing, at most half full.
 * Memory: state and table live in the aggregate's context.
 */
#include "types/sparsevec.hpp"

extern "C" {
#include "port/pg_bitutils.h"
}

using namespace vecdb;

namespace
{

constexpr int32 kEmpty = -1;
constexpr uint32 kLeastSlots = 32;

struct Sum
{
	int32 index;
	double sum;
};

struct State
{
	int64 rows;
	int32 dim;
	uint32 used;
	uint32 mask;  // slots - 1, slots a power of two
	Sum *slots;
};

/* The wire between a worker and the leader, same machine and build: this, then `used` times Sum. */
struct SerializedState
{
	int64 rows;
	int32 dim;
	uint32 used;
};

MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;
	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

void
new_slots(State *state, MemoryContext context, uint32 count)
{
	state->slots = static_cast<Sum *>(
		MemoryContextAllocExtended(context, static_cast<Size>(count) * sizeof(Sum), MCXT_ALLOC_HUGE));
	state->mask = count - 1;
	for (uint32 i = 0; i < count; i++)
		state->slots[i].index = kEmpty;
}

State *
new_state(MemoryContext context, int32 dim, uint32 expected)
{
	auto *state = static_cast<State *>(MemoryContextAlloc(context, sizeof(State)));
	state->rows = 0;
	state->dim = dim;
	state->used = 0;
	uint32 count = expected < kLeastSlots / 2 ? kLeastSlots : pg_nextpower2_32(expected) * 2;
	new_slots(state, context, count);
	return state;
}

/* The slot of index, or the empty one where it belongs. */
inline Sum *
slot_of(const State *state, int32 index)
{
	/* Multiplied by 2^32 / golden ratio, so that neighbours spread; the high bits are the well mixed ones. */
	uint64 hash = static_cast<uint64>(static_cast<uint32>(index)) * UINT64CONST(0x9E3779B97F4A7C15);
	uint32 at = static_cast<uint32>(hash >> 32) & state->mask;
	while (state->slots[at].index != index && state->slots[at].index != kEmpty)
		at = (at + 1) & state->mask;
	return state->slots + at;
}

void
grow(State *state, MemoryContext context)
{
	Sum *old = state->slots;
	uint32 count = state->mask + 1;
	if (count > UINT32_MAX / 2)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many different indices to aggregate")));
	new_slots(state, context, count * 2);
	for (uint32 i = 0; i < count; i++)
		if (old[i].index != kEmpty)
			*slot_of(state, old[i].index) = old[i];
	pfree(old);
}

inline void
add(State *state, MemoryContext context, int32 index, double value)
{
	Sum *slot = slot_of(state, index);
	if (slot->index == index)
	{
		slot->sum += value;
		return;
	}
	if (state->used > state->mask / 2)
	{
		CHECK_FOR_INTERRUPTS();
		grow(state, context);
		slot = slot_of(state, index);
	}
	slot->index = index;
	slot->sum = value;
	state->used++;
}

int
compare_sums(const void *a, const void *b)
{
	int32 x = static_cast<const Sum *>(a)->index, y = static_cast<const Sum *>(b)->index;
	return (x > y) - (x < y);
}

/* The sums divided by divisor, by ascending index, without those that come to 0. */
SparseVector *
result_of(const State *state, double divisor)
{
	int nnz = 0;
	for (uint32 i = 0; i <= state->mask; i++)
	{
		const Sum &slot = state->slots[i];
		if (slot.index == kEmpty)
			continue;
		auto value = static_cast<float>(slot.sum / divisor);
		if (unlikely(std::isinf(value)))
			float_overflow_error();
		if (value != 0.0f && nnz <= kMaxSparseNonzero)
			nnz++;
	}
	check_sparse_nonzero(nnz);

	auto *sums = static_cast<Sum *>(palloc(static_cast<Size>(nnz) * sizeof(Sum)));
	int found = 0;
	for (uint32 i = 0; found < nnz; i++)
		if (state->slots[i].index != kEmpty && static_cast<float>(state->slots[i].sum / divisor) != 0.0f)
			sums[found++] = state->slots[i];
	qsort(sums, static_cast<Size>(nnz), sizeof(Sum), compare_sums);
	SparseVector *result = new_sparsevec(state->dim, nnz);
	float *values = sparsevec_values(result);
	for (int i = 0; i < nnz; i++)
	{
		result->indices[i] = sums[i].index;
		values[i] = static_cast<float>(sums[i].sum / divisor);
	}
	pfree(sums);
	return result;
}

State *
state_arg(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? nullptr : reinterpret_cast<State *>(PG_GETARG_POINTER(argument));
}

Datum
state_result(FunctionCallInfo fcinfo, State *state)
{
	if (state == nullptr)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

}  // namespace

/* Not strict: the state is internal, and a row without a value changes nothing. */
VECDB_FUNCTION(vecdb_sparsevec_accum)
{
	MemoryContext context = aggregate_context(fcinfo);
	State *state = state_arg(fcinfo, 0);
	if (PG_ARGISNULL(1))
		return state_result(fcinfo, state);
	SparseView v = sparse_view(PG_GETARG_DATUM(1));
	if (state == nullptr)
		state = new_state(context, v.dim, static_cast<uint32>(v.nnz));
	check_same_sparse_dimensions(state->dim, v.dim);
	state->rows++;
	for (int i = 0; i < v.nnz; i++)
	{
		int32 index;
		float value;
		std::memcpy(&index, v.indices + i, sizeof index);
		std::memcpy(&value, v.values + i, sizeof value);
		add(state, context, index, static_cast<double>(value));
	}
	PG_RETURN_POINTER(state);
}

VECDB_FUNCTION(vecdb_sparsevec_combine)
{
	MemoryContext context = aggregate_context(fcinfo);
	State *a = state_arg(fcinfo, 0);
	const State *b = state_arg(fcinfo, 1);
	if (b == nullptr)
		return state_result(fcinfo, a);
	if (a == nullptr)
		a = new_state(context, b->dim, b->used);
	check_same_sparse_dimensions(a->dim, b->dim);
	a->rows += b->rows;
	for (uint32 i = 0; i <= b->mask; i++)
		if (b->slots[i].index != kEmpty)
			add(a, context, b->slots[i].index, b->slots[i].sum);
	PG_RETURN_POINTER(a);
}

VECDB_FUNCTION(vecdb_sparsevec_serialize)
{
	aggregate_context(fcinfo);
	const auto *state = reinterpret_cast<const State *>(PG_GETARG_POINTER(0));
	Size size_bytes = VARHDRSZ + sizeof(SerializedState) + static_cast<Size>(state->used) * sizeof(Sum);
	if (!AllocSizeIsValid(size_bytes))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many different indices to aggregate")));
	auto *result = static_cast<bytea *>(palloc0(size_bytes));
	SET_VARSIZE(result, size_bytes);
	SerializedState head = {state->rows, state->dim, state->used};
	char *to = VARDATA(result);
	std::memcpy(to, &head, sizeof head);
	to += sizeof head;
	for (uint32 i = 0; i <= state->mask; i++)
	{
		if (state->slots[i].index == kEmpty)
			continue;
		std::memcpy(to, &state->slots[i], sizeof(Sum));
		to += sizeof(Sum);
	}
	PG_RETURN_BYTEA_P(result);
}

VECDB_FUNCTION(vecdb_sparsevec_deserialize)
{
	aggregate_context(fcinfo);
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	const char *from = VARDATA_ANY(bytes);
	Size size_bytes = VARSIZE_ANY_EXHDR(bytes);
	SerializedState head = {};
	if (size_bytes >= sizeof head)
		std::memcpy(&head, from, sizeof head);
	if (size_bytes != sizeof head + static_cast<Size>(head.used) * sizeof(Sum))
		elog(ERROR, "sparsevec_deserialize: expected serialized state");
	from += sizeof head;
	State *state = new_state(CurrentMemoryContext, head.dim, head.used);
	state->rows = head.rows;
	for (uint32 i = 0; i < head.used; i++)
	{
		Sum sum;
		std::memcpy(&sum, from + i * sizeof sum, sizeof sum);
		add(state, CurrentMemoryContext, sum.index, sum.sum);
	}
	PG_RETURN_POINTER(state);
}

VECDB_FUNCTION(vecdb_sparsevec_sum)
{
	aggregate_context(fcinfo);
	const State *state = state_arg(fcinfo, 0);
	if (state == nullptr)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(result_of(state, 1.0));
}

VECDB_FUNCTION(vecdb_sparsevec_avg)
{
	aggregate_context(fcinfo);
	const State *state = state_arg(fcinfo, 0);
	if (state == nullptr)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(result_of(state, static_cast<double>(state->rows)));
}
