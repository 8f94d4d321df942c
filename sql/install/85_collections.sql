-- Collections: tables with a vector column, made by one call or by hand; what there is of them and how large.

CREATE FUNCTION vecdb.version() RETURNS text
	AS 'MODULE_PATHNAME', 'vecdb_version' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.version() IS 'version of the library of vecdb that runs';

CREATE FUNCTION vecdb.create_collection(name text, dimensions integer, metric text DEFAULT 'cosine', type text DEFAULT 'vector',
		index text DEFAULT 'hnsw', m integer DEFAULT NULL, ef_construction integer DEFAULT NULL, lists integer DEFAULT NULL,
		options jsonb DEFAULT NULL, key_type text DEFAULT 'bigint') RETURNS regclass
	AS 'MODULE_PATHNAME', 'vecdb_create_collection' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vecdb.create_collection(text, integer, text, text, text, integer, integer, integer, jsonb, text) IS
	'makes a table (id, embedding, payload, created_at, updated_at) with an index of the metric and one on the payload; an ordinary table of the caller';

CREATE FUNCTION vecdb.drop_collection(name text, if_exists boolean DEFAULT false) RETURNS boolean
	AS 'MODULE_PATHNAME', 'vecdb_drop_collection' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vecdb.drop_collection(text, boolean) IS
	'drops a table that create_collection made, and no other; false where there is none and if_exists is set';

CREATE FUNCTION vecdb.collection_touch() RETURNS trigger
	AS 'MODULE_PATHNAME', 'vecdb_collection_touch' LANGUAGE C;
COMMENT ON FUNCTION vecdb.collection_touch() IS
	'trigger vecdb_collection of tables that create_collection made: sets updated_at, and marks the table as such';

CREATE VIEW vecdb.collections AS
	SELECT c.oid::pg_catalog.regclass AS collection, n.nspname AS schema_name, c.relname AS table_name,
		a.attname AS vector_column, t.typname AS type, nullif(a.atttypmod, -1) AS dimensions,
		i.metric, coalesce(i.indexes, '{}') AS indexes, s.rows_estimate, s.table_bytes, s.index_bytes,
		EXISTS (SELECT FROM pg_catalog.pg_trigger g
				WHERE g.tgrelid = c.oid AND g.tgname = 'vecdb_collection'
					AND g.tgfoid = 'vecdb.collection_touch()'::pg_catalog.regprocedure) AS managed
	FROM pg_catalog.pg_class c
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
	LEFT JOIN LATERAL (
		SELECT pg_catalog.array_agg(x.indexrelid::pg_catalog.regclass ORDER BY x.indexrelid) AS indexes,
			CASE WHEN min(o.oprname) = max(o.oprname) THEN
				CASE min(o.oprname) WHEN '<->' THEN 'l2' WHEN '<#>' THEN 'inner_product' WHEN '<=>' THEN 'cosine'
					WHEN '<+>' THEN 'l1' END END AS metric
		FROM pg_catalog.pg_index x
		JOIN pg_catalog.pg_class xc ON xc.oid = x.indexrelid
		JOIN pg_catalog.pg_am m ON m.oid = xc.relam AND m.amname IN ('hnsw', 'ivf', 'ivfflat')
		JOIN pg_catalog.pg_opclass oc ON oc.oid = x.indclass[0]
		LEFT JOIN pg_catalog.pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 1 AND ao.amoppurpose = 'o'
		LEFT JOIN pg_catalog.pg_operator o ON o.oid = ao.amopopr
		WHERE x.indrelid = c.oid AND x.indisvalid AND x.indkey[0] IN (a.attnum, 0)
			AND EXISTS (SELECT FROM pg_catalog.pg_depend d
						WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = x.indexrelid
							AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid
							AND d.refobjsubid = a.attnum)) i ON true
	CROSS JOIN LATERAL (
		SELECT pg_catalog.sum(nullif(p.reltuples, -1))::bigint AS rows_estimate,
			pg_catalog.sum(pg_catalog.pg_table_size(p.oid))::bigint AS table_bytes,
			pg_catalog.sum(pg_catalog.pg_indexes_size(p.oid))::bigint AS index_bytes
		FROM (SELECT c.oid WHERE c.relkind <> 'p'
			UNION ALL SELECT leaf.relid FROM pg_catalog.pg_partition_tree(c.oid) leaf WHERE c.relkind = 'p' AND leaf.isleaf) r
		JOIN pg_catalog.pg_class p ON p.oid = r.oid) s
	WHERE c.relkind IN ('r', 'm', 'p', 'f') AND NOT c.relispartition AND NOT pg_catalog.pg_is_other_temp_schema(c.relnamespace)
		AND t.oid IN ('@extschema@.vector'::pg_catalog.regtype, '@extschema@.halfvec'::pg_catalog.regtype,
			'@extschema@.sparsevec'::pg_catalog.regtype, '@extschema@.int8vec'::pg_catalog.regtype)
		AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
		AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE');
COMMENT ON VIEW vecdb.collections IS
	'columns of a vector type that the caller may read: type, dimensions, indexes and their metric, estimated rows, bytes with TOAST; managed: made by create_collection. A partitioned table is one row';
GRANT SELECT ON vecdb.collections TO PUBLIC;

CREATE FUNCTION vecdb.collection_info(rel regclass, OUT vector_column name, OUT type name, OUT dimensions integer, OUT metric text,
		OUT indexes regclass[], OUT rows bigint, OUT vectors bigint, OUT indexed bigint, OUT pending bigint,
		OUT table_bytes bigint, OUT index_bytes bigint, OUT managed boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'vecdb_collection_info' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vecdb.collection_info(regclass) IS
	'what a table with vectors holds, one row for each vector column, counted: reads the table. pending: rows that its index leaves out (NULL; zero under cosine), all where there is none';

CREATE VIEW vecdb.stats AS
	SELECT vecdb.version() AS version, pg_catalog.current_setting('server_version') AS server_version,
		extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_postmaster_start_time())::float8 AS uptime_seconds,
		pg_catalog.count(DISTINCT c.collection) AS collections,
		coalesce(pg_catalog.sum(c.rows_estimate), 0)::bigint AS vectors_estimate,
		(SELECT coalesce(pg_catalog.sum(d.bytes), 0)::bigint
			FROM (SELECT DISTINCT e.collection, e.table_bytes + e.index_bytes AS bytes FROM vecdb.collections e) d) AS collections_bytes,
		pg_catalog.pg_database_size(pg_catalog.current_database()) AS database_bytes,
		pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) AS shared_buffers_bytes
	FROM vecdb.collections c;
COMMENT ON VIEW vecdb.stats IS
	'one row of totals: version, uptime, collections that the caller may read with estimated vectors and bytes, bytes of the database, shared buffers';
GRANT SELECT ON vecdb.stats TO PUBLIC;
