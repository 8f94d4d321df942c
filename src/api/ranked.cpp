/* SPDX-License-Identifier: PostgreSQL
 * The nearest rows of a target, as rows of a set-returning function.
 *
 * Regime: shell.
 * Keeps:  what ends an answer early (a distance that is NULL or NaN, a score under the threshold) sorts after all that
 *         does not, so the statement's first k + skip rows hold the page.
 */
#include "api/ranked.hpp"

#include <cmath>

#include "api/filter.hpp"
#include "api/key.hpp"

namespace vecdb::api
{

static int32
int_argument(FunctionCallInfo fcinfo, int argument, int32 otherwise)
{
	return PG_ARGISNULL(argument) ? otherwise : PG_GETARG_INT32(argument);
}

PageRequest
read_page(FunctionCallInfo fcinfo, int first)
{
	PageRequest page;
	page.k = int_argument(fcinfo, first, page.k);
	page.skip = int_argument(fcinfo, first + 1, page.skip);
	check_page(page.k, page.skip);
	if (!PG_ARGISNULL(first + 2))
		page.filter = PG_GETARG_JSONB_P(first + 2);
	if (!PG_ARGISNULL(first + 3))
	{
		page.has_threshold = true;
		page.threshold = PG_GETARG_FLOAT8(first + 3);
	}
	page.params = read_params(PG_ARGISNULL(first + 4) ? nullptr : PG_GETARG_JSONB_P(first + 4));
	return page;
}

ReturnSetInfo *
begin_rows(FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
}

Oid
argument_type(FunctionCallInfo fcinfo, int argument, const char *name)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, argument);
	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("could not determine the type of argument \"%s\"", name)));
	return type;
}

Datum
required_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		report_null_argument(name);
	return PG_GETARG_DATUM(argument);
}

/* Makes ids of the columns of a statement's rows, beginning with the first. */
struct IdMaker
{
	int count;        // columns
	TupleDesc row;    // of a composite id; else null
	int *attributes;  // of row, by column
	Oid *from, *to;   // types of column and attribute
};

/*
 * The columns are selected as they are: values that a sort above a scan carries along should be small, and errors of
 * converting them should come for rows of the answer alone.
 */
static IdMaker
start_ids(StringInfo sql, const Target &target)
{
	const Key &key = target.key;
	IdMaker maker{};
	if (key.shape != KeyShape::scalar)
	{
		TupleDesc row = lookup_rowtype_tupdesc(getBaseType(key.type), -1);
		maker.row = CreateTupleDescCopy(row);
		ReleaseTupleDesc(row);
	}
	int natts = maker.row == nullptr ? 1 : maker.row->natts;
	maker.attributes = static_cast<int *>(palloc(static_cast<Size>(natts) * sizeof(int)));
	maker.from = static_cast<Oid *>(palloc(static_cast<Size>(natts) * sizeof(Oid)));
	maker.to = static_cast<Oid *>(palloc(static_cast<Size>(natts) * sizeof(Oid)));
	for (int i = 0; i < natts; i++)
	{
		Form_pg_attribute attribute = maker.row == nullptr ? nullptr : TupleDescAttr(maker.row, i);
		if (attribute != nullptr && attribute->attisdropped)
			continue;
		int c = maker.count++;
		maker.attributes[c] = i;
		bool row = key.shape == KeyShape::row;
		maker.from[c] = row ? attribute->atttypid : key.column_types[c];
		maker.to[c] = row ? attribute->atttypid : key.id_types[c];
		appendStringInfo(sql, "%s, ", row ? column_reference(NameStr(attribute->attname)) : key.columns[c]);
	}
	return maker;
}

/* Integers of different sizes; all other types that keys may have for each other hold the same bytes. */
static Datum
convert_key(Datum value, Oid from, Oid to)
{
	if (from == to)
		return value;
	from = getBaseType(from);
	to = getBaseType(to);
	if (from == to || (from != INT2OID && from != INT4OID && from != INT8OID))
		return value;
	int64 number = from == INT2OID   ? DatumGetInt16(value)
				   : from == INT4OID ? DatumGetInt32(value)
									 : DatumGetInt64(value);
	if (to == INT8OID)
		return Int64GetDatum(number);
	bool small = to == INT2OID;
	if (number < (small ? PG_INT16_MIN : PG_INT32_MIN) || number > (small ? PG_INT16_MAX : PG_INT32_MAX))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("key " INT64_FORMAT " is out of range for type %s", number, format_type_be(to)),
						errhint("Give the argument the type of the key column.")));
	return small ? Int16GetDatum(static_cast<int16>(number)) : Int32GetDatum(static_cast<int32>(number));
}

static Datum
make_id(const IdMaker &maker, HeapTuple tuple, TupleDesc columns, bool *is_null)
{
	if (maker.row == nullptr)
	{
		Datum value = heap_getattr(tuple, 1, columns, is_null);
		return *is_null ? value : convert_key(value, maker.from[0], maker.to[0]);
	}
	Datum values[MaxTupleAttributeNumber];
	bool nulls[MaxTupleAttributeNumber];
	for (int i = 0; i < maker.row->natts; i++)
	{
		values[i] = Datum{0};
		nulls[i] = true;
	}
	for (int c = 0; c < maker.count; c++)
	{
		int i = maker.attributes[c];
		values[i] = heap_getattr(tuple, c + 1, columns, &nulls[i]);
		if (!nulls[i])
			values[i] = convert_key(values[i], maker.from[c], maker.to[c]);
	}
	*is_null = false;
	/* Out-of-line values become part of it. */
	return heap_copy_tuple_as_datum(heap_form_tuple(maker.row, values, nulls), maker.row);
}

/* The filter and the further condition, of which values decide how selective they are. */
static void
append_conditions(StringInfo sql, const Target &target, const PageRequest &page, const Ranking &ranking, Values &values)
{
	bool filtered = page.filter != nullptr && append_filter(sql, target, page.filter, values);
	if (ranking.condition != nullptr)
		appendStringInfo(sql, "%s%s", filtered ? " AND " : "", ranking.condition);
}

void
put_ranked_rows(ReturnSetInfo *result, const Target &target, const PageRequest &page, const Ranking &ranking,
				Values &values)
{
	StringInfoData distance, condition, sql;
	initStringInfo(&distance);
	initStringInfo(&condition);
	initStringInfo(&sql);
	if (ranking.scored)
		append_scored_distance(&distance, target, ranking.query);
	else
		append_distance(&distance, target, ranking.query);
	append_conditions(&condition, target, page, ranking, values);
	appendStringInfoString(&sql, "SELECT ");
	IdMaker ids = start_ids(&sql, target);
	appendStringInfo(&sql, "%s FROM %s AS t", distance.data, target.relation);
	StatementOptions options;
	if (condition.len > 0)
	{
		appendStringInfo(&sql, " WHERE %s", condition.data);
		options.plan = PlanChoice::custom;
	}
	appendStringInfo(&sql, " ORDER BY %s, %s LIMIT %d", distance.data, target.key.order, page.k);
	if (page.skip > 0)
		appendStringInfo(&sql, " OFFSET %d", page.skip);
	int settings = begin_settings(page.params);
	run_statement(sql.data, values, options);
	end_settings(settings);

	TupleDesc columns = SPI_tuptable->tupdesc;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum row[4];
		bool nulls[4] = {};
		HeapTuple tuple = SPI_tuptable->vals[i];
		row[1] = heap_getattr(tuple, ids.count + 1, columns, &nulls[1]);
		if (nulls[1] || std::isnan(DatumGetFloat8(row[1])))
			break;
		double score = ranking.scored ? 0 - DatumGetFloat8(row[1])
									  : score_of_distance(target.metric, DatumGetFloat8(row[1]));
		/* A threshold that is NaN is above all scores, as float8 orders. */
		if (page.has_threshold && !(score >= page.threshold))
			break;
		row[0] = make_id(ids, tuple, columns, &nulls[0]);
		row[2] = Float8GetDatum(score);
		row[3] = Int64GetDatum(static_cast<int64>(i) + page.skip + 1);
		tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
	}
}

}  // namespace vecdb::api
