-- Rows of a relation: pages of them, counts, samples; writing and deleting by key.

CREATE FUNCTION vecdb.scroll(rel regclass, key anycompatible, k integer DEFAULT 100, after text DEFAULT NULL,
		filter jsonb DEFAULT NULL, order_by text DEFAULT NULL, descending boolean DEFAULT false, params jsonb DEFAULT NULL)
	RETURNS TABLE(id anycompatible, order_value jsonb, cursor text)
	AS 'MODULE_PATHNAME', 'vecdb_scroll' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 100;
COMMENT ON FUNCTION vecdb.scroll(regclass, anycompatible, integer, text, jsonb, text, boolean, jsonb) IS
	'the next k rows behind a cursor, in order of the key, or of a column or payload field and then the key; rows without a value there come last. The last page has fewer than k rows';
