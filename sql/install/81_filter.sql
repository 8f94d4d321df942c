-- Filters: the JSON grammar of Qdrant judged on a document, shown as SQL; places and date-times.

CREATE FUNCTION vecdb.matches(doc jsonb, filter jsonb) RETURNS boolean
	AS 'MODULE_PATHNAME', 'vecdb_matches' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION vecdb.matches(jsonb, jsonb) IS
	'does a filter hold for a document? The same answer as the filter over a payload column';

CREATE FUNCTION vecdb.filter_sql(rel regclass, filter jsonb) RETURNS text
	AS 'MODULE_PATHNAME', 'vecdb_filter_sql' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vecdb.filter_sql(regclass, jsonb) IS
	'the condition that a filter becomes over a relation, for EXPLAIN: SELECT * FROM rel AS t WHERE <text>. The relation must have the alias t. Needs SELECT on it';

CREATE FUNCTION vecdb.geo_distance(lon1 double precision, lat1 double precision, lon2 double precision, lat2 double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'vecdb_geo_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.geo_distance(double precision, double precision, double precision, double precision) IS
	'metres along the great circle between two places in degrees (haversine, radius 6371008.8 m); NULL beyond +-180 and +-90 degrees';

CREATE FUNCTION vecdb.geo_in_box(lon double precision, lat double precision, "left" double precision, top double precision,
		"right" double precision, bottom double precision) RETURNS boolean
	AS 'MODULE_PATHNAME', 'vecdb_geo_in_box' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.geo_in_box(double precision, double precision, double precision, double precision, double precision,
		double precision) IS
	'is a place inside a box of longitudes and latitudes? The border is outside; left > right crosses the antimeridian';

CREATE FUNCTION vecdb.geo_in_polygon(lon double precision, lat double precision, exterior polygon, holes polygon[] DEFAULT '{}')
	RETURNS boolean
	AS 'MODULE_PATHNAME', 'vecdb_geo_in_polygon' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.geo_in_polygon(double precision, double precision, polygon, polygon[]) IS
	'is a place inside a polygon of points (lon, lat), and neither in nor on a hole? The border is outside';

CREATE FUNCTION vecdb.datetime(value jsonb) RETURNS timestamp with time zone
	AS 'MODULE_PATHNAME', 'vecdb_datetime' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.datetime(jsonb) IS
	'the date-time that a JSON string says (RFC 3339 and shorter forms, UTC without a zone), NULL for anything else, an error for arrays. A btree on vecdb.datetime(payload -> ''key'') serves ranges of date-times';
