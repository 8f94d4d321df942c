/* SPDX-License-Identifier: PostgreSQL
 * Settings (ivfflat.*, vecdb.ivf_probes) and storage parameters of the access methods ivf and ivfflat, with pgvector's names,
 * ranges and texts; how many lists a scan looks into.
 *
 * Regime: shell.
 */
#include "ivf/handler.hpp"
#include "ivf/module.hpp"
#include "ivf/state.hpp"

#include <algorithm>
#include <cmath>

#include "pg/compat.hpp"

namespace vecdb::ivf
{

using namespace core::layout;

int guc_probes = 1;
int guc_vecdb_probes = 0;
int guc_iterative_scan = kIterativeOff;
int guc_max_probes = kMaxLists;

/* ivfflat.probes was set by somebody: a file, a role, the session. */
static bool probes_given = false;

static relopt_kind options_kind;

static const config_enum_entry iterative_scan_values[] = {
	{"off", kIterativeOff, false},
	{"relaxed_order", kIterativeRelaxed, false},
	{nullptr, 0, false},
};

static relopt_enum_elt_def quantizer_values[] = {
	{"auto", static_cast<int>(Quantizer::automatic)},  {"rabitq", static_cast<int>(Quantizer::rabitq)},
	{"rabitq4", static_cast<int>(Quantizer::rabitq4)}, {"sq8", static_cast<int>(Quantizer::sq8)},
	{"pq", static_cast<int>(Quantizer::pq)},           {"half", static_cast<int>(Quantizer::half)},
	{"none", static_cast<int>(Quantizer::none)},       {nullptr, 0},
};

static relopt_enum_elt_def rerank_values[] = {
	{"auto", static_cast<int>(Rerank::automatic)}, {"none", static_cast<int>(Rerank::none)},
	{"sq8", static_cast<int>(Rerank::sq8)},        {"half", static_cast<int>(Rerank::half)},
	{"heap", static_cast<int>(Rerank::heap)},      {nullptr, 0},
};

static relopt_enum_elt_def pq_bits_values[] = {
	{"4", 4},
	{"8", 8},
	{nullptr, 0},
};

/* Where a value comes from is known here alone; it travels with the value, so that RESET and rollback bring it back. */
static bool
check_probes(int *, void **extra, GucSource source)
{
	if (source == PGC_S_DEFAULT)
		return true;
	*extra = pg::allocate_guc_extra(1);
	return *extra != nullptr;
}

static void
assign_probes(int, void *extra)
{
	probes_given = extra != nullptr;
}

void
module_init()
{
	options_kind = add_reloption_kind();
	add_int_reloption(options_kind, "lists", "Number of lists, 0 for as many as suit the number of rows", 0, 0,
					  kMaxLists, AccessExclusiveLock);
	add_enum_reloption(options_kind, "quantizer", "How rows are coded in their lists", quantizer_values,
					   static_cast<int>(Quantizer::automatic),
					   "Valid values are \"auto\", \"rabitq\", \"rabitq4\", \"sq8\", \"pq\", \"half\" and \"none\".",
					   AccessExclusiveLock);
	add_enum_reloption(options_kind, "rerank", "What the rows that the codes find are compared by", rerank_values,
					   static_cast<int>(Rerank::automatic),
					   "Valid values are \"auto\", \"none\", \"sq8\", \"half\" and \"heap\".", AccessExclusiveLock);
	add_int_reloption(options_kind, "pq_segments",
					  "Parts that quantizer pq codes a vector in, 0 for as many as suit its dimensions", 0, 0,
					  static_cast<int>(kMaxPq4Segments), AccessExclusiveLock);
	add_enum_reloption(options_kind, "pq_bits", "Bits that quantizer pq codes each part in", pq_bits_values, 4,
					   "Valid values are \"4\" and \"8\".", AccessExclusiveLock);

	DefineCustomIntVariable("ivfflat.probes", "Sets the number of lists that a scan looks into.",
							"As long as nobody sets it, an index looks into as many as its own measurement says; see "
							"vecdb.ivf_probes. Counts hundredths of an index that chooses more than 100 lists itself.",
							&guc_probes, 1, 1, kMaxLists, PGC_USERSET, 0, check_probes, assign_probes, nullptr);
	DefineCustomEnumVariable("ivfflat.iterative_scan", "Sets how a scan goes on past its first lists.",
							 "off streams without a limit in exact order; relaxed_order keeps to ivfflat.max_probes.",
							 &guc_iterative_scan, kIterativeOff, iterative_scan_values, PGC_USERSET, 0, nullptr,
							 nullptr, nullptr);
	DefineCustomIntVariable("ivfflat.max_probes", "Sets the number of lists that an iterative scan looks into at most.",
							nullptr, &guc_max_probes, kMaxLists, 1, kMaxLists, PGC_USERSET, 0, nullptr, nullptr,
							nullptr);
	DefineCustomIntVariable("vecdb.ivf_probes",
							"Sets the number of lists that a scan of an ivf or ivfflat index looks into.",
							"0: ivfflat.probes where that is set, else as the index has measured.", &guc_vecdb_probes,
							0, 0, kMaxLists, PGC_USERSET, 0, nullptr, nullptr, nullptr);
	MarkGUCPrefixReserved("ivfflat");
	/* There are none: a mistake for ivfflat. */
	MarkGUCPrefixReserved("ivf");
	state_init();
}

/* Up to this many lists, all are looked into. */
constexpr uint32 kAllLists = 16;
/*
 * Times what lies between .95 and .98 for rows of the index: queries that are none need no more on GloVe and Fashion-MNIST,
 * somewhat more on clusters.
 */
constexpr double kMargin = 1.15;
/* Times the square root of the number of lists, where nothing was measured: what GloVe needs, few sets need more. */
constexpr double kGuess = 3.5;
/* A measurement among fewer lists says little of an index that has grown since. */
constexpr uint32 kTellingLists = 64;
static double
unmeasured_probes(const IvfMeta &meta)
{
	return kGuess * std::sqrt(static_cast<double>(meta.list_count));
}

static double
automatic_probes(const IvfMeta &meta)
{
	double lists = meta.list_count;
	if (meta.list_count <= kAllLists)
		return lists;
	double guess = unmeasured_probes(meta);
	if (meta.trained_lists == 0)
		return std::ceil(guess);
	double measured = kMargin * std::sqrt(static_cast<double>(meta.probes[1]) * meta.probes[2]) *
					  std::sqrt(lists / meta.trained_lists);
	if (meta.trained_lists < kTellingLists && meta.list_count >= 2 * meta.trained_lists)
		measured = std::max(measured, guess);
	return std::ceil(measured);
}

/* Who sets ivfflat.probes (or max_probes) and no lists counts on pgvector's 100: an index that chose more is to give no less for it. */
constexpr double kPeerLists = 100;
static double
of_peer_lists(const IvfMeta &meta, int probes)
{
	return meta.lists_wanted != 0 ? probes : std::ceil(probes * std::max(1.0, meta.list_count / kPeerLists));
}

/*
 * What was measured is for queries that lie as rows do. A sum of examples does not, and the best rows for several lie in more than one place, or on
 * the border between two.
 */
static double
probes_of_examples(const IvfMeta &meta, uint32 examples)
{
	constexpr double kSeveral = 1.5;
	return std::ceil((examples > 1 ? kSeveral : 1.0) * std::max(automatic_probes(meta), unmeasured_probes(meta)));
}

uint32
wanted_probes(const IvfMeta &meta, uint32 examples)
{
	double wanted = guc_vecdb_probes > 0 ? guc_vecdb_probes
					: probes_given       ? of_peer_lists(meta, guc_probes)
					: examples > 0       ? probes_of_examples(meta, examples)
										 : automatic_probes(meta);
	return static_cast<uint32>(std::min(std::max(wanted, 1.0), std::max(static_cast<double>(meta.list_count), 1.0)));
}

uint32
max_probes(const IvfMeta &meta)
{
	return guc_max_probes == kMaxLists
			   ? kMaxLists
			   : static_cast<uint32>(std::min<double>(of_peer_lists(meta, guc_max_probes), kMaxLists));
}

static bytea *
parse_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"lists", RELOPT_TYPE_INT, offsetof(IvfRelOptions, lists)},
		{"quantizer", RELOPT_TYPE_ENUM, offsetof(IvfRelOptions, quantizer)},
		{"rerank", RELOPT_TYPE_ENUM, offsetof(IvfRelOptions, rerank)},
		{"pq_segments", RELOPT_TYPE_INT, offsetof(IvfRelOptions, pq_segments)},
		{"pq_bits", RELOPT_TYPE_ENUM, offsetof(IvfRelOptions, pq_bits)},
	};
	return static_cast<bytea *>(
		build_reloptions(reloptions, validate, options_kind, sizeof(IvfRelOptions), table, lengthof(table)));
}

bytea *
ivf_options(Datum reloptions, bool validate)
{
	return parse_options(reloptions, validate);
}

/* Its address is what is_flat knows an ivfflat index by: the linker must not fold it with ivf_options. */
bytea *
ivfflat_options(Datum reloptions, bool validate)
{
	return parse_options(reloptions, validate);
}

bool
is_flat(Relation index)
{
	return index->rd_indam->amoptions == ivfflat_options;
}

IvfRelOptions
given_options(Relation index)
{
	IvfRelOptions options{};
	options.pq_bits = 4;
	if (index->rd_options != nullptr)
		options = *reinterpret_cast<const IvfRelOptions *>(index->rd_options);
	return options;
}

IvfOptions
effective_options(Relation index, Metric metric, uint32 code_dims, bool sparse)
{
	IvfRelOptions given = given_options(index);
	IvfOptions options{static_cast<Quantizer>(given.quantizer), static_cast<Rerank>(given.rerank),
					   static_cast<uint32>(given.pq_segments), static_cast<uint32>(given.pq_bits)};
	const char *wrong = resolve_options(options, metric, code_dims, is_flat(index), sparse);
	if (wrong == nullptr && given.pq_segments != 0 && options.quantizer != Quantizer::pq)
		wrong = "pq_segments is for quantizer pq alone";
	if (wrong != nullptr)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", wrong)));
	return options;
}

}  // namespace vecdb::ivf
