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

CREATE FUNCTION vecdb.last_scan_stats(OUT index regclass, OUT ef_search integer, OUT rows_returned bigint, OUT hops bigint,
		OUT pages bigint, OUT upper_pages bigint, OUT buffer_lookups bigint, OUT codes bigint, OUT estimates bigint,
		OUT refined bigint, OUT rechecked bigint, OUT widenings bigint, OUT memory_bytes bigint, OUT stop_reason text,
		OUT milliseconds double precision) RETURNS record
	AS 'MODULE_PATHNAME', 'vecdb_last_scan_stats' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vecdb.last_scan_stats() IS
	'what the last hnsw index scan of this session did: pages, distances, rechecks, why it stopped; milliseconds with track_io_timing only';

CREATE FUNCTION vecdb.build_info(OUT name text, OUT value text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'vecdb_build_info' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.build_info() IS 'version, instruction set and build of vecdb, for bug reports';
