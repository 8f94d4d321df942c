/* SPDX-License-Identifier: PostgreSQL
 * The statements that the functions of the query API run, and the plans kept for them.
 *
 * Regime: shell.
 * Keeps:  a plan is found again by all that it depends on and PostgreSQL's plan cache does not watch: text, types,
 *         options, switches and prices of the planner. What that watches (tables, search_path, and, where row security
 *         applies, the role) makes it plan again by itself; privileges are checked at each start.
 *         A plan that runs is never dropped: a function that it calls may come back here.
 * Memory: plans outlive transactions; a failed statement leaves the table as it was.
 */
#include "api/statement.hpp"

extern "C" {
#include "common/hashfn.h"
#include "lib/ilist.h"
#include "optimizer/paths.h"
}

namespace vecdb::api
{

constexpr int kKeptPlans = 128;
constexpr uint32 kBuckets = 256;

static bool guc_log_generated_sql = false;

void
init_values(Values &values)
{
	constexpr int kUsual = 8;
	values.context = CurrentMemoryContext;
	values.count = 0;
	values.capacity = kUsual;
	values.types = static_cast<Oid *>(palloc(kUsual * sizeof(Oid)));
	values.values = static_cast<Datum *>(palloc(kUsual * sizeof(Datum)));
	values.nulls = static_cast<char *>(palloc(kUsual));
}

int
add_value(Values &values, Oid type, Datum value, bool is_null)
{
	if (values.count == values.capacity)
	{
		/* repalloc stays in the context that the memory came from. */
		int capacity = values.capacity * 2;
		values.types = static_cast<Oid *>(repalloc(values.types, static_cast<Size>(capacity) * sizeof(Oid)));
		values.values = static_cast<Datum *>(repalloc(values.values, static_cast<Size>(capacity) * sizeof(Datum)));
		values.nulls = static_cast<char *>(repalloc(values.nulls, static_cast<Size>(capacity)));
		values.capacity = capacity;
	}
	values.types[values.count] = type;
	values.values[values.count] = value;
	values.nulls[values.count] = is_null ? 'n' : ' ';
	return ++values.count;
}

/* What the session has set for the planner: a generic plan stays as it was made. No padding: compared as bytes. */
struct PlannerSettings
{
	double random_page, sequential_page, tuple, index_tuple, cpu_operator;
	int32 cache_size;
	int32 switches;
	uint32 variant;
	uint32 reserved;
};
static_assert(sizeof(PlannerSettings) == 56);

static PlannerSettings
planner_settings(uint32 variant)
{
	const bool switches[] = {enable_seqscan,  enable_indexscan, enable_indexonlyscan,    enable_bitmapscan,
							 enable_sort,     enable_hashagg,   enable_incremental_sort, enable_nestloop,
							 enable_hashjoin, enable_mergejoin, enable_material,         enable_memoize};
	PlannerSettings settings{random_page_cost,
							 seq_page_cost,
							 cpu_tuple_cost,
							 cpu_index_tuple_cost,
							 cpu_operator_cost,
							 effective_cache_size,
							 0,
							 variant,
							 0};
	for (bool on : switches)
		settings.switches = settings.switches << 1 | (on ? 1 : 0);
	return settings;
}

struct KeptPlan
{
	dlist_node recency;  // first, so that a pointer to it is one to the plan; the one used last is at the head
	KeptPlan *next;      // of its bucket
	uint32 hash;
	int cursor_options;
	int running;
	PlannerSettings settings;
	SPIPlanPtr plan;
	int type_count;
	Oid *types;
	char *sql;
};

static_assert(offsetof(KeptPlan, recency) == 0);

static KeptPlan *buckets[kBuckets];
static dlist_head recency = DLIST_STATIC_INIT(recency);
static int kept_count;

static void
drop_plan(KeptPlan *kept)
{
	KeptPlan **place = &buckets[kept->hash % kBuckets];
	while (*place != kept)
		place = &(*place)->next;
	*place = kept->next;
	dlist_delete(&kept->recency);
	kept_count--;
	SPI_freeplan(kept->plan);
	pfree(kept);
}

/* Room for one more. Plans that run stay, so there may be more than kKeptPlans for a while. */
static void
drop_oldest_plans()
{
	dlist_node *node = dlist_is_empty(&recency) ? nullptr : dlist_tail_node(&recency);
	while (node != nullptr && kept_count >= kKeptPlans)
	{
		dlist_node *newer = dlist_has_prev(&recency, node) ? dlist_prev_node(&recency, node) : nullptr;
		auto *kept = reinterpret_cast<KeptPlan *>(node);
		if (kept->running == 0)
			drop_plan(kept);
		node = newer;
	}
}

static KeptPlan *
prepare_plan(const char *sql, const Values &values, uint32 hash, int cursor_options, const PlannerSettings &settings)
{
	SPIPlanPtr plan = SPI_prepare_cursor(sql, values.count, values.types, cursor_options);
	if (plan == nullptr)
		elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
	drop_oldest_plans();
	Size types_bytes = static_cast<Size>(values.count) * sizeof(Oid), sql_bytes = strlen(sql) + 1;
	auto *kept =
		static_cast<KeptPlan *>(MemoryContextAlloc(CacheMemoryContext, sizeof(KeptPlan) + types_bytes + sql_bytes));
	kept->hash = hash;
	kept->cursor_options = cursor_options;
	kept->running = 0;
	kept->settings = settings;
	kept->plan = plan;
	kept->type_count = values.count;
	kept->types = reinterpret_cast<Oid *>(kept + 1);
	memcpy(kept->types, values.types, types_bytes);
	kept->sql = reinterpret_cast<char *>(kept->types + values.count);
	memcpy(kept->sql, sql, sql_bytes);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep a plan");
	/* Nothing below raises. */
	kept->next = buckets[hash % kBuckets];
	buckets[hash % kBuckets] = kept;
	dlist_push_head(&recency, &kept->recency);
	kept_count++;
	return kept;
}

static KeptPlan *
find_plan(const char *sql, const Values &values, const StatementOptions &options, bool portal)
{
	int cursor_options = 0;
	if (options.plan == PlanChoice::custom)
		cursor_options |= CURSOR_OPT_CUSTOM_PLAN;
	if (portal)
		cursor_options |= CURSOR_OPT_NO_SCROLL | (options.fast_start ? CURSOR_OPT_FAST_PLAN : 0);
	else if (options.read_only && options.most_rows == 0)
		cursor_options |= CURSOR_OPT_PARALLEL_OK;
	PlannerSettings settings = planner_settings(options.variant);
	Size types_bytes = static_cast<Size>(values.count) * sizeof(Oid);
	uint32 hash = hash_bytes(reinterpret_cast<const unsigned char *>(sql), static_cast<int>(strlen(sql)));
	hash = hash_combine(
		hash, hash_bytes(reinterpret_cast<const unsigned char *>(values.types), static_cast<int>(types_bytes)));
	hash = hash_combine(hash, static_cast<uint32>(cursor_options) ^ static_cast<uint32>(settings.switches) << 16 ^
								  options.variant << 5);
	for (KeptPlan *kept = buckets[hash % kBuckets]; kept != nullptr; kept = kept->next)
	{
		if (kept->hash == hash && kept->cursor_options == cursor_options && kept->type_count == values.count &&
			memcmp(kept->types, values.types, types_bytes) == 0 &&
			memcmp(&kept->settings, &settings, sizeof settings) == 0 && strcmp(kept->sql, sql) == 0)
		{
			dlist_move_head(&recency, &kept->recency);
			return kept;
		}
	}
	return prepare_plan(sql, values, hash, cursor_options, settings);
}

static void
log_statement(const char *sql)
{
	if (guc_log_generated_sql)
		ereport(LOG, (errmsg("vecdb runs: %s", sql), errhidestmt(true), errhidecontext(true)));
}

void
run_statement(const char *sql, const Values &values, const StatementOptions &options)
{
	log_statement(sql);
	KeptPlan *kept = find_plan(sql, values, options, false);
	int result = 0;
	kept->running++;
	PG_TRY();
	{
		result = SPI_execute_plan(kept->plan, values.values, values.nulls, options.read_only,
								  static_cast<long>(options.most_rows));
	}
	PG_FINALLY();
	{
		kept->running--;
	}
	PG_END_TRY();
	if (result < 0)
		elog(ERROR, "could not run a statement: %s", SPI_result_code_string(result));
}

Portal
open_statement(const char *sql, const Values &values, const StatementOptions &options)
{
	log_statement(sql);
	KeptPlan *kept = find_plan(sql, values, options, true);
	Portal portal = nullptr;
	kept->running++;
	PG_TRY();
	{
		/* The portal holds the plan in force by itself: what is kept may go while it is open. */
		portal = SPI_cursor_open(nullptr, kept->plan, values.values, values.nulls, options.read_only);
	}
	PG_FINALLY();
	{
		kept->running--;
	}
	PG_END_TRY();
	return portal;
}

void
statement_init()
{
	DefineCustomBoolVariable("vecdb.log_generated_sql", "Logs the statements that functions of the query API run.",
							 "At level LOG, with $1, $2, ... for values.", &guc_log_generated_sql, false, PGC_USERSET,
							 0, nullptr, nullptr, nullptr);
}

}  // namespace vecdb::api
