-- Rows of a relation: pages of them, counts, samples; writing and deleting by key.

CREATE FUNCTION vecdb.scroll(rel regclass, key anycompatible, k integer DEFAULT 100, after text DEFAULT NULL,
		filter jsonb DEFAULT NULL, order_by text DEFAULT NULL, descending boolean DEFAULT false, params jsonb DEFAULT NULL)
	RETURNS TABLE(id anycompatible, order_value jsonb, cursor text)
	AS 'MODULE_PATHNAME', 'vecdb_scroll' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 100;
COMMENT ON FUNCTION vecdb.scroll(regclass, anycompatible, integer, text, jsonb, text, boolean, jsonb) IS
	'the next k rows behind a cursor, in order of the key, or of a column or payload field and then the key; rows without a value there come last. The last page has fewer than k rows';

CREATE FUNCTION vecdb.count(rel regclass, filter jsonb DEFAULT NULL, exact boolean DEFAULT true, params jsonb DEFAULT NULL)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'vecdb_count' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION vecdb.count(regclass, jsonb, boolean, jsonb) IS
	'rows that the filter lets through; not exact: as many as the planner expects, from statistics that are as old as the last ANALYZE';

CREATE FUNCTION vecdb.facet(rel regclass, field text, k integer DEFAULT 10, filter jsonb DEFAULT NULL, exact boolean DEFAULT true,
		params jsonb DEFAULT NULL)
	RETURNS TABLE(value jsonb, count bigint)
	AS 'MODULE_PATHNAME', 'vecdb_facet' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION vecdb.facet(regclass, text, integer, jsonb, boolean, jsonb) IS
	'the k commonest values of a column or payload field and their rows, commonest first, then by value; a row counts once for each distinct element of an array. Not exact: from a sample of a large table';

CREATE FUNCTION vecdb.sample(rel regclass, key anycompatible, k integer DEFAULT 10, filter jsonb DEFAULT NULL,
		seed float8 DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS TABLE(id anycompatible)
	AS 'MODULE_PATHNAME', 'vecdb_sample' LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION vecdb.sample(regclass, anycompatible, integer, jsonb, float8, jsonb) IS
	'k rows at random, none twice, in random order; the same ones for the same seed and keys. Reads all rows that the filter lets through';

CREATE FUNCTION vecdb.upsert(rel regclass, vec name, ids anycompatiblearray, vectors vector[], payloads jsonb[] DEFAULT NULL,
		payload_column name DEFAULT NULL)
	RETURNS TABLE(id anycompatible, inserted boolean)
	AS 'MODULE_PATHNAME', 'vecdb_upsert' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 100;
COMMENT ON FUNCTION vecdb.upsert(regclass, name, anycompatiblearray, vector[], jsonb[], name) IS
	'inserts rows by key, vector and payload, or updates those that are there; of equal keys the last one counts. Returns the keys in order, and which were inserted';

CREATE FUNCTION vecdb.delete_points(rel regclass, ids anycompatiblearray) RETURNS bigint
	AS 'MODULE_PATHNAME', 'vecdb_delete_points' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION vecdb.delete_points(regclass, anycompatiblearray) IS
	'deletes the rows of these keys and returns how many there were; a key of no row is no error';

CREATE FUNCTION vecdb.upsert_rows(rel regclass, rows jsonb) RETURNS bigint
	AS 'MODULE_PATHNAME', 'vecdb_upsert_rows' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION vecdb.upsert_rows(regclass, jsonb) IS
	'inserts rows from JSON objects by names of columns, or updates those columns of rows with that primary key; one after another, in order. Returns how many were written';

CREATE PROCEDURE vecdb.expire_rows(rel regclass, col name, batch integer DEFAULT 1000, INOUT deleted bigint DEFAULT NULL)
	AS 'MODULE_PATHNAME', 'vecdb_expire_rows' LANGUAGE C;
COMMENT ON PROCEDURE vecdb.expire_rows(regclass, name, integer, bigint) IS
	'deletes the rows whose time in a column of type timestamptz has come, committing after each batch; returns how many. Not inside a transaction block';
