/* SPDX-License-Identifier: PostgreSQL
 * Places and date-times of filters as SQL functions: geo_distance, geo_in_box, geo_in_polygon, datetime.
 *
 * Regime: shell.
 */
#include "pg/postgres.hpp"

extern "C" {
#include "utils/date.h"
#include "utils/geo_decls.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
}

#include <cstddef>

#include "vecdb/query/date_time.hpp"
#include "vecdb/query/geo.hpp"

using namespace vecdb;
using core::query::GeoPoint;

/* A PostgreSQL point is (lon, lat). */
static_assert(sizeof(Point) == sizeof(GeoPoint) && offsetof(Point, y) == offsetof(GeoPoint, lat));

static std::span<const GeoPoint>
ring_of(const POLYGON *polygon)
{
	return {reinterpret_cast<const GeoPoint *>(polygon->p), static_cast<size_t>(polygon->npts)};
}

VECDB_FUNCTION(vecdb_geo_distance)
{
	GeoPoint a{PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)}, b{PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)};
	if (!core::query::is_place(a) || !core::query::is_place(b))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(core::query::geo_distance(a, b));
}

VECDB_FUNCTION(vecdb_geo_in_box)
{
	GeoPoint p{PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)};
	GeoPoint top_left{PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)}, bottom_right{PG_GETARG_FLOAT8(4), PG_GETARG_FLOAT8(5)};
	if (!core::query::is_place(p))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(core::query::in_box(p, top_left, bottom_right));
}

VECDB_FUNCTION(vecdb_geo_in_polygon)
{
	GeoPoint p{PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)};
	if (!core::query::is_place(p))
		PG_RETURN_NULL();
	if (!core::query::in_ring(p, ring_of(PG_GETARG_POLYGON_P(2))))
		PG_RETURN_BOOL(false);
	Datum *holes;
	bool *nulls;
	int count;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(3), POLYGONOID, -1, false, TYPALIGN_DOUBLE, &holes, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			continue;
		std::span<const GeoPoint> hole = ring_of(DatumGetPolygonP(holes[i]));
		if (core::query::in_ring(p, hole) || core::query::on_ring(p, hole))
			PG_RETURN_BOOL(false);
	}
	PG_RETURN_BOOL(true);
}

/*
 * The date-time of a JSON string, null where there is none. An array raises: an index on this function so proves that no array is stored,
 * which lets filters use it.
 */
VECDB_FUNCTION(vecdb_datetime)
{
	Jsonb *document = PG_GETARG_JSONB_P(0);
	if (!JB_ROOT_IS_SCALAR(document))
	{
		if (JB_ROOT_IS_ARRAY(document))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("an array has no single date-time")));
		PG_RETURN_NULL();
	}
	JsonbValue value;
	JsonbExtractScalar(&document->root, &value);
	int64 time;
	if (value.type != jbvString ||
		!core::query::parse_date_time({value.val.string.val, static_cast<size_t>(value.val.string.len)}, time))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(time);
}
