/* SPDX-License-Identifier: PostgreSQL
 * The argument params of the functions of the query API, and the settings that it asks for.
 *
 * Regime: shell.
 */
#include "api/target.hpp"

#include "types/query_value.hpp"

namespace vecdb::api
{

static constexpr const char *kKnown = "Known keys are metric, key_column, payload_column, exact, ef_search and probes.";

[[noreturn]] static void
report_wrong_type(const char *key, const char *wanted)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("params.%s must be %s", key, wanted)));
	pg_unreachable();
}

static bool
is_key(const JsonbValue &key, const char *name)
{
	return key.val.string.len == static_cast<int>(strlen(name)) && memcmp(key.val.string.val, name, strlen(name)) == 0;
}

static const char *
text_param(const char *key, const JsonbValue &value)
{
	if (value.type != jbvString)
		report_wrong_type(key, "a string");
	return pnstrdup(value.val.string.val, value.val.string.len);
}

static int
count_param(const char *key, const JsonbValue &value)
{
	if (value.type != jbvNumeric)
		report_wrong_type(key, "a whole number");
	Datum number = NumericGetDatum(value.val.numeric);
	Datum whole = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	bool in_range =
		!numeric_is_nan(value.val.numeric) && !numeric_is_inf(value.val.numeric) &&
		DatumGetBool(DirectFunctionCall2(numeric_eq, number, whole)) &&
		DatumGetBool(DirectFunctionCall2(numeric_gt, number, NumericGetDatum(int64_to_numeric(0)))) &&
		DatumGetBool(DirectFunctionCall2(numeric_le, number, NumericGetDatum(int64_to_numeric(PG_INT32_MAX))));
	if (!in_range)
		report_wrong_type(key, "a whole number from 1 on");
	return DatumGetInt32(DirectFunctionCall1(numeric_int4, number));
}

static void
read_param(SearchParams &params, const JsonbValue &key, const JsonbValue &value)
{
	/* null is as good as absent; a key that is not known is wrong all the same. */
	bool given = value.type != jbvNull;
	if (is_key(key, "metric"))
	{
		if (!given)
			return;
		params.metric = parse_metric(text_param("metric", value));
		params.has_metric = true;
	}
	else if (is_key(key, "key_column"))
		params.key_column = given ? text_param("key_column", value) : nullptr;
	else if (is_key(key, "payload_column"))
		params.payload_column = given ? text_param("payload_column", value) : nullptr;
	else if (is_key(key, "exact"))
	{
		if (given && value.type != jbvBool)
			report_wrong_type("exact", "true or false");
		params.exact = given && value.val.boolean;
	}
	else if (is_key(key, "ef_search"))
		params.ef_search = given ? count_param("ef_search", value) : -1;
	else if (is_key(key, "probes"))
		params.probes = given ? count_param("probes", value) : -1;
	else
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("params has no key \"%s\"", pnstrdup(key.val.string.val, key.val.string.len)),
						errhint("%s", kKnown)));
}

SearchParams
read_params(Jsonb *json)
{
	SearchParams params{};
	params.ef_search = params.probes = -1;
	params.metric = Metric::cosine;
	if (json == nullptr)
		return params;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("params must be a JSON object"),
						errhint("%s", kKnown)));
	JsonbIterator *iterator = JsonbIteratorInit(&json->root);
	JsonbValue key, value;
	JsonbIteratorToken token;
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		read_param(params, key, value);
	}
	return params;
}

static void
set_locally(const char *name, int value)
{
	/* The setting's own check hook and range speak for themselves. */
	set_config_option(name, psprintf("%d", value), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

int
begin_settings(const SearchParams &params)
{
	if (params.ef_search < 0 && params.probes < 0)
		return 0;
	int level = NewGUCNestLevel();
	if (params.ef_search >= 0)
		set_locally("hnsw.ef_search", params.ef_search);
	if (params.probes >= 0)
		set_locally("vecdb.ivf_probes", params.probes);
	return level;
}

uint32
settings_variant(const SearchParams &params)
{
	return static_cast<uint32>(params.ef_search + 1) << 16 ^ static_cast<uint32>(params.probes + 1);
}

void
end_settings(int nest_level)
{
	if (nest_level > 0)
		AtEOXact_GUC(false, nest_level);
}

}  // namespace vecdb::api
