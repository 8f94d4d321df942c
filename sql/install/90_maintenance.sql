-- Looking into indexes: is one sound, how good are its answers, what is running.

CREATE FUNCTION vecdb.check_index(index regclass, heap_rows boolean DEFAULT true,
		OUT check_name text, OUT block bigint, OUT detail text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'vecdb_check_index' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vecdb.check_index(regclass, boolean) IS
	'what is wrong with an index of vecdb, no row when it is sound; heap_rows: compare with the rows of the table too. Writes to the table wait until the transaction ends. For the owner';

CREATE FUNCTION vecdb.check_recall(index regclass, INOUT samples integer DEFAULT 100, INOUT k integer DEFAULT 10,
		OUT recall double precision, OUT mean_index_ms double precision,
		OUT mean_exact_ms double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'vecdb_check_recall' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vecdb.check_recall(regclass, integer, integer) IS
	'share of the k true nearest rows that an index of vecdb returns for rows of its table as queries, at the settings in force. For the owner';

CREATE FUNCTION vecdb.index_info(index regclass, OUT method text, OUT metric text, OUT dimensions integer, OUT rows bigint,
		OUT live_slots bigint, OUT dead_slots bigint, OUT reusable_slots bigint, OUT free_pages bigint, OUT storage text,
		OUT index_bytes bigint, OUT bytes_per_vector double precision, OUT compression_ratio double precision,
		OUT lists integer, OUT list_rows_min bigint, OUT list_rows_avg double precision, OUT list_rows_max bigint,
		OUT list_rows_cv double precision, OUT build_seconds double precision, OUT parameters jsonb) RETURNS record
	AS 'MODULE_PATHNAME', 'vecdb_index_info' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vecdb.index_info(regclass) IS
	'what an index of vecdb is and holds: method, rows, slots, size against float32, lists and their balance, parameters in force. Reads the whole index. For the owner and pg_stat_scan_tables';

CREATE FUNCTION vecdb.last_scan_stats(OUT index regclass, OUT ef_search integer, OUT rows_returned bigint, OUT hops bigint,
		OUT pages bigint, OUT upper_pages bigint, OUT buffer_lookups bigint, OUT codes bigint, OUT estimates bigint,
		OUT refined bigint, OUT rechecked bigint, OUT widenings bigint, OUT memory_bytes bigint, OUT stop_reason text,
		OUT milliseconds double precision) RETURNS record
	AS 'MODULE_PATHNAME', 'vecdb_last_scan_stats' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vecdb.last_scan_stats() IS
	'what the last hnsw index scan of this session did: pages, distances, rechecks, why it stopped; milliseconds with track_io_timing only';

CREATE FUNCTION vecdb.last_ivf_scan_stats(OUT index regclass, OUT probes integer, OUT rows_returned bigint, OUT lists bigint,
		OUT pages bigint, OUT codes bigint, OUT slots bigint, OUT refined bigint, OUT heap_rows bigint, OUT rechecked bigint,
		OUT passes bigint) RETURNS record
	AS 'MODULE_PATHNAME', 'vecdb_last_ivf_scan_stats' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vecdb.last_ivf_scan_stats() IS
	'what the last ivf or ivfflat index scan of this session did: lists, pages, rows looked at, compared and fetched';

CREATE FUNCTION vecdb.build_info(OUT name text, OUT value text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'vecdb_build_info' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.build_info() IS 'version, instruction set and build of vecdb, for bug reports';
