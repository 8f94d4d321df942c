/* SPDX-License-Identifier: PostgreSQL
 * Settings (hnsw.*) and storage parameters of the HNSW access method, with pgvector's names, ranges and texts.
 *
 * Regime: shell.
 */
#include "hnsw/handler.hpp"
#include "hnsw/module.hpp"
#include "hnsw/pending.hpp"
#include "hnsw/state.hpp"
#include "storage/build_aid.hpp"
#include "storage/time_budget.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;

int guc_ef_search = 40;
int guc_iterative_scan = kIterativeOff;
int guc_max_scan_tuples = 20000;
double guc_scan_mem_multiplier = 1.0;

static relopt_kind options_kind;

static const config_enum_entry iterative_scan_values[] = {
	{"off", kIterativeOff, false},
	{"relaxed_order", kIterativeRelaxed, false},
	{"strict_order", kIterativeStrict, false},
	{nullptr, 0, false},
};

static relopt_enum_elt_def layout_values[] = {
	{"auto", 0},
	{"compact", static_cast<int>(Layout::compact)},
	{"fused", static_cast<int>(Layout::fused)},
	{nullptr, 0},
};

static relopt_enum_elt_def precision_values[] = {
	{"8", 8},
	{"16", 16},
	{nullptr, 0},
};

void
module_init()
{
	options_kind = add_reloption_kind();
	add_int_reloption(options_kind, "m",
					  "Number of links a node asks for on each layer (twice as many on the base layer)", kDefaultM,
					  kMinM, kMaxM, AccessExclusiveLock);
	add_int_reloption(options_kind, "ef_construction", "Size of the candidate list while a node is linked",
					  kDefaultEfConstruction, kMinEfConstruction, kMaxEfConstruction, AccessExclusiveLock);
	add_enum_reloption(options_kind, "layout", "How nodes are laid out on pages", layout_values, 0,
					   "Valid values are \"auto\", \"compact\" and \"fused\".", AccessExclusiveLock);
	add_enum_reloption(options_kind, "precision", "Bits kept of each vector element", precision_values, 0,
					   "Valid values are \"8\" and \"16\".", AccessExclusiveLock);
	add_int_reloption(options_kind, "code_dims",
					  "Dimensions of the neighbor codes of layout fused, 0 for as many as pay", 0, 0,
					  static_cast<int>(kMaxDimensions), AccessExclusiveLock);

	DefineCustomIntVariable(
		"hnsw.ef_search", "Sets the size of the dynamic candidate list for search.",
		"A larger value finds more of the true nearest rows and takes longer. It does not limit the "
		"number of rows.",
		&guc_ef_search, 40, 1, 1000, PGC_USERSET, 0, nullptr, nullptr, nullptr);
	DefineCustomEnumVariable(
		"hnsw.iterative_scan", "Sets how a scan goes on past its first candidates.",
		"off streams without a limit in exact order; the other values keep to hnsw.max_scan_tuples.",
		&guc_iterative_scan, kIterativeOff, iterative_scan_values, PGC_USERSET, 0, nullptr, nullptr, nullptr);
	DefineCustomIntVariable("hnsw.max_scan_tuples", "Sets about how many tuples an iterative scan visits at most.",
							nullptr, &guc_max_scan_tuples, 20000, 1, INT_MAX, PGC_USERSET, 0, nullptr, nullptr,
							nullptr);
	DefineCustomRealVariable("hnsw.scan_mem_multiplier",
							 "Sets the memory of an iterative scan as a multiple of work_mem.", nullptr,
							 &guc_scan_mem_multiplier, 1, 1, 1000, PGC_USERSET, 0, nullptr, nullptr, nullptr);
	DefineCustomBoolVariable("vecdb.queue_inserts", "Links many rows that one statement inserts together.",
							 "They wait in memory, at most to the end of the transaction, and are linked at several "
							 "times the speed of single rows.",
							 &guc_queue_inserts, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
	DefineCustomIntVariable("vecdb.build_seed", "Sets the seed of index builds.",
							"The same rows in the same order give the same index for the same seed.",
							&storage::guc_build_seed, 0, 0, INT_MAX, PGC_USERSET, 0, nullptr, nullptr, nullptr);
	DefineCustomIntVariable(
		"vecdb.time_budget_ms", "Sets the time after which an index scan looks no further for rows.",
		"It then returns what it has found, with a notice. 0 means no limit.", &storage::guc_time_budget_ms, 0, 0,
		INT_MAX, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
	MarkGUCPrefixReserved("hnsw");
	state_init();
	pending_init();
}

bytea *
hnsw_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"m", RELOPT_TYPE_INT, offsetof(HnswOptions, m)},
		{"ef_construction", RELOPT_TYPE_INT, offsetof(HnswOptions, ef_construction)},
		{"layout", RELOPT_TYPE_ENUM, offsetof(HnswOptions, layout)},
		{"precision", RELOPT_TYPE_ENUM, offsetof(HnswOptions, precision)},
		{"code_dims", RELOPT_TYPE_INT, offsetof(HnswOptions, code_dims)},
	};
	return static_cast<bytea *>(
		build_reloptions(reloptions, validate, options_kind, sizeof(HnswOptions), table, lengthof(table)));
}

HnswOptions
effective_options(Relation index)
{
	HnswOptions options{};
	options.m = kDefaultM;
	options.ef_construction = kDefaultEfConstruction;
	if (index->rd_options != nullptr)
		options = *reinterpret_cast<const HnswOptions *>(index->rd_options);
	const storage::OpclassInfo *opclass = opclass_info(index);
	bool exact = is_exact(static_cast<ElementType>(opclass->element_type));
	/* Codes of neighbours estimate distances that a rotation leaves alone: not L1, and not of codes that are no numbers. */
	if (options.layout == 0)
		options.layout = static_cast<int>(exact || opclass->metric == static_cast<uint8>(Metric::l1) ? Layout::compact
																									 : Layout::fused);
	if (options.precision == 0 && !exact)
		options.precision = 16;
	return options;
}

char *
hnsw_build_phase_name(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE: return pstrdup("initializing");
		case kPhaseLoading: return pstrdup("loading tuples");
		case kPhaseClustering: return pstrdup("clustering tuples");
		case kPhaseLinking: return pstrdup("linking tuples");
		case kPhaseWriting: return pstrdup("writing pages");
		default: return nullptr;
	}
}

}  // namespace vecdb::hnsw
