-- What could be done about an index, from what index_info and the catalogs say; pages into memory.

CREATE FUNCTION vecdb.index_advice(index regclass) RETURNS TABLE(recommendation_type text, description text, statement text)
	LANGUAGE sql VOLATILE STRICT PARALLEL RESTRICTED ROWS 2
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH c AS MATERIALIZED (
		SELECT x.indexrelid, x.indisvalid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(ic.relname) AS index_name,
			pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(tc.relname) AS table_name,
			pg_catalog.pg_stat_get_dead_tuples(tc.oid) AS dead, pg_catalog.pg_stat_get_live_tuples(tc.oid) AS live,
			pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) AS buffers,
			(SELECT min(o.indexrelid)::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_index o
				JOIN pg_catalog.pg_class oc ON oc.oid = o.indexrelid
				WHERE o.indrelid = x.indrelid AND o.indexrelid < x.indexrelid AND oc.relam = ic.relam AND o.indisvalid
					AND o.indkey = x.indkey AND o.indclass = x.indclass
					AND pg_catalog.pg_get_expr(o.indexprs, o.indrelid) IS NOT DISTINCT FROM pg_catalog.pg_get_expr(x.indexprs, x.indrelid)
					AND pg_catalog.pg_get_expr(o.indpred, o.indrelid) IS NOT DISTINCT FROM pg_catalog.pg_get_expr(x.indpred, x.indrelid)) AS twin
		FROM (SELECT $1 AS oid) g
		LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = g.oid
		LEFT JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid LEFT JOIN pg_catalog.pg_namespace n ON n.oid = ic.relnamespace
		LEFT JOIN pg_catalog.pg_class tc ON tc.oid = x.indrelid LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace)
	SELECT 'rebuild_index', 'a build that did not end has left the index invalid: no query uses it',
		pg_catalog.format('REINDEX INDEX CONCURRENTLY %s', c.index_name)
	FROM c WHERE NOT c.indisvalid
	UNION ALL
	SELECT a.recommendation_type, a.description, a.statement
	FROM c CROSS JOIN LATERAL vecdb.index_info(coalesce(c.indexrelid, $1)) i CROSS JOIN LATERAL (VALUES
		(c.dead > 0.3 * (c.live + c.dead) OR i.dead_slots > 0.3 * (i.live_slots + i.dead_slots), 'vacuum_table',
			pg_catalog.format('about %s of %s rows are dead: scans of the index pass them', greatest(c.dead, i.dead_slots),
				greatest(c.live + c.dead, i.live_slots + i.dead_slots)),
			pg_catalog.format('VACUUM %s', c.table_name)),
		(i.reusable_slots > i.live_slots + i.dead_slots AND i.index_bytes > 262144, 'rebuild_index',
			pg_catalog.format('%s of %s places are free: inserts will fill them, a rebuild gives the space back', i.reusable_slots,
				i.live_slots + i.dead_slots + i.reusable_slots),
			pg_catalog.format('REINDEX INDEX CONCURRENTLY %s', c.index_name)),
		(c.twin IS NOT NULL, 'drop_index', pg_catalog.format('index %s is on the same values, by the same method and metric: keep one', c.twin),
			pg_catalog.format('DROP INDEX CONCURRENTLY %s', c.index_name)),
		(i.index_bytes > c.buffers, 'memory',
			pg_catalog.format('the index (%s) is larger than shared_buffers (%s): scans read what is not there from disk or the cache of the system',
				pg_catalog.pg_size_pretty(i.index_bytes), pg_catalog.pg_size_pretty(c.buffers)), NULL)
	) AS a(holds, recommendation_type, description, statement)
	WHERE c.indisvalid IS NOT FALSE AND a.holds
$$;
COMMENT ON FUNCTION vecdb.index_advice(regclass) IS
	'what could be done about an index of vecdb and the statement that does it, no row where nothing stands out. Reads the whole index. For the owner and pg_stat_scan_tables';

CREATE FUNCTION vecdb.prewarm(rel regclass) RETURNS bigint
	AS 'MODULE_PATHNAME', 'vecdb_prewarm' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vecdb.prewarm(regclass) IS
	'reads an index, or a table with its indexes of vecdb and its TOAST, into shared buffers, as far as these reach; returns the pages read';
