/* SPDX-License-Identifier: PostgreSQL
 * Ids of the caller's type out of a statement's plain columns.
 *
 * Regime: shell.
 */
#include "api/ids.hpp"

#include "api/key.hpp"

namespace vecdb::api
{

/*
 * The columns are selected as they are: values that a sort above a scan carries along should be small, and errors of
 * converting them should come for rows of the answer alone.
 */
IdMaker
append_id_columns(StringInfo sql, const Target &target)
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

Datum
make_id(const IdMaker &maker, HeapTuple tuple, TupleDesc columns, int first, bool *is_null)
{
	if (maker.row == nullptr)
	{
		Datum value = heap_getattr(tuple, first, columns, is_null);
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
		values[i] = heap_getattr(tuple, first + c, columns, &nulls[i]);
		if (!nulls[i])
			values[i] = convert_key(values[i], maker.from[c], maker.to[c]);
	}
	*is_null = false;
	/* Out-of-line values become part of it. */
	return heap_copy_tuple_as_datum(heap_form_tuple(maker.row, values, nulls), maker.row);
}

}  // namespace vecdb::api
