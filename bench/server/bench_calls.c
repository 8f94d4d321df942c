/* SPDX-License-Identifier: PostgreSQL
 * A module for the server that is measured: calls a function of an extension many times over, as the executor would, and
 * says what CPU time a call took. Knows nothing of the extension: the same module measures vecdb and pgvector.
 */
#include "postgres.h"

#include <time.h>

#include "access/detoast.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

static double
cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

/*
 * bench_calls(function regprocedure, a anyelement, b anyarray, calls bigint) returns double precision: nanoseconds a call of
 * function(a, one of b in turn). Values are detoasted once, before. The best of ten shares of the calls: what else the machine
 * does can only add.
 */
PG_FUNCTION_INFO_V1(bench_calls);
Datum
bench_calls(PG_FUNCTION_ARGS)
{
	FmgrInfo	function;
	Datum		a = PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(1)));
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(2);
	int64		calls = PG_GETARG_INT64(3) / 10 + 1;
	Datum	   *b;
	int			count;
	int16		length;
	bool		by_value;
	char		align;
	double		best = 0;
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "bench_calls", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = CurrentMemoryContext;

	LOCAL_FCINFO(call, 2);

	fmgr_info(PG_GETARG_OID(0), &function);
	InitFunctionCallInfoData(*call, &function, 2, PG_GET_COLLATION(), NULL, NULL);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &b, NULL, &count);
	if (count < 1)
		elog(ERROR, "bench_calls: nothing to call with");
	for (int i = 0; i < count; i++)
		b[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(b[i]));
	MemoryContextSwitchTo(each);
	for (int share = -1; share < 10; share++)
	{
		double		start = cpu_now();
		int			k = 0;

		for (int64 i = 0; i < calls; i++)
		{
			call->args[0].value = a;
			call->args[0].isnull = false;
			call->args[1].value = b[k];
			call->args[1].isnull = false;
			call->isnull = false;
			(void) FunctionCallInvoke(call);
			k = k + 1 < count ? k + 1 : 0;
			if (i % 64 == 63)
				MemoryContextReset(each);
		}
		start = (cpu_now() - start) / (double) calls;
		/* The first share warms up. */
		if (share == 0 || (share > 0 && start < best))
			best = start;
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(each);
	PG_RETURN_FLOAT8(best);
}
